using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>A small network with a loss that is used in one go, its outputs and stash in the scratch.</summary>
internal sealed class AuxiliaryProgram<T>(NetworkSpec network, LossKind loss)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly StageProgram<T> _program = new(network, 0, network.Layers.Count, loss);

    // No auxiliary network has a layer that asks for more than the mode.
    private static readonly PassContext Context = new(0, 0, 0, Training: true);

    public int InputWidth => _program.InputWidth;

    public int OutputWidth => _program.OutputWidth;

    public int ParameterCount => _program.Parameters.Count;

    /// <summary>Writes the output.</summary>
    public void Forward(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> input, TensorView<T> output, ComputeScratch scratch,
        IForkJoin? fork)
    {
        long mark = scratch.Mark;
        _program.Forward(new StagePass<T>(parameters, input, output, TakeStash(input.Rows, scratch), Context, scratch, fork));
        scratch.Release(mark);
    }

    /// <summary>The loss; its gradients unless there are none to write; and, if asked, the signal for the input.</summary>
    public LossResult Learn(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> input, TensorView<T> target, TensorView<T> inputSignal,
        ReadOnlySpan<TensorView<T>> gradients, bool accumulate, double rowWeight, ComputeScratch scratch, IForkJoin? fork)
    {
        int rows = input.Rows;
        long mark = scratch.Mark;
        TensorView<T> output = scratch.Take<T>(rows, OutputWidth), stash = TakeStash(rows, scratch);
        TensorView<T> signal = gradients.IsEmpty ? default : scratch.Take<T>(rows, OutputWidth);
        StagePass<T> pass = new(parameters, input, output, stash, Context, scratch, fork);
        _program.Forward(pass);
        LossResult result = _program.Loss(output, stash, target, signal, rowWeight, scratch);
        if (!gradients.IsEmpty)
        {
            _program.Backward(pass, new StageSignals<T>(signal, inputSignal, gradients, accumulate));
        }

        scratch.Release(mark);
        return result;
    }

    private TensorView<T> TakeStash(int rows, ComputeScratch scratch) => scratch.Take<T>(1, _program.StashLength(rows));
}
