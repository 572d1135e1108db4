using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Studies.Faults;

/// <summary>A fault as it happened.</summary>
/// <param name="Text">In words.</param>
/// <param name="At">When it began, since the run's start.</param>
/// <param name="Recovery">Time to the next step that was committed for the first time; null when none was.</param>
internal sealed record FaultBegun(string Text, TimeSpan At, TimeSpan? Recovery);

/// <summary>One run of an experiment and what was seen of it.</summary>
internal sealed record FaultRun
{
    /// <summary>How it ended.</summary>
    public required RunOutcome Outcome { get; init; }

    /// <summary>The faults that began, in order.</summary>
    public required IReadOnlyList<FaultBegun> Faults { get; init; }

    /// <summary>The faults that were asked for and never began, in words, with when they should have.</summary>
    public required IReadOnlyList<string> NeverBegan { get; init; }

    /// <summary>The last step that was shown as committed.</summary>
    public required long LastShown { get; init; }

    /// <summary>Losses of the committed steps, in order.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    /// <summary>Rows of committed steps, each counted once.</summary>
    public required long Rows { get; init; }

    /// <summary>From the start to the last committed step, on the engine's clock.</summary>
    public required TimeSpan Training { get; init; }

    /// <summary>Committed steps that the end does not hold.</summary>
    public long StepsLost => Math.Max(0, LastShown - Outcome.Steps);

    /// <summary>Rows of committed steps a second.</summary>
    public double Goodput => Training > TimeSpan.Zero ? Rows / Training.TotalSeconds : 0;

    /// <summary>Hash of the final weights; empty where there are none.</summary>
    public string Weights => Outcome.Parameters.Count > 0 ? ModelFile.Sha256(Outcome.Parameters) : "";

    /// <summary>Runs a request.</summary>
    public static FaultRun Of(RunRequest request, IEngine engine, Action<long> progress, CancellationToken stop)
    {
        Observer observer = new(progress);
        RunOutcome outcome = engine.Run(request, observer, stop);
        return new FaultRun
        {
            Outcome = outcome,
            Faults = observer.Faults,
            NeverBegan = NotAmong(observer.Faults, request),
            LastShown = observer.LastShown,
            Losses = observer.Losses,
            Rows = observer.Rows,
            Training = observer.Training,
        };
    }

    private static IReadOnlyList<string> NotAmong(IReadOnlyList<FaultBegun> begun, RunRequest request)
    {
        if (request.Faults.Count == 0)
        {
            return [];
        }

        Topology topology = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology;
        List<string> left = [.. begun.Select(fault => fault.Text)];
        return
        [
            .. request.Faults.Select(fault => (Text: FaultText.Of(fault, topology), fault.At))
                .Where(fault => !left.Remove(fault.Text))
                .Select(fault => fault.Text + When(fault.At)),
        ];
    }

    private static string When(FaultTime at) =>
        at.Step is long step ? string.Create(CultureInfo.InvariantCulture, $" (at step {step})")
        : at.After > TimeSpan.Zero ? $" (at {Durations.Format(at.After)})"
        : "";

    private sealed class Observer(Action<long> progress) : IRunObserver
    {
        private readonly List<(string Text, TimeSpan At)> _waiting = [];
        private readonly List<FaultBegun> _recovered = [];

        public IReadOnlyList<FaultBegun> Faults =>
            [.. _recovered, .. _waiting.Select(fault => new FaultBegun(fault.Text, fault.At, null))];

        public long LastShown { get; private set; }

        public List<double> Losses { get; } = [];

        public long Rows { get; private set; }

        public TimeSpan Training { get; private set; }

        public void OnStep(in StepProgress step)
        {
            LastShown = Math.Max(LastShown, step.Step);
            Losses.Add(step.Loss);
            Rows += step.Rows;
            TimeSpan now = step.Elapsed;
            Training = now;
            _recovered.AddRange(_waiting.Select(fault => new FaultBegun(fault.Text, fault.At, now - fault.At)));
            _waiting.Clear();
            progress(step.Step);
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }

        public void OnFault(string fault, TimeSpan elapsed) => _waiting.Add((fault, elapsed));
    }
}
