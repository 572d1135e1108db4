using DistTrain.Engines;

namespace DistTrain.Benchmarks;

/// <summary>An observer that does nothing.</summary>
internal sealed class Quiet : IRunObserver
{
    public static Quiet Instance { get; } = new();

    public void OnStep(in StepProgress step)
    {
    }

    public void OnEpoch(EpochProgress epoch)
    {
    }

    public void OnNotice(string text)
    {
    }
}
