using System.Globalization;
using System.Text;
using DistTrain.Commands.Runs;
using DistTrain.Numerics;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>predict</c> verb.</summary>
internal sealed class PredictCommand(CommandHost host)
{
    /// <summary>Writes class and outputs of every row as CSV, to a file or standard output.</summary>
    public int Execute(string run, string? input, string? file, string? weights)
    {
        TrainedModel model = TrainedModel.Load(run, host, weights);
        double[][] outputs = input is null
            ? model.Data.Outputs(model.Experiment.Settings.Network, model.Weights, testRows: model.Data.Run.TestRows > 0)
            : model.Data.Outputs(model.Experiment.Settings.Network, model.Weights, Read(input, model));
        string csv = Csv(model, outputs);
        if (file is null)
        {
            host.Out.Write(csv);
            return ExitCodes.Done;
        }

        try
        {
            RunFolder.WriteWhole(Path.GetFullPath(file, host.WorkingFolder), csv);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"--out {file}: cannot be written ({refused.Message})", refused);
        }

        host.Out.WriteLine($"wrote {outputs.Length} rows to {file}");
        return ExitCodes.Done;
    }

    private PredictionInput Read(string input, TrainedModel model)
    {
        PredictionInput rows = PredictionInput.Load(input, Path.GetFullPath(input, host.WorkingFolder), model.Experiment, host.Stop);
        foreach (string line in rows.LeftOut)
        {
            host.Error.WriteLine($"note: {input}: left out a line above the rows, as the run's skip-lines says: {line}");
        }

        return rows;
    }

    private static string Csv(TrainedModel model, double[][] outputs)
    {
        int width = outputs.Length > 0 ? outputs[0].Length : 0;
        bool single = model.Experiment.Settings.Precision == Precision.Float32;
        IReadOnlyList<string>? classes = model.Data.Run.TargetsAreClasses ? model.Data.Run.ClassNames ?? Numbers(width) : null;
        StringBuilder csv = new();
        IEnumerable<string> columns = classes ?? [.. Numbers(width).Select(number => $"output_{number}")];
        csv.Append(classes is null ? "" : "class,").AppendJoin(',', columns.Select(Field)).Append('\n');
        foreach (double[] row in outputs)
        {
            if (classes is not null)
            {
                // The first wins a tie, as in the accuracy.
                csv.Append(Field(classes[Array.IndexOf(row, row.Max())])).Append(',');
            }

            csv.AppendJoin(',', row.Select(value => Number(value, single))).Append('\n');
        }

        return csv.ToString();
    }

    private static string[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(number =>
        number.ToString(CultureInfo.InvariantCulture))];

    private static string Number(double value, bool single) =>
        single ? ((float)value).ToString("R", CultureInfo.InvariantCulture) : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
