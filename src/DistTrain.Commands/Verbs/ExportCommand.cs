using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Exports;
using DistTrain.Commands.Runs;
using DistTrain.Numerics;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>export</c> verb.</summary>
internal sealed class ExportCommand(CommandHost host)
{
    private static readonly string[] Formats = ["safetensors", "onnx", "tensorboard"];

    /// <summary>Writes the model or the metrics for other programs; the file appears whole or not at all.</summary>
    public int Execute(string run, string format, string file)
    {
        string shown = file;
        byte[] bytes;
        switch (format)
        {
            case "safetensors":
                bytes = File.ReadAllBytes(TrainedModel.RequireModel(run, host).ModelFile);
                break;
            case "onnx":
                bytes = Onnx(run);
                break;
            case "tensorboard":
                (shown, bytes) = TensorBoard(run, file);
                break;
            default:
                throw new InvalidInputException($"--format {format}: this format is not known; expected {MapReader.OneOf(Formats)}{Nearest.Hint(format, Formats)}");
        }

        Write(shown, bytes);
        host.Out.WriteLine($"wrote {shown}");
        return ExitCodes.Done;
    }

    private byte[] Onnx(string run)
    {
        TrainedModel model = TrainedModel.Load(run, host);
        byte[] bytes = OnnxExport.Write(model.Experiment.Settings.Name, model.Experiment.Settings.Network, model.Experiment.Settings.Precision, model.Weights);
        host.Error.WriteLine("note: the model takes rows that are scaled as the experiment's section data says, and gives what `disttrain predict` prints");
        return bytes;
    }

    private (string File, byte[] Bytes) TensorBoard(string run, string file)
    {
        RunFolder folder = RunFolder.Open(run, host.WorkingFolder);
        if (!File.Exists(folder.MetricsFile))
        {
            throw new InvalidInputException($"{run}: there is no metrics.jsonl in this run folder, so it has trained no step");
        }

        double start = Math.Floor((File.GetLastWriteTimeUtc(folder.ExperimentFile) - DateTime.UnixEpoch).TotalSeconds);

        // TensorBoard looks for files whose names hold tfevents; any other name is that of a folder for one.
        const string Mark = "tfevents";
        string path = Path.GetFileName(file).Contains(Mark, StringComparison.Ordinal)
            ? file
            : Path.Combine(file, string.Create(CultureInfo.InvariantCulture, $"events.out.{Mark}.{start:F0}.disttrain"));
        byte[] bytes = TensorBoardExport.Write(folder.MetricsFile, start);
        if (path != file)
        {
            Directory.CreateDirectory(Path.GetFullPath(file, host.WorkingFolder));
        }

        return (path, bytes);
    }

    private void Write(string file, byte[] bytes)
    {
        string path = Path.GetFullPath(file, host.WorkingFolder);
        if (Directory.Exists(path))
        {
            throw new InvalidInputException(
                $"--out {file}: this is a folder; expected the name of a file, "
                + $"such as {Path.Combine(file, "model.safetensors")}");
        }

        try
        {
            RunFolder.WriteWhole(path, bytes);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"--out {file}: cannot be written ({refused.Message})", refused);
        }
    }
}
