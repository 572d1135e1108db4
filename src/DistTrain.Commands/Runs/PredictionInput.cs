using DistTrain.Commands.Experiments;
using DistTrain.Data;
using DistTrain.Numerics;

namespace DistTrain.Commands.Runs;

/// <summary>
/// Rows of a CSV file, scaled as a run's data was: what standardization needs is fitted on the run's training rows again.
/// </summary>
internal sealed class PredictionInput
{
    private PredictionInput(int rows, double[] values)
    {
        Rows = rows;
        Values = values;
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Rows × the network's inputs, row by row.</summary>
    public double[] Values { get; }

    /// <summary>Lines above the rows that were not read, where somebody might miss them.</summary>
    public IReadOnlyList<string> LeftOut { get; private init; } = [];

    /// <summary>
    /// Reads a file of one row per line whose columns are the network's inputs, by their names or else in order; a CSV run's own
    /// label, target or split columns may be there too and are ignored. Throws <see cref="InvalidInputException"/> when the columns do not fit.
    /// </summary>
    public static PredictionInput Load(string shown, string path, Experiment experiment, CancellationToken cancel)
    {
        if (!File.Exists(path))
        {
            throw new InvalidInputException($"{shown}: there is no such file; expected a CSV file with one row of inputs a line");
        }

        int inputs = experiment.Settings.Network.Inputs;
        CsvInputs found = CsvInputs.Find(shown, path, experiment.Data as CsvSpec, inputs);
        DataSet<double> rows = DataLoader.LoadLike<double>(found.Spec, Path.GetDirectoryName(path)!, experiment.Data, "/", experiment.Settings.Seed, cancel);
        double[] values = new double[checked(rows.Rows * rows.Inputs)];
        rows.CopyInputs([.. Enumerable.Range(0, rows.Rows)], values);
        return new PredictionInput(rows.Rows, values) { LeftOut = found.LeftOut };
    }
}
