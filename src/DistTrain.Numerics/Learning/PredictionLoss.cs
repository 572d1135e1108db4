using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>The network's loss behind a classifier of one layer (Mostafa et al. 2018; Nøkland and Eidnes 2019, eq. 3).</summary>
internal sealed class PredictionLoss<T>(NetworkSpec classifier, LossKind loss) : LocalLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AuxiliaryProgram<T> _classifier = new(classifier, loss);

    /// <summary>How many tensors the classifier has.</summary>
    public int ParameterCount => _classifier.ParameterCount;

    /// <inheritdoc/>
    public override LossResult Signal(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> networkInput, TensorView<T> output, TensorView<T> target,
        TensorView<T> signal, ReadOnlySpan<TensorView<T>> gradients, bool accumulate, double rowWeight, ComputeScratch scratch,
        IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        return _classifier.Learn(parameters, output, target, signal, gradients, accumulate, rowWeight, scratch, fork);
    }
}
