using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// What a stage's forward pass works on, and its backward pass again: handed on by reference, for a copy of what was just written in parts takes longer than many a small stage's
/// arithmetic.
/// </summary>
/// <param name="parameters">As <see cref="StageProgram{T}.Parameters"/> lists them.</param>
/// <param name="input">Rows × <see cref="StageProgram{T}.InputWidth"/>.</param>
/// <param name="output">Rows × <see cref="StageProgram{T}.OutputWidth"/>; the forward pass writes it.</param>
/// <param name="stash">At least <see cref="StageProgram{T}.StashLength"/> values, whose shape does not matter; the forward pass writes it.</param>
/// <param name="context">Seed, step, first sample and mode; dropout masks follow from it.</param>
/// <param name="scratch">The calling thread's.</param>
/// <param name="fork">Helpers for the matrix products; null to work alone. Never changes a bit.</param>
public readonly ref struct StagePass<T>(
    ReadOnlySpan<TensorView<T>> parameters, TensorView<T> input, TensorView<T> output, TensorView<T> stash, scoped in PassContext context, ComputeScratch scratch,
    IForkJoin? fork = null)
    where T : unmanaged
{
    /// <summary>The stage's parameters.</summary>
    public ReadOnlySpan<TensorView<T>> Parameters { get; } = parameters;

    /// <summary>Rows × input width.</summary>
    public TensorView<T> Input { get; } = input;

    /// <summary>Rows × output width.</summary>
    public TensorView<T> Output { get; } = output;

    /// <summary>What lies between input and output.</summary>
    public TensorView<T> Stash { get; } = stash;

    /// <summary>What the pass belongs to.</summary>
    public PassContext Context { get; } = context;

    /// <summary>Working memory.</summary>
    public ComputeScratch Scratch { get; } = scratch ?? throw new ArgumentNullException(nameof(scratch));

    /// <summary>Helpers, or null.</summary>
    public IForkJoin? Fork { get; } = fork;
}
