using MathNet.Numerics.LinearAlgebra;

namespace DistTrain.Engines;

/// <summary>Small systems of measurements.</summary>
internal static class LeastSquares
{
    /// <summary>The factors x for which the rows times x are nearest to 1; 0 for those that are not used.</summary>
    public static double[] Solve(double[][] rows, bool[] used)
    {
        int[] columns = [.. Enumerable.Range(0, used.Length).Where(column => used[column])];
        Matrix<double> matrix = Matrix<double>.Build.Dense(rows.Length, columns.Length, (row, column) => rows[row][columns[column]]);
        Vector<double> found = matrix.QR().Solve(Vector<double>.Build.Dense(rows.Length, 1));
        double[] factors = new double[used.Length];
        for (int column = 0; column < columns.Length; column++)
        {
            factors[columns[column]] = found[column];
        }

        return factors;
    }
}
