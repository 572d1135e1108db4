using DistTrain.Engines.Checking;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Soaking;

/// <summary>One run among faults with all checkers on it.</summary>
internal static class SoakRun
{
    /// <summary>Virtual time of any run: the faults of a schedule pass within a minute, and what they left is mended within a few.</summary>
    private static readonly TimeSpan EndsBy = TimeSpan.FromMinutes(20);

    /// <summary>How a run says that there is nothing to go on from.</summary>
    private static readonly string[] Losses = ["every copy of a parameter server was lost", "what it had kept was lost with its node"];

    /// <summary>Runs a request; no finding when every guarantee held, and the virtual time that it took.</summary>
    /// <param name="request">The run with its faults.</param>
    /// <param name="faults">Hears of every fault that begins; null for nobody.</param>
    /// <param name="defect">Puts a defect between host and machines, for tests of the checkers; null for none.</param>
    /// <param name="stopAfterMessages">When to ask for a stop; null for never.</param>
    public static (Finding? Finding, TimeSpan Virtual) Check(
        RunRequest request, Action<Fault>? faults = null, Func<RunPlan, HostSeams>? defect = null, long? stopAfterMessages = null)
    {
        using CancellationTokenSource stop = new();
        RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        Findings findings = new();
        ContributionChecker contributions = new(plan, findings);
        CommitChecker commits = new(plan, contributions, findings);
        List<IHostTap> taps = [contributions, commits, new MembershipChecker(findings)];
        HostSeams seams = defect?.Invoke(plan) ?? new HostSeams();
        if (faults is not null)
        {
            taps.Add(new FaultTap(faults));
        }

        if (stopAfterMessages is long messages)
        {
            taps.Add(new StopTap(messages, stop));
        }

        if (seams.Tap is not null)
        {
            taps.Add(seams.Tap);
        }

        TimeSpan time = default;
        try
        {
            using SimulatedRun run = new(request, StopsAt.Never, seams with { Tap = new TapFan(taps), EndsBy = EndsBy });
            RunOutcome outcome = run.ToEnd(stop.Token);
            time = outcome.Virtual ?? default;

            // With every copy of a shard on nodes that were lost, there is nothing to go on from; such a run has to say so.
            bool mayFail = outcome.Status == RunStatus.Failed && commits.LostEveryCopy && request.Faults.Any(fault => fault is NodeLossFault)
                && (Losses.Any(loss => outcome.Reason.Contains(loss, StringComparison.Ordinal)) || IsLastNodeLost(request));

            // What diverges without any fault may do so among them.
            bool mayDiverge = outcome.Status == RunStatus.Diverged && Calm(request, plan).Status == RunStatus.Diverged;
            findings.Require(
                outcome.Status == RunStatus.Completed || (outcome.Status == RunStatus.Stopped && stop.IsCancellationRequested) || mayFail || mayDiverge, "progress",
                () => $"the run {outcome.Status.ToString().ToLowerInvariant()}: {outcome.Reason}");
            run.GiveEverythingBack();
            findings.Require(run.LiveBuffers == 0, "buffers", () => $"{run.LiveBuffers} buffers were not given back");
            CheckEqual(request, plan, outcome, findings);
        }
        catch (Exception broken) when (broken is InvariantException or InvalidOperationException or ArgumentException or IndexOutOfRangeException
            or NullReferenceException or KeyNotFoundException)
        {
            findings.Add("invariant", $"{broken.GetType().Name}: {broken.Message}");
        }

        return (findings.First, time);
    }

    /// <summary>Whether one node or none may be left, on which there is no place for everybody.</summary>
    private static bool IsLastNodeLost(RunRequest request)
    {
        int away = request.Faults.Count(fault => fault is NodeLeaveFault or NodeLossFault { RestartAfter: null });
        return request.Simulation.Nodes > 0 && request.Simulation.Nodes - away <= 1;
    }

    /// <summary>Equal bits, where the method promises them, to the fault-free run's.</summary>
    private static void CheckEqual(RunRequest request, RunPlan plan, RunOutcome outcome, Findings findings)
    {
        if (plan.Asynchronous || !plan.Method.Synchronous || outcome.Status == RunStatus.Failed || findings.First is not null)
        {
            return;
        }

        // A run without faults that is stopped after the same step; one that is stopped before its first has nothing to compare.
        long? stopsAt = outcome.Status == RunStatus.Stopped ? outcome.Steps : null;
        if (stopsAt == 0 || (stopsAt is not null && !IsServedPlain(plan)))
        {
            return;
        }

        RunOutcome expected = Calm(request, plan, stopsAt);
        findings.Require(
            (expected.Status, expected.Steps) == (outcome.Status, outcome.Steps), "equal",
            () => $"the run ended at step {outcome.Steps} ({outcome.Status}), and without faults at step {expected.Steps} ({expected.Status})");
        for (int i = 0; i < expected.Parameters.Count; i++)
        {
            (ParameterSpec spec, byte[] values) = expected.Parameters[i];
            findings.Require(
                outcome.Parameters[i].Values.AsSpan().SequenceEqual(values), "equal", () => $"{spec.Name} is not what it is without faults");
        }
    }

    /// <summary>The run without faults. The plain loop knows no messages at all; what it does not run is held against the simulator.</summary>
    private static RunOutcome Calm(RunRequest request, RunPlan plan, long? stopsAt = null)
    {
        RunRequest calm = request with { Faults = [] };
        if (!IsServedPlain(plan))
        {
            return new SimulatedEngine().Run(calm, StopsAt.Never, CancellationToken.None);
        }

        using CancellationTokenSource stop = new();
        return SequentialTrainer.Run(calm, new StopsAt(stopsAt, stop), stop: stop.Token);
    }

    private static bool IsServedPlain(RunPlan plan) =>
        plan.Method.Synchronous && !plan.Asynchronous && plan.Settings.Method.Name != MethodCatalog.FrontContribution;

    private sealed class FaultTap(Action<Fault> hears) : IHostTap
    {
        public void OnFault(Fault fault) => hears(fault);
    }

    private sealed class StopTap(long messages, CancellationTokenSource stop) : IHostTap
    {
        private long _delivered;

        public void OnDelivered(Envelope envelope)
        {
            if (++_delivered == messages)
            {
                stop.Cancel();
            }
        }
    }

    /// <summary>Hears nothing, and asks for a stop after a step if there is one.</summary>
    private sealed class StopsAt(long? step = null, CancellationTokenSource? stop = null) : IRunObserver
    {
        public static StopsAt Never { get; } = new();

        public void OnStep(in StepProgress progress)
        {
            if (progress.Step == step)
            {
                stop!.Cancel();
            }
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }
    }
}
