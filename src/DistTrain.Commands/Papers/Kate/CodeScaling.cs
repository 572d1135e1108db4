namespace DistTrain.Commands.Papers.Kate;

/// <summary>Mean 0 and deviation 1 for every column, as fitted on the training rows.</summary>
internal sealed record CodeScaling(double[] Means, double[] Deviations)
{
    /// <summary>Fits the columns; one that never changes keeps deviation 1.</summary>
    public static CodeScaling Fit(double[][] rows)
    {
        int columns = rows[0].Length;
        (double[] means, double[] deviations) = (new double[columns], new double[columns]);
        for (int column = 0; column < columns; column++)
        {
            double mean = rows.Average(row => row[column]);
            double deviation = Math.Sqrt(rows.Average(row => (row[column] - mean) * (row[column] - mean)));
            (means[column], deviations[column]) = (mean, deviation > 0 ? deviation : 1);
        }

        return new CodeScaling(means, deviations);
    }

    /// <summary>The scaled rows, one after the other.</summary>
    public float[] Apply(double[][] rows) =>
        [.. rows.SelectMany(row => row.Select((value, column) => (float)((value - Means[column]) / Deviations[column])))];
}
