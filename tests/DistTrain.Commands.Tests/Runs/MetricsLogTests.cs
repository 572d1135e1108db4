using DistTrain.Commands.Runs;
using DistTrain.Engines;

namespace DistTrain.Commands.Tests.Runs;

public sealed class MetricsLogTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void AnEpochThatAResumedRunReportsOnceMoreStandsInTheLogOnce()
    {
        string path = _bench.At("metrics.jsonl");
        using (MetricsLog log = new(path, restart: null))
        {
            Report(log, epoch: 1, step: 4);
            Report(log, epoch: 2, step: 8);
            Report(log, epoch: 3, step: 12);
        }

        int logged = MetricsLog.Truncate(path, step: 8, restart: 0);
        logged.ShouldBe(2);
        using (MetricsLog log = new(path, restart: null, logged))
        {
            Report(log, epoch: 2, step: 8);
            Report(log, epoch: 3, step: 12);
        }

        Epochs(path).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public void EpochsOfAnotherRestartAreNoneOfThisOnes()
    {
        string path = _bench.At("metrics.jsonl");
        using (MetricsLog log = new(path, restart: 0))
        {
            Report(log, epoch: 1, step: 4);
            Report(log, epoch: 2, step: 8);
        }

        using (MetricsLog log = new(path, restart: 1))
        {
            Report(log, epoch: 1, step: 4);
        }

        MetricsLog.Truncate(path, step: 4, restart: 1).ShouldBe(1);
        MetricsLog.Truncate(path, step: 0, restart: 1).ShouldBe(0);
        Epochs(path).ShouldBe([1, 2]);
    }

    private static void Report(MetricsLog log, int epoch, long step) => log.Epoch(new EpochProgress(epoch, 3, step, 0.5, 0.5, null, null, TimeSpan.FromSeconds(step)));

    private static IEnumerable<int> Epochs(string path) =>
        File.ReadLines(path).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("epoch").GetInt32());
}
