using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>One job object of each kind, used again from micro-batch to micro-batch: a layer actor runs one job at a
/// time.</summary>
internal sealed class LayerJobs(StagePlan stage, int replica, bool training, BackwardPath path = BackwardPath.Weights, bool passesSignal = false)
{
    public LoadBatchJob Load { get; } = new(stage.Index, replica) { Training = training };

    public ForwardJob Forward { get; } = new(stage.Index, replica, stage.Slices.Count) { Training = training };

    public LossJob Loss { get; } = new(stage.Index, replica) { Training = training };

    public BackwardJob Backward { get; } = new(stage.Index, replica, stage.Slices.Count)
    {
        Training = training,
        Path = path,
        PassesSignal = passesSignal,
    };

    public GradientJob Gradient { get; } = new(stage.Index, replica, stage.Slices.Count) { Training = training };

    public LocalLossJob LocalLoss { get; } = new(stage.Index, replica, stage.Slices.Count) { Training = training };

    public PredictJob Predict { get; } = new(stage.Index, replica, stage.Slices.Count) { Training = training };

    public FitJob Fit { get; } = new(stage.Index, replica, stage.Slices.Count) { Training = training };

    public TargetJob Target { get; } = new(stage.Index, replica, stage.Slices.Count) { Training = training };

    public CompressJob Compress { get; } = new(stage.Index, replica) { Training = training };
}
