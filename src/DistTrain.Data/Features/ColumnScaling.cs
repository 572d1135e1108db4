namespace DistTrain.Data.Features;

/// <summary>y = (x − mean) · factor with a mean and a factor per column, or one of each for all columns.</summary>
internal sealed class ColumnScaling(double[] mean, double[] factor)
{
    /// <summary>Whether one mean and factor serve every column.</summary>
    public bool IsGlobal => mean.Length == 1;

    /// <summary>The standardized value; adding 0 turns −0 of a constant column into 0.</summary>
    public double Apply(int column, double value)
    {
        int index = IsGlobal ? 0 : column;
        return ((value - mean[index]) * factor[index]) + 0.0;
    }
}
