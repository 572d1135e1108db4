namespace DistTrain.Data.Tests;

/// <summary>Reads whole data sets into arrays.</summary>
internal static class DataSetReading
{
    public static double[] Inputs(this DataSet<double> data, params int[] rows)
    {
        int[] wanted = rows.Length > 0 ? rows : [.. Enumerable.Range(0, data.Rows)];
        double[] values = new double[wanted.Length * data.Inputs];
        data.CopyInputs(wanted, values);
        return values;
    }

    public static double[] TargetsOf(this DataSet<double> data, params int[] rows)
    {
        int[] wanted = rows.Length > 0 ? rows : [.. Enumerable.Range(0, data.Rows)];
        double[] values = new double[wanted.Length * data.Targets];
        data.CopyTargets(wanted, values);
        return values;
    }

    public static int[] Labels(this DataSet<double> data) => [.. Enumerable.Range(0, data.Rows).Select(data.LabelOf)];
}
