using System.Globalization;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Shared.Front;

/// <summary>Whether what rows contribute fits the memory of the final-layer actor's machine.</summary>
internal static class FrontMemory
{
    private const double BytesPerGibibyte = 1L << 30;

    /// <summary>Why it does not, with the key and what would work; null when it does.</summary>
    /// <param name="request">The request, with settings that have passed their checks.</param>
    /// <param name="availableBytes">Memory of the machine.</param>
    public static string? Refuses(RunRequest request, long availableBytes)
    {
        RunSettings settings = request.Settings;
        (int trainRows, int testRows) = (request.Data.TrainRows, request.Data.TestRows);
        if (FrontContributionPlan.For(settings, trainRows, testRows) is not FrontContributionPlan front)
        {
            return null;
        }

        double valueBytes = settings.Precision == Precision.Float32 ? sizeof(float) : sizeof(double);
        double rows = (double)trainRows + testRows;
        double bytes = valueBytes * rows * (front.Features + front.Outputs);
        bool isLarge = Math.Max((double)trainRows * front.Features, (double)testRows * front.Features) > int.MaxValue;
        if (bytes <= availableBytes && !isLarge)
        {
            return RefusesHistories(front, valueBytes, availableBytes - bytes);
        }

        // The largest N whose rows × N matrix is within both limits.
        double limit = Math.Min(availableBytes / valueBytes, int.MaxValue);
        string matrix = front.Form == ContributionForm.Gram ? "Gram matrix" : "matrix of coordinates";
        string basis = front.Form == ContributionForm.Gram && front.Inputs < trainRows
            ? Text($"method.form: basis ({valueBytes * rows * front.Inputs / BytesPerGibibyte:F1} GiB), ")
            : "";
        return Text(
            $"method.form: the {matrix} of {trainRows} training and {testRows} test rows, {front.Features} columns, takes {bytes / BytesPerGibibyte:F1} GiB; there are {availableBytes / BytesPerGibibyte:F1} GiB, and at most {int.MaxValue} values of a split; expected {basis}at most {Math.Sqrt(limit):F0} rows in all, or method backprop");
    }

    // A step needs the version before it and its own; W and its velocity are formed beside them at the end.
    private static string? RefusesHistories(FrontContributionPlan front, double valueBytes, double availableBytes)
    {
        double bytes = valueBytes * front.Histories.Sum(entry => 2.0 * (entry.History.Values + ((double)entry.History.Outputs * entry.History.Inputs)));
        return bytes <= availableBytes && front.Histories.All(entry => entry.History.Values <= int.MaxValue)
            ? null
            : Text($"method.collapse: the histories of {front.Histories.Count} layers take {bytes / BytesPerGibibyte:F1} GiB; there are {availableBytes / BytesPerGibibyte:F1} GiB beside what the rows contribute, and at most {int.MaxValue} values of a layer; expected input, narrower layers, or method backprop");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
