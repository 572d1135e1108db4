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
        Scaling elementwise = experiment.Data.Scaling with { Standardize = Standardization.None };
        CsvInputs found = CsvInputs.Find(shown, path, experiment.Data as CsvSpec, inputs);
        CsvSpec spec = found.Spec with { Scaling = elementwise };
        DataSet<double> rows = DataLoader.Load<double>(spec, Path.GetDirectoryName(path)!, seed: 0, cancel).Train;
        double[] values = InputsOf(rows);
        Standardize(values, inputs, experiment, elementwise, cancel);
        return new PredictionInput(rows.Rows, values) { LeftOut = found.LeftOut };
    }

    private static double[] InputsOf(DataSet<double> data)
    {
        double[] values = new double[checked(data.Rows * data.Inputs)];
        data.CopyInputs([.. Enumerable.Range(0, data.Rows)], values);
        return values;
    }

    private static void Standardize(double[] values, int inputs, Experiment experiment, Scaling elementwise,
        CancellationToken cancel)
    {
        Standardization kind = experiment.Data.Scaling.Standardize;
        if (kind == Standardization.None)
        {
            return;
        }

        DataSpec unscaled = experiment.Data with { Scaling = elementwise };
        double[] train = InputsOf(DataLoader.Load<double>(unscaled, "/", experiment.Settings.Seed, cancel).Train);
        int period = kind == Standardization.Global ? 1 : inputs;
        for (int column = 0; column < period; column++)
        {
            (double mean, double deviation) = Moments(train, column, period);
            for (int i = column; i < values.Length; i += period)
            {
                values[i] = deviation > 0 ? (values[i] - mean) / deviation : 0;
            }
        }
    }

    private static (double Mean, double Deviation) Moments(double[] values, int first, int period)
    {
        (double sum, double squares, long count) = (0, 0, 0);
        for (int i = first; i < values.Length; i += period)
        {
            sum += values[i];
            count++;
        }

        double mean = sum / count;
        for (int i = first; i < values.Length; i += period)
        {
            squares += (values[i] - mean) * (values[i] - mean);
        }

        return (mean, Math.Sqrt(squares / count));
    }
}
