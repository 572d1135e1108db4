using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Gradients of a stage's large weights that are multiplied out for several micro-batches at a time. A micro-batch of few rows adds little to each value of a gradient, and the whole
/// gradient goes through the caches for it. So backward passes leave its factors, the rows' inputs and deltas, in room behind the gradient, and every so many rows these are multiplied
/// out, in parts of a micro-batch each, which are added in order: the bits are the same.
/// </summary>
internal sealed class CollectedGradients<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Of a cache line, so that no operand begins within another's.
    private const int Alignment = 16;

    private readonly RunPlan _plan;
    private readonly int[] _slices;
    private readonly long[] _offsets, _room;

    private CollectedGradients(RunPlan plan, StageProgram<T> program, SliceLayout layout, int slices)
    {
        (_plan, Program) = (plan, program);
        _room = new long[slices];
        (_slices, _offsets) = (new int[program.Parameters.Count], new long[program.Parameters.Count]);
        for (int i = 0; i < _slices.Length; i++)
        {
            int length = program.Parameters[i].FactoredRows > 0 ? program.Parameters[i].GradientLength : 0;
            (_slices[i], _offsets[i]) = (layout.SliceOf(i), _room[layout.SliceOf(i)]);
            _room[_slices[i]] += (length + Alignment - 1) / Alignment * Alignment;
        }
    }

    /// <summary>The stage's passes, whose gradients of large weights are factors.</summary>
    public StageProgram<T> Program { get; }

    /// <summary>Values of the room that the gradient of each of the stage's slices needs behind it.</summary>
    public ReadOnlySpan<long> Room => _room;

    /// <summary>What a stage collects; null for nothing, because its micro-batches have many rows or its weights are small.</summary>
    public static CollectedGradients<T>? Of(RunPlan plan, StagePlan stage, SliceLayout layout)
    {
        if (!stage.Parameters.Any(plan.IsCollected))
        {
            return null;
        }

        StageProgram<T> program = new(
            plan.Network, stage.FirstLayer, stage.LayerCount, plan.IsLastStage(stage.Index) ? plan.Settings.Loss : null, plan.CollectedRows);
        return new CollectedGradients<T>(plan, program, layout, stage.Slices.Count);
    }

    /// <summary>Puts the factors in the place of the gradients that are multiplied out later.</summary>
    /// <param name="pool">The buffers.</param>
    /// <param name="slices">The gradients' buffers.</param>
    /// <param name="gradients">Of the stage's tensors.</param>
    public void Replace(BufferPool pool, ReadOnlySpan<BufferHandle> slices, Span<TensorView<T>> gradients)
    {
        for (int i = 0; i < gradients.Length; i++)
        {
            ParameterSpec parameter = Program.Parameters[i];
            if (parameter.FactoredRows > 0)
            {
                gradients[i] = pool.Room<T>(slices[_slices[i]], _offsets[i], parameter.GradientLength);
            }
        }
    }

    /// <summary>Multiplies out what passes have left.</summary>
    /// <param name="job">Says for which micro-batches.</param>
    /// <param name="factors">What <see cref="Replace"/> made of the gradients.</param>
    /// <param name="gradients">The gradients.</param>
    /// <param name="fork">Threads.</param>
    public void MultiplyOut(GradientJob job, ReadOnlySpan<TensorView<T>> factors, ReadOnlySpan<TensorView<T>> gradients, IForkJoin fork)
    {
        int first = job.MicroBatch + 1 - job.MicroBatches;
        Span<int> rows = stackalloc int[job.MicroBatches];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = _plan.RowsOf(job.Step, job.Replica, first + i).Count;
        }

        Program.MultiplyOut(factors, gradients, rows, accumulate: first > 0, fork);
    }
}
