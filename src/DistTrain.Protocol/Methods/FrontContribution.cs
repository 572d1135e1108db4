using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Methods;

/// <summary>
/// Front contribution: the layers before the final one contribute once, the final-layer actor trains alone on what their
/// updates would have
/// contributed, and at the end the first stage forms its weights. The same trajectory as backpropagation.
/// </summary>
public sealed class FrontContribution : Method
{
    public const string MethodName = "front-contribution";

    public override string Name => MethodName;

    public override string Source => "Mishra and Arunkumar, front contribution instead of back propagation";

    // The final-layer actor waits for no other layer actor at all.
    public override Locks Removes => Locks.Forward | Locks.Update | Locks.Backward;

    public override bool Synchronous => true;

    public override SettingsProblem? Refuses(RunSettings settings) =>
        RefusesNetwork(settings) ?? RefusesOptimizer(settings) ?? RefusesSharing(settings) ?? RefusesForm(settings.Method);

    // One stage does the whole step, so schedules do not differ.
    public override InstructionSource Instructions(RunPlan plan, int stage, long committedStep) =>
        new ScheduledInstructions(
            ScheduleCatalog.Find("sequential")!, SignalFlow.Chain, stages: 1, plan.Settings.Training.MicroBatches, stage: 0, committedStep);

    private static SettingsProblem? RefusesNetwork(RunSettings settings)
    {
        IReadOnlyList<LayerSpec> layers = settings.Network.Layers;
        if (layers[0] is DropoutSpec)
        {
            return new SettingsProblem(
                "network[0]",
                "dropout changes the inputs at every step, and with them what they contribute; expected a first layer that "
                    + "starts with W x "
                + "(dense, maxout, k-competitive), dropout behind it, or method backprop");
        }

        for (int layer = 1; layer < layers.Count; layer++)
        {
            if (layers[layer] is DenseSpec { TiedTo: 0 })
            {
                return new SettingsProblem(
                    $"network[{layer}]",
                    "tied to layer 0, whose weights would then also move outside the space of the training rows; expected a "
                        + "layer with weights of its own, "
                    + "or method backprop");
            }

            if (settings.Method.Collapse == Collapse.All && layers[layer] is DenseSpec { TiedTo: int source })
            {
                return new SettingsProblem(
                    $"network[{layer}]",
                    $"tied to layer {source}, whose history would then be one of two layers; expected a layer with weights of its own, "
                    + "method.collapse: input, or method backprop");
            }
        }

        return settings.Stages.Count < 2
            ? new SettingsProblem(
                "stages",
                "front-contribution takes the first stage out of training, and here it is the final one; expected at least 2 "
                    + "stages, or method backprop")
            : null;
    }

    private static SettingsProblem? RefusesOptimizer(RunSettings settings)
    {
        OptimizerSpec optimizer = settings.Optimizer;
        if (optimizer.Kind != OptimizerKind.Sgd)
        {
            return new SettingsProblem(
                "optimizer.name",
                $"{optimizer.Kind.ToString().ToLowerInvariant()} divides by each weight's own history, which is not linear in "
                    + "the gradient, so contributions cannot stand for "
                + "weights; expected sgd (with momentum, nesterov, weight-decay, clip-norm and any schedule), or method "
                    + "backprop");
        }

        return optimizer.ClipNorm is not null && settings.Training.MicroBatches > 1 && settings.Method.Form != ContributionForm.Basis
            ? new SettingsProblem(
                "training.micro-batches",
                "the Gram form knows the gradient's norm for rows that come in one pass; expected micro-batches: 1, "
                    + "method.form: basis, or no optimizer.clip-norm")
            : null;
    }

    private static SettingsProblem? RefusesSharing(RunSettings settings)
    {
        ParameterServerSettings server = settings.ParameterServer;
        if (settings.Replicas > 1)
        {
            return new SettingsProblem(
                "replicas", $"{settings.Replicas}: under front-contribution one final-layer actor trains alone; expected 1, or method backprop");
        }

        if (server.Consistency != Consistency.Sync)
        {
            return new SettingsProblem(
                "parameter-server.consistency", "one final-layer actor trains alone, so there is nobody to be ahead of; expected sync, or method backprop");
        }

        if (server.Aggregate != Aggregate.Mean)
        {
            return new SettingsProblem(
                "parameter-server.aggregate", "one final-layer actor trains alone, so there is nothing to choose from; expected mean, or method backprop");
        }

        return server.Compression != CompressionKind.None
            ? new SettingsProblem(
                "parameter-server.compression", "a compressed gradient is not the one that contributions are exact for; expected none, or method backprop")
            : null;
    }

    private static SettingsProblem? RefusesForm(MethodSettings method)
    {
        if (method.Shares is < 1 or > Limits.ShardsMax)
        {
            return new SettingsProblem("method.shares", $"{method.Shares}; expected 1 to {Limits.ShardsMax}");
        }

        return method is { Form: ContributionForm.Basis, Shares: > 1 }
            ? new SettingsProblem(
                "method.shares", $"{method.Shares}: a basis is made of whole rows, which no share has; expected shares: 1, or form: gram")
            : null;
    }
}
