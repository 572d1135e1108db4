namespace DistTrain.Engines.Simulated;

/// <summary>Passes on what happens in a run without arithmetic: there are no losses, and what stands for them is withheld.</summary>
internal sealed class TimingObserver(IRunObserver observer) : IRunObserver
{
    public void OnStep(in StepProgress step) => observer.OnStep(step with { Loss = double.NaN, Accuracy = double.NaN });

    public void OnEpoch(EpochProgress epoch) =>
        observer.OnEpoch(epoch with { TrainLoss = double.NaN, TrainAccuracy = double.NaN, TestLoss = null, TestAccuracy = null });

    public void OnNotice(string text) => observer.OnNotice(text);

    public void OnFault(string fault, TimeSpan elapsed) => observer.OnFault(fault, elapsed);
}
