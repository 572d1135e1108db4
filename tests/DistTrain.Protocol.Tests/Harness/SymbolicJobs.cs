using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Tests.Harness;

/// <summary>What a snapshot holds of a slice.</summary>
internal sealed record KeptSlice(ulong Weights, ulong Optimizer, ulong[] Carried, long[] AppliedSteps, long Updates, Applied? Applied);

/// <summary>Does jobs on hashes.</summary>
internal sealed class SymbolicJobs(BufferPool pool, RunPlan plan, SortedDictionary<(long Step, int Slice), KeptSlice> kept)
{
    public SortedDictionary<(long Step, int Slice), KeptSlice> Kept { get; } = kept;

    /// <summary>The last step that the coordinator reported as committed.</summary>
    public long CommittedStep { get; set; }

    /// <summary>The training step whose loss is not a number, in layer 0; 0 for none.</summary>
    public long DivergingStep { get; init; }

    public static ulong Load(DataSplit split, bool targets, long step, int first, int rows) =>
        Hash.Of(1, (ulong)split, targets ? 1UL : 0, (ulong)step, (ulong)first, (ulong)rows);

    public static ulong Forward(int stage, ulong input, ReadOnlySpan<ulong> weights) => Hash.Of(2, (ulong)stage, input, Hash.Of(weights));

    public static ulong Signal(ulong output, ulong target, double rowWeight) => Hash.Of(4, output, target, Hash.Bits(rowWeight));

    public static LossResult Loss(ulong output, ulong target, int rows) => new((Hash.Of(41, output, target) % 1000) / 8.0, rows / 2, rows);

    public static ulong Below(ulong signal, ulong output, ReadOnlySpan<ulong> weights) => Hash.Of(5, signal, output, Hash.Of(weights));

    public static ulong Gradient(ulong before, int slice, ulong signal, ulong input) => Hash.Of(51, before, (ulong)slice, signal, input);

    public static (ulong Encoded, ulong Residual) Compress(ulong gradient, ulong residual) =>
        (Hash.Of(6, gradient, residual), Hash.Of(7, gradient, residual));

    public static (ulong Weights, ulong State) Apply(ulong weights, ulong state, ReadOnlySpan<ulong> gradients, double rate, double scale, long update)
    {
        ulong all = Hash.Of(gradients);
        return (
            Hash.Of(8, weights, all, Hash.Bits(rate), Hash.Bits(scale), (ulong)update),
            Hash.Of(9, state, all, Hash.Bits(scale)));
    }

    public static ulong Partials(ReadOnlySpan<ulong> gradients) => Hash.Of(10, Hash.Of(gradients));

    public static double Scale(ReadOnlySpan<ulong> partials) => 1.0 / (1 + (Hash.Of(partials) % 7));

    public static ulong Initial(int slice) => Hash.Of(11, (ulong)slice);

    /// <summary>Runs a job; what is wrong, or null.</summary>
    public string? Run(Job job)
    {
        switch (job)
        {
            case LoadBatchJob load:
                load.Outputs[0] = pool.Take(Load(load.Split, load.Targets, load.Training ? load.Step : 0, load.FirstRow, load.Rows));
                return null;
            case ForwardJob forward:
                Expect(
                    forward.Training || !plan.Asynchronous || forward.Inputs.Skip(1).All(HoldsEverybodysContributions),
                    "An evaluation has the weights that hold everybody's contributions to its epoch.");
                ulong output = Forward(forward.Stage, pool.Value(forward.Inputs[0]), Values(forward.Inputs.AsSpan(1)));
                forward.Outputs[0] = pool.Take(output);
                forward.Outputs[1] = pool.Take(Hash.Of(3, output));
                forward.NonFiniteLayer = forward.Training && forward.Step == DivergingStep ? forward.Stage : -1;
                return null;
            case LossJob loss:
                (ulong result, ulong target) = (pool.Value(loss.Inputs[0]), pool.Value(loss.Inputs[2]));
                Expect(pool.Value(loss.Inputs[1]) == Hash.Of(3, result), "The stash belongs to the output.");
                LossResult finite = Loss(result, target, loss.Rows);
                loss.Result = loss.Training && loss.Step == DivergingStep ? finite with { LossSum = double.NaN } : finite;
                loss.Outputs[0] = loss.Training ? pool.Take(Signal(result, target, loss.RowWeight)) : BufferHandle.None;
                return null;
            case BackwardJob backward:
                Backward(backward);
                return null;
            case GradientJob gradient:
                Expect(gradient.Outputs.All(slice => pool.AppliedIn(slice)!.MicroBatches == gradient.MicroBatch + 1), "Gradients are multiplied out behind the micro-batch's own pass.");
                return null;
            case CompressJob compress:
                Compress(compress);
                return null;
            case ApplyJob apply:
                Apply(apply);
                return null;
            case PartialsJob partials:
                partials.Outputs[0] = pool.Take(Partials(Values(partials.Inputs)));
                return null;
            case DecideJob decide:
                decide.GradientScale = Scale(Values(decide.Inputs));
                return null;
            case SnapshotJob snapshot:
                Snapshot(snapshot);
                return null;
            case RestoreJob restore:
                return Restore(restore);
            default:
                throw new InvalidOperationException($"Unknown job {job}.");
        }
    }

    private static void Expect(bool holds, string rule)
    {
        if (!holds)
        {
            throw new InvalidOperationException(rule);
        }
    }

    private ulong[] Values(ReadOnlySpan<BufferHandle> handles)
    {
        ulong[] values = new ulong[handles.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = pool.Value(handles[i]);
        }

        return values;
    }

    private void Backward(BackwardJob job)
    {
        (ulong input, ulong output, ulong signal) = (pool.Value(job.Inputs[0]), pool.Value(job.Inputs[1]), pool.Value(job.Inputs[3]));
        ulong[] weights = Values(job.Inputs.AsSpan(4));
        Expect(pool.Value(job.Inputs[2]) == Hash.Of(3, output), "The stash belongs to the output.");
        Expect(output == Forward(job.Stage, input, weights), "A backward pass has the weights of its forward pass.");
        job.Outputs[0] = job.Stage == 0 ? BufferHandle.None : pool.Take(Below(signal, output, weights));
        for (int position = 0; position < plan.Stages[job.Stage].Slices.Count; position++)
        {
            int slice = plan.Stages[job.Stage].Slices[position];
            ref BufferHandle gradient = ref job.Outputs[1 + position];
            if (gradient.IsNone)
            {
                gradient = pool.Take(Gradient(0, slice, signal, input), new Applied(null, job.Replica, job.Step, 1));
                continue;
            }

            Applied so_far = pool.AppliedIn(gradient)!;
            Expect(so_far.Step == job.Step && so_far.Replica == job.Replica, "A gradient is added to its own step's.");
            pool.Write(gradient, Gradient(pool.Value(gradient), slice, signal, input), so_far with { MicroBatches = so_far.MicroBatches + 1 });
        }
    }

    private void Compress(CompressJob job)
    {
        (ulong encoded, ulong residual) = Compress(pool.Value(job.Inputs[0]), pool.Value(job.Inputs[1]));
        Applied gradient = pool.AppliedIn(job.Inputs[0])!;
        long residualStep = job.Inputs[1].IsNone ? 0 : pool.AppliedIn(job.Inputs[1])!.Step;
        job.Outputs[0] = pool.Take(encoded, gradient with { ResidualStep = residualStep });
        job.Outputs[1] = plan.CarriesResidual ? pool.Take(residual, new Applied(null, job.Replica, job.Step, 0)) : BufferHandle.None;
    }

    private void Apply(ApplyJob job)
    {
        Applied? applied = pool.AppliedIn(job.Inputs[0]);
        for (int i = 2; i < job.Inputs.Length; i++)
        {
            Applied gradient = pool.AppliedIn(job.Inputs[i])!;
            Expect(gradient.MicroBatches == plan.Settings.Training.MicroBatches, "A contribution has every micro-batch once.");
            Expect(gradient.Step == job.Step, "A contribution is applied to its own step.");
            Expect(plan.Asynchronous || gradient.Replica == i - 2, "Contributions come in replica order.");
            Expect(!plan.CarriesResidual || gradient.ResidualStep == job.Step - 1, "A residual is that of the contribution applied before.");
            Expect(!plan.Asynchronous || job.Step - 1 - AppliedByAll(applied) <= plan.StalenessStepsMax, "Staleness stays within its bound.");
            applied = gradient with { Before = applied };
        }

        (ulong weights, ulong state) = Apply(
            pool.Value(job.Inputs[0]), pool.Value(job.Inputs[1]), Values(job.Inputs.AsSpan(2)), job.LearningRate, job.GradientScale, job.Update);
        (job.Outputs[0], job.Outputs[1]) = (pool.Take(weights, applied), pool.Take(state));
    }

    // A shard that survived while another went back to a snapshot may hold later ones too.
    private bool HoldsEverybodysContributions(BufferHandle weights) => AppliedByAll(pool.AppliedIn(weights)) >= CommittedStep;

    private long AppliedByAll(Applied? applied) => LastSteps(applied).Min();

    private long[] LastSteps(Applied? applied)
    {
        long[] steps = new long[plan.Settings.Replicas];
        for (Applied? one = applied; one is not null; one = one.Before)
        {
            steps[one.Replica] = Math.Max(steps[one.Replica], one.Step);
        }

        return steps;
    }

    private void Snapshot(SnapshotJob job)
    {
        KeptSlice state = new(
            pool.Value(job.Inputs[0]), pool.Value(job.Inputs[1]), Values(job.Inputs.AsSpan(2)), [.. job.AppliedSteps], job.Updates, pool.AppliedIn(job.Inputs[0]));
        if (plan.Method.Synchronous && !plan.Asynchronous && Kept.TryGetValue((job.Step, job.Slice), out KeptSlice? before))
        {
            Expect(before.Weights == state.Weights && before.Optimizer == state.Optimizer && before.Carried.SequenceEqual(state.Carried),
                $"Step {job.Step} computed again has the same bits.");
        }

        Kept[(job.Step, job.Slice)] = state;
    }

    private string? Restore(RestoreJob job)
    {
        if (job.Step == 0)
        {
            (job.Outputs[0], job.Outputs[1]) = (pool.Take(Initial(job.Slice)), pool.Take(0));
            Array.Clear(job.AppliedSteps);
            job.Updates = 0;
            return null;
        }

        if (!Kept.TryGetValue((job.Step, job.Slice), out KeptSlice? state))
        {
            return $"no snapshot of slice {job.Slice} at step {job.Step}";
        }

        (job.Outputs[0], job.Outputs[1]) = (pool.Take(state.Weights, state.Applied), pool.Take(state.Optimizer));
        for (int replica = 0; replica < state.Carried.Length; replica++)
        {
            Applied after = new(null, replica, plan.Asynchronous ? state.AppliedSteps[replica] : job.Step, 0);
            job.Outputs[2 + replica] = state.Carried[replica] == 0 ? BufferHandle.None : pool.Take(state.Carried[replica], after);
        }

        state.AppliedSteps.CopyTo(job.AppliedSteps, 0);
        job.Updates = state.Updates;
        return null;
    }
}
