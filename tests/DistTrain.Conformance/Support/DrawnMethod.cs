using DistTrain.Engines;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Conformance.Support;

/// <summary>A drawn run by a given method: what the method cannot serve is left out.</summary>
internal static class DrawnMethod
{
    private const ulong NextNumber = 100_000;

    /// <summary>Synchronous methods besides backprop and front contribution, which have tests of their own.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. MethodCatalog.Names.Where(name => name is not ("backprop" or "front-contribution") && MethodCatalog.Find(name)!.Synchronous)];

    public static RunRequest Of(string method, ulong number)
    {
        for (ulong next = number; ; next += NextNumber)
        {
            RunRequest request = Adapt(method, DrawnRun.Of(next), new Draw(next, stream: 21));
            if (SettingsChecks.Problems(request.Settings, request.Data.TrainRows).Count == 0)
            {
                return request;
            }
        }
    }

    public static string Describe(RunRequest request) => $"{request.Settings.Method}: {DrawnRun.Describe(request)}";

    private static RunRequest Adapt(string method, RunRequest request, Draw draw)
    {
        RunSettings settings = request.Settings;
        bool wholeSteps = method is "delayed-gradient" or "features-replay" or "synthetic-gradient";
        bool leavesOut = method is "delayed-gradient" or "features-replay" or "greedy" or "final-layer-only";
        return request with
        {
            Settings = settings with
            {
                Stages = LastAlone(settings.Stages),
                Training = settings.Training with
                {
                    MicroBatches = wholeSteps ? 1 : settings.Training.MicroBatches,
                    EarlyStoppingPatience = method == "greedy" ? null : settings.Training.EarlyStoppingPatience,
                    Epochs = Math.Max(settings.Training.Epochs, method == "greedy" ? settings.Stages.Count + 1 : 1),
                },
                ParameterServer = settings.ParameterServer with
                {
                    Compression = leavesOut ? CompressionKind.None : settings.ParameterServer.Compression,
                },
                Optimizer = method == "greedy" && settings.Optimizer.Schedule == LearningRateSchedule.ReduceOnPlateau
                    ? settings.Optimizer with { Schedule = LearningRateSchedule.Constant }
                    : settings.Optimizer,
                Method = (MethodCatalog.Find(method) is { HasSchedule: true } ? new MethodSettings(method, settings.Method.Schedule) : new MethodSettings(method)) with
                {
                    DelaySteps = method == "synthetic-gradient" ? draw.Of<int?>(null, 0, 1, 2, 3) : wholeSteps ? draw.Of<int?>(null, null, null, 0) : null,
                    Feedback = draw.Of(FeedbackKind.Random, FeedbackKind.Transposed),
                    LocalLoss = draw.Of(LocalRuleKind.Prediction, LocalRuleKind.Similarity, LocalRuleKind.PredictionAndSimilarity),
                    Conditioned = draw.Chance(0.5),
                    Hidden = draw.Chance(0.5) ? [] : [4],
                },
            },
        };
    }

    /// <summary>The last layer in a stage of its own.</summary>
    private static List<int> LastAlone(IReadOnlyList<int> stages)
    {
        List<int> alone = [.. stages];
        if (alone[^1] > 1)
        {
            alone[^1]--;
            alone.Add(1);
        }

        return alone;
    }
}
