using System.Numerics;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>What an update rule needs of the step, in the precision of the parameter.</summary>
/// <param name="LearningRate">η.</param>
/// <param name="StepSize">The factor of the direction, where it is not η: η over the first moment's bias correction.</param>
/// <param name="RootCorrection">√ of the second moment's bias correction.</param>
/// <param name="Keep">Factor of the weights under decoupled decay.</param>
internal readonly record struct Coefficients<T>(T LearningRate, T StepSize, T RootCorrection, T Keep);

/// <summary>One block of a parameter, with its gradient (which the rule may overwrite) and a vector of working memory.</summary>
internal readonly ref struct UpdateBlock<T>
{
    public ReadOnlySpan<T> Weights { get; init; }

    public ReadOnlySpan<T> State0 { get; init; }

    public ReadOnlySpan<T> State1 { get; init; }

    public Span<T> NextWeights { get; init; }

    public Span<T> NextState0 { get; init; }

    public Span<T> NextState1 { get; init; }

    public Span<T> Gradient { get; init; }

    public Span<T> Work { get; init; }
}

/// <summary>An optimizer's arithmetic on one block. A present vector and its next one may be the same memory.</summary>
internal abstract class UpdateRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Elements in a block: eight vectors of a block of doubles fill 32 KB.</summary>
    public const int BlockLength = 512;

    /// <summary>State vectors, at most 2.</summary>
    public abstract int StateCount { get; }

    /// <summary>The rule of a specification.</summary>
    public static UpdateRule<T> For(OptimizerSpec spec) => spec.Kind switch
    {
        OptimizerKind.Sgd => new SgdRule<T>(spec),
        OptimizerKind.Adam or OptimizerKind.AdamW => new AdamRule<T>(spec),
        OptimizerKind.RmsProp => new RmsPropRule<T>(spec),
        OptimizerKind.AdaGrad => new AdaGradRule<T>(spec),
        OptimizerKind.AdaDelta => new AdaDeltaRule<T>(spec),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Kind, "Unknown optimizer."),
    };

    /// <summary>The coefficients of update <paramref name="update"/>, from 1.</summary>
    public virtual Coefficients<T> At(double learningRate, long update)
    {
        T rate = T.CreateChecked(learningRate);
        return new Coefficients<T>(rate, rate, T.One, T.One);
    }

    /// <summary>Writes the next weights and state of a parameter from <paramref name="first"/> to <paramref name="end"/> in one pass, with the bits of
    /// <see cref="Update"/>; false where the rule has no such way.</summary>
    public virtual bool TryUpdatePart(
        ReadOnlySpan<T> weights, ReadOnlySpan<T> gradient, T gradientScale, ReadOnlySpan<T> state, Span<T> nextWeights, Span<T> nextState,
        in Coefficients<T> c, int first, int end, out bool finite)
    {
        finite = false;
        return false;
    }

    /// <summary>Writes the next weights and state.</summary>
    public abstract void Update(in UpdateBlock<T> block, in Coefficients<T> c);
}
