using System.Numerics;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>What an update rule needs of the step, in the precision of the parameter.</summary>
/// <param name="LearningRate">η.</param>
/// <param name="StepSize">The factor of the direction, where it is not η: η over the first moment's bias correction.</param>
/// <param name="RootCorrection">√ of the second moment's bias correction.</param>
/// <param name="Keep">Factor of the weights under decoupled decay.</param>
internal readonly record struct Coefficients<T>(T LearningRate, T StepSize, T RootCorrection, T Keep);

/// <summary>A parameter before and after an update. A present array and its next one may be the same memory.</summary>
internal readonly ref struct UpdateArrays<T>
{
    public ReadOnlySpan<T> Weights { get; init; }

    public ReadOnlySpan<T> Gradient { get; init; }

    /// <summary>Which of the parameter's values <see cref="Gradient"/> begins with: 0, or the first of a block that has its gradient by itself.</summary>
    public int GradientFirst { get; init; }

    /// <summary>In place of <see cref="Gradient"/>, where each row of the parameter has its gradient: pointers to so many values of it, a row each; else empty.</summary>
    public ReadOnlySpan<nint> GradientRows { get; init; }

    /// <summary>In place of <see cref="Gradient"/>, where it is a sum: pointers to what is added in this order, each of the parameter's length; else empty.</summary>
    public ReadOnlySpan<nint> Summands { get; init; }

    /// <summary>Columns of the parameter, where each row has its gradient.</summary>
    public int Columns { get; init; }

    /// <summary>Factor of the gradient before everything else.</summary>
    public T GradientScale { get; init; }

    /// <summary>The rule's state vectors of the parameter's length, one after the other.</summary>
    public ReadOnlySpan<T> State { get; init; }

    public Span<T> NextWeights { get; init; }

    public Span<T> NextState { get; init; }
}

/// <summary>An optimizer's arithmetic, element by element.</summary>
internal abstract class UpdateRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
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

    /// <summary>Whether it takes gradients row by row.</summary>
    public virtual bool TakesRows => false;

    /// <summary>Writes the next weights and state from <paramref name="first"/> to <paramref name="end"/>.</summary>
    /// <returns>Whether these weights are finite.</returns>
    public abstract bool Apply(in UpdateArrays<T> arrays, in Coefficients<T> c, int first, int end);
}
