using DistTrain.Engines;

namespace DistTrain.Conformance.Support;

/// <summary>Keeps what an observer hears.</summary>
internal sealed class Observed : IRunObserver
{
    public List<StepProgress> Steps { get; } = [];

    public List<EpochProgress> Epochs { get; } = [];

    public List<string> Notices { get; } = [];

    public List<string> Faults { get; } = [];

    /// <summary>Called at every committed step.</summary>
    public Action<long>? AtStep { get; init; }

    /// <summary>Called at every notice.</summary>
    public Action<string>? AtNotice { get; set; }

    public void OnStep(in StepProgress step)
    {
        Steps.Add(step);
        AtStep?.Invoke(step.Step);
    }

    public void OnEpoch(EpochProgress epoch) => Epochs.Add(epoch);

    public void OnNotice(string text)
    {
        Notices.Add(text);
        AtNotice?.Invoke(text);
    }

    public void OnFault(string fault, TimeSpan elapsed) => Faults.Add(fault);
}
