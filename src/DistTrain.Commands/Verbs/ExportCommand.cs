using DistTrain.Commands.Runs;
using DistTrain.Numerics;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>export</c> verb.</summary>
internal sealed class ExportCommand(CommandHost host)
{
    /// <summary>Writes the model's parameters; the file appears whole or not at all.</summary>
    public int Execute(string run, string format, string file)
    {
        switch (format)
        {
            case "safetensors":
                break;
            case "onnx":
                throw new InvalidInputException("--format onnx: this version does not write ONNX yet; expected safetensors");
            default:
                throw new InvalidInputException($"--format {format}: this format is not known; expected safetensors");
        }

        RunFolder folder = TrainedModel.RequireModel(run, host);
        string path = Path.GetFullPath(file, host.WorkingFolder);
        if (Directory.Exists(path))
        {
            throw new InvalidInputException(
                $"--out {file}: this is a folder; expected the name of a file, "
                + $"such as {Path.Combine(file, "model.safetensors")}");
        }

        string temporary = path + ".tmp";
        try
        {
            File.Copy(folder.ModelFile, temporary, overwrite: true);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"--out {file}: cannot be written ({refused.Message})", refused);
        }

        host.Out.WriteLine($"wrote {file}");
        return ExitCodes.Done;
    }
}
