using System.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>The function after a dense layer's W x + b, with its derivative. Immutable; threads share it.</summary>
internal abstract class Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether the backward pass needs the pre-activation s; if not, s and y may share memory.</summary>
    public virtual bool NeedsPreActivation => false;

    /// <summary>Whether the function is the identity, so that signal and delta are the same.</summary>
    public virtual bool IsIdentity => false;

    /// <summary>y = f(s); the same memory unless <see cref="NeedsPreActivation"/>.</summary>
    /// <param name="s">Rows × units.</param>
    /// <param name="y">Rows × units.</param>
    /// <param name="slope">The learned slope, one value; empty for functions without one.</param>
    /// <param name="scratch">Working memory.</param>
    public abstract void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch);

    /// <summary>delta = d(loss)/ds from signal = d(loss)/dy.</summary>
    public abstract void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta);

    /// <summary>
    /// d(loss)/d(slope), elements added in index order within a row and then by row; 0 for functions without one.
    /// </summary>
    public virtual double SlopeGradient(TensorView<T> s, TensorView<T> signal) => 0;

    /// <summary>Writes the gradient of the slope, one value, or adds to it.</summary>
    public void AddSlopeGradient(TensorView<T> s, TensorView<T> signal, TensorView<T> gradient, bool accumulate)
    {
        T sum = T.CreateTruncating(SlopeGradient(s, signal));
        gradient.Span[0] = accumulate ? gradient.Span[0] + sum : sum;
    }

    /// <summary>The activation that a dense layer asks for.</summary>
    public static Activation<T> For(DenseSpec spec) => spec.Activation switch
    {
        ActivationKind.Linear => new LinearActivation<T>(),
        ActivationKind.Relu => new ReluActivation<T>(),
        ActivationKind.LeakyRelu => new LeakyReluActivation<T>(spec.Slope ?? 0.01),
        ActivationKind.Prelu => new PreluActivation<T>(),
        ActivationKind.Elu => new EluActivation<T>(),
        ActivationKind.Tanh => new TanhActivation<T>(),
        ActivationKind.Sigmoid => new SigmoidActivation<T>(),
        ActivationKind.Softmax => new SoftmaxActivation<T>(),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Activation, "Unknown activation."),
    };
}
