using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Sequential;

/// <summary>A batch at one stage: what its forward pass made, and the signal for it.</summary>
internal sealed class SequentialBatch<T>(SequentialMemory<T> memory, StageProgram<T> program, int rows, long step, int firstSample)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public long Step => step;

    public int Rows => rows;

    public Tensor<T>? Input { get; set; }

    public Tensor<T> Output { get; } = memory.Take(rows, program.OutputWidth);

    public Tensor<T> Stash { get; } = memory.Take(1, program.StashLength(rows));

    public Tensor<T>? Target { get; set; }

    /// <summary>What the stage's backward pass starts from.</summary>
    public Tensor<T>? Signal { get; set; }

    /// <summary>What the stage behind made of the batch, for a predictor to learn.</summary>
    public Tensor<T>? TrueSignal { get; set; }

    /// <summary>Weights that a later backward pass uses; null for today's.</summary>
    public TensorView<T>[]? Weights { get; private set; }

    public PassContext Context(RunPlan plan) => new(plan.Settings.Seed, step - 1, firstSample, Training: true);

    public void KeepWeights(TensorView<T>[] weights)
    {
        Weights = new TensorView<T>[weights.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            Weights[i] = memory.Take(weights[i].Rows, weights[i].Columns).View;
            weights[i].Span.CopyTo(Weights[i].Span);
        }
    }
}

/// <summary>Batches of earlier steps that a stage still needs.</summary>
internal sealed class SequentialHistory<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly List<SequentialBatch<T>> _batches = [];

    public void Add(SequentialBatch<T> batch) => _batches.Add(batch);

    public SequentialBatch<T>? At(long step) => _batches.Find(batch => batch.Step == step);

    /// <summary>The batch of a step, and no longer kept after this.</summary>
    public SequentialBatch<T>? Take(long step)
    {
        SequentialBatch<T>? batch = At(step);
        _batches.RemoveAll(kept => kept.Step <= step);
        return batch;
    }
}

/// <summary>Memory of the steps at hand: what a step takes goes back once no later step can need it.</summary>
internal sealed class SequentialMemory<T>(int stepsKept) : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Queue<(long Step, Tensor<T> Tensor)> _taken = new();
    private long _step;

    public void Begin(long step)
    {
        _step = step;
        while (_taken.TryPeek(out (long Step, Tensor<T> Tensor) oldest) && oldest.Step < step - stepsKept)
        {
            _taken.Dequeue().Tensor.Dispose();
        }
    }

    public Tensor<T> Take(int rows, int columns)
    {
        Tensor<T> tensor = new(rows, columns);
        _taken.Enqueue((_step, tensor));
        return tensor;
    }

    public void Dispose()
    {
        while (_taken.TryDequeue(out (long Step, Tensor<T> Tensor) taken))
        {
            taken.Tensor.Dispose();
        }
    }
}
