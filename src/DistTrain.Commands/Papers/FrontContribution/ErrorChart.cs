using System.Globalization;

namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>A curve of errors as text: iterations to the right, the logarithm of the error upward.</summary>
internal static class ErrorChart
{
    private const int LinesPerDecade = 3;
    private static readonly double[] Marks = [1, 2, 5];

    /// <summary>The chart's lines, from the largest error down; errors of 0 share a line at the foot.</summary>
    /// <param name="curve">Errors at equal distances.</param>
    /// <param name="iterations">The right end of the axis.</param>
    public static IEnumerable<string> Lines(IReadOnlyList<double> curve, int iterations)
    {
        int?[] heights = [.. curve.Select(Height)];
        int[] seen = [.. heights.OfType<int>()];
        for (int line = seen.DefaultIfEmpty(0).Max(); seen.Length > 0 && line >= seen.Min(); line--)
        {
            yield return Line(Label(line), heights, line);
        }

        if (heights.Contains(null))
        {
            yield return Line("0", heights, null);
        }

        yield return $"{"",9} └{new string('─', curve.Count)}";
        string right = iterations.ToString("N0", CultureInfo.InvariantCulture);
        yield return $"{"",11}0{right.PadLeft(curve.Count - 1)}";
    }

    private static string Line(string label, int?[] heights, int? line) =>
        $"{label,9} │{string.Concat(heights.Select(height => height == line ? '•' : ' '))}".TrimEnd();

    private static string Label(int line)
    {
        int decade = (int)Math.Floor((double)line / LinesPerDecade);
        return string.Create(CultureInfo.InvariantCulture, $"{Marks[line - (decade * LinesPerDecade)]}e{decade}");
    }

    /// <summary>The line whose mark is the largest not above an error; null for 0.</summary>
    private static int? Height(double error)
    {
        if (!(error > 0))
        {
            return null;
        }

        double bounded = Math.Min(error, 1e300);
        int decade = (int)Math.Floor(Math.Log10(bounded));
        double mantissa = bounded / Math.Pow(10, decade);
        return (decade * LinesPerDecade) + (mantissa >= 5 ? 2 : mantissa >= 2 ? 1 : 0);
    }
}
