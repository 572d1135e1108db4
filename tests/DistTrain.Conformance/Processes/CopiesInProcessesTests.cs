using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance.Processes;

/// <summary>Two copies of each shard in processes of their own: whichever is killed, nothing that was committed is computed again, without a log and without a snapshot.</summary>
public sealed class CopiesInProcessesTests
{
    [SkippableTheory]
    [InlineData("parameter-server-0", 5)]
    [InlineData("parameter-server-1", 3)]
    [InlineData("worker-0", 4)]
    [InlineData("coordinator", 2)]
    [InlineData("coordinator", 6)]
    public void AKilledProcessCostsNoCommittedStep(string name, long at)
    {
        Skip.If(OperatingSystem.IsWindows(), "Processes are killed by signal.");
        RunRequest request = ProcessesTests.Base(settings => settings with
        {
            Replicas = 2, CheckpointEverySteps = 0, ParameterServer = new ParameterServerSettings { Shards = 2, Copies = 2 },
        });
        Observed observed = new();
        RunOutcome outcome = ProcessesTests.ShouldGiveTheBitsOfThePlainLoop(request, workers: 2, observed, (run, step) =>
        {
            if (step == at)
            {
                Signals.Kill(run, name);
            }
        });
        outcome.Restarts.ShouldBeGreaterThanOrEqualTo(1);
        outcome.StepsRedone.ShouldBeLessThanOrEqualTo(2 * outcome.Restarts);
        observed.Steps.Select(step => step.Step).ShouldBe(Enumerable.Range(1, observed.Steps.Count).Select(step => (long)step));
        observed.Notices.Where(notice => notice.StartsWith("recovered", StringComparison.Ordinal))
            .ShouldAllBe(notice => !notice.Contains("from step 0,", StringComparison.Ordinal));
    }

    [Fact]
    public void WithALogThatOutlivesEveryProcessCopiesAreRefusedByName()
    {
        RunRequest request = ProcessesTests.Base(settings => settings with
        {
            Durability = Durability.Step, ParameterServer = new ParameterServerSettings { Copies = 2 },
        });
        new ProcessesEngine().Refuses(request)!.ShouldContain("parameter-server.copies: 2: all processes share a disk");
    }
}
