using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers.Activations;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// A stage of dense layers so small that calling kernels would take longer than computing: the same passes as loops over all rows, with the bits of
/// <see cref="Gemm"/> and <see cref="Elementwise"/>, whose definitions these loops are.
/// </summary>
internal sealed unsafe class SmallStage<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly DenseParts<T>[] _layers;
    private readonly int _rowsMax, _widest;

    private SmallStage(DenseParts<T>[] layers)
    {
        _layers = layers;
        _rowsMax = Gemm.TinyProduct / layers.Max(layer => layer.Inputs * layer.Outputs);
        _widest = layers.Max(layer => layer.Outputs);
    }

    /// <summary>The stage, or null where a layer is of another kind or too large for a batch of any size.</summary>
    public static SmallStage<T>? Of(Layer<T>[] layers)
    {
        DenseParts<T>?[] parts = [.. layers.Select(layer => (layer as DenseLayer<T>)?.Parts)];
        return parts.All(part => part is not null && (long)part.Inputs * part.Outputs <= Gemm.TinyProduct) ? new SmallStage<T>(parts!) : null;
    }

    /// <summary>Whether so many rows are few enough.</summary>
    public bool Serves(int rows) => rows <= _rowsMax;

    /// <summary>As <see cref="StageProgram{T}.Forward"/>, whose checks are behind it.</summary>
    public int Forward(in StagePass<T> pass)
    {
        ReadOnlySpan<TensorView<T>> parameters = pass.Parameters;
        int rows = pass.Input.Rows, notFinite = -1;
        T* x = pass.Input.Pointer, free = pass.Stash.Pointer;
        for (int i = 0; i < _layers.Length; i++)
        {
            DenseParts<T> layer = _layers[i];
            int length = rows * layer.Outputs, room = StageProgram<T>.Aligned(length);
            T* kept = free;
            free += layer.KeepsPreActivation ? room : 0;
            T* y = i == _layers.Length - 1 ? pass.Output.Pointer : free;
            free += i == _layers.Length - 1 ? 0 : room;
            T* s = layer.KeepsPreActivation ? kept : y;
            bool finite = Product(
                x, parameters[layer.Weight].Pointer, layer.Bias < 0 ? null : parameters[layer.Bias].Pointer, s, rows, layer.Inputs, layer.Outputs);
            if (s != y || !layer.IsIdentity)
            {
                TensorView<T> slope = layer.Slope < 0 ? default : parameters[layer.Slope];
                layer.Activation.Forward(
                    new TensorView<T>(s, rows, layer.Outputs), new TensorView<T>(y, rows, layer.Outputs), slope.Span, pass.Scratch);
                finite = TensorPrimitives.IsFiniteAll<T>(new ReadOnlySpan<T>(y, length));
            }

            notFinite = notFinite >= 0 || finite ? notFinite : layer.Index;
            x = y;
        }

        return notFinite;
    }

    /// <summary>As <see cref="StageProgram{T}.BackwardWith"/>, whose checks are behind it.</summary>
    public void Backward(in StagePass<T> pass, ReadOnlySpan<TensorView<T>> feedback, in StageSignals<T> signals, int stashLength)
    {
        ReadOnlySpan<TensorView<T>> parameters = pass.Parameters, gradients = signals.Gradients;
        bool accumulate = signals.Accumulate;
        int rows = pass.Input.Rows, room = StageProgram<T>.Aligned(rows * _widest);
        long mark = pass.Scratch.Mark;
        T* work = pass.Scratch.Take<T>(3, room).Pointer, delta = work, below = work + room, other = below + room;
        T* y = pass.Output.Pointer, end = pass.Stash.Pointer + stashLength, above = signals.Signal.Pointer;
        for (int i = _layers.Length - 1; i >= 0; i--)
        {
            DenseParts<T> layer = _layers[i];
            int length = StageProgram<T>.Aligned(rows * layer.Outputs);
            end -= i == _layers.Length - 1 ? 0 : length;
            end -= layer.KeepsPreActivation ? length : 0;
            T* s = layer.KeepsPreActivation ? end : y;
            T* x = i == 0 ? pass.Input.Pointer : end - StageProgram<T>.Aligned(rows * layer.Inputs);
            T* ds = above;
            if (!layer.Fused && !layer.IsIdentity)
            {
                Differentiate(layer, parameters, gradients, accumulate, new(s, rows, layer.Outputs), new(y, rows, layer.Outputs), new(above, rows, layer.Outputs), delta);
                ds = delta;
            }

            Gradients(ds, x, gradients[layer.Weight].Pointer, layer.Bias < 0 ? null : gradients[layer.Bias].Pointer, rows, layer.Inputs, layer.Outputs, accumulate);
            T* target = i == 0 ? signals.InputSignal.Pointer : below;
            if (target != null)
            {
                TensorView<T> weight = feedback[layer.Weight];
                if (weight.IsNone)
                {
                    throw new ArgumentException($"The signal of layer {layer.Index} has no weight to pass through.");
                }

                Signal(ds, weight.Pointer, target, rows, layer.Inputs, layer.Outputs);
            }

            y = x;
            above = below;
            below = other;
            other = above;
        }

        pass.Scratch.Release(mark);
    }

    private static void Differentiate(
        DenseParts<T> layer, ReadOnlySpan<TensorView<T>> parameters, ReadOnlySpan<TensorView<T>> gradients, bool accumulate, TensorView<T> s, TensorView<T> y,
        TensorView<T> signal, T* delta)
    {
        TensorView<T> slope = layer.Slope < 0 ? default : parameters[layer.Slope];
        layer.Activation.Backward(s, y, slope.Span, signal, new TensorView<T>(delta, y.Rows, y.Columns));
        if (layer.Slope >= 0)
        {
            layer.Activation.AddSlopeGradient(s, signal, gradients[layer.Slope], accumulate);
        }
    }

    /// <summary>s = x Wᵀ + b; whether all of it is finite, looked at here because reading values as a vector that were just written one by one takes longer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Product(T* x, T* w, T* b, T* s, int rows, int inputs, int outputs)
    {
        bool finite = true;
        for (int row = 0; row < rows; row++, x += inputs)
        {
            for (int j = 0; j < outputs; j++, s++)
            {
                T sum = GemmReference.Dot(x, 1, w + (j * inputs), 1, inputs);
                sum = b == null ? sum : sum + b[j];
                finite &= T.IsFinite(sum);
                *s = sum;
            }
        }

        return finite;
    }

    /// <summary>The gradients of W and b, added by row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Gradients(T* delta, T* x, T* weight, T* bias, int rows, int inputs, int outputs, bool accumulate)
    {
        for (int j = 0; j < outputs; j++)
        {
            for (int p = 0; p < inputs; p++, weight++)
            {
                T sum = GemmReference.Dot(delta + j, outputs, x + p, inputs, rows);
                *weight = accumulate ? *weight + sum : sum;
            }

            if (bias != null)
            {
                T sum = T.Zero;
                T* d = delta + j;
                for (int row = 0; row < rows; row++, d += outputs)
                {
                    sum += *d;
                }

                bias[j] = accumulate ? bias[j] + sum : sum;
            }
        }
    }

    /// <summary>d(loss)/dx = delta W.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Signal(T* delta, T* w, T* below, int rows, int inputs, int outputs)
    {
        for (int row = 0; row < rows; row++, delta += outputs)
        {
            for (int p = 0; p < inputs; p++, below++)
            {
                *below = GemmReference.Dot(delta, 1, w + p, inputs, outputs);
            }
        }
    }
}
