using DistTrain.Engines.Processes;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Processes;

public sealed class RestartPolicyTests
{
    [Fact]
    public void WaitsDoubleWhileNothingIsCommittedAndThenTheRunGivesUp()
    {
        RestartPolicy policy = new();
        double[] waits = [.. Enumerable.Range(0, ProcessesLimits.FruitlessRestartsMax).Select(_ => policy.OnEnded(commits: 7)!.Value.TotalMilliseconds)];
        waits.ShouldBe([0, 50, 100, 200, 400, 800]);
        policy.OnEnded(commits: 7).ShouldBeNull();
    }

    [Fact]
    public void ACommitMakesTheNextRestartImmediateAgain()
    {
        RestartPolicy policy = new();
        for (int end = 0; end < Limits.RestartsPerActorMax; end++)
        {
            policy.OnEnded(commits: end).ShouldBe(TimeSpan.Zero);
        }

        // Even so, a process that ends this often is not merely unlucky.
        policy.OnEnded(commits: Limits.RestartsPerActorMax).ShouldBeNull();
    }
}
