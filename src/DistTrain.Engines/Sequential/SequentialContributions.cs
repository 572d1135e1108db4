using System.Numerics;
using DistTrain.Data;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Sequential;

/// <summary>Front contribution the plain way: everything contributed in one loop at the start, expanded in one at the
/// end.</summary>
internal sealed class SequentialContributions<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly FrontContributionPlan _front;
    private readonly FrontArithmetic<T> _arithmetic;
    private readonly ComputeScratch _scratch;
    private readonly IForkJoin? _fork;
    private readonly Tensor<T> _weight, _directions, _basisCoordinates;
    private readonly Tensor<T>[] _outputs, _coordinates;

    /// <param name="front">The plan.</param>
    /// <param name="rows">The data.</param>
    /// <param name="initialize">Fills W₀.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers, or null.</param>
    public SequentialContributions(
        FrontContributionPlan front, TrainTest<T> rows, Action<ParameterSpec, Tensor<T>> initialize, ComputeScratch scratch, IForkJoin? fork = null)
    {
        (_front, _scratch, _fork) = (front, scratch, fork);
        _arithmetic = new FrontArithmetic<T>(front, RunData.From(rows));
        _weight = new Tensor<T>(front.Outputs, front.Inputs);
        initialize(front.Weight, _weight);
        _directions = new Tensor<T>(front.HasBasis ? front.Features : 0, front.Inputs);
        _basisCoordinates = new Tensor<T>(front.HasBasis ? rows.Train.Rows : 0, front.Features);
        int[] counts = [rows.Train.Rows, rows.Test?.Rows ?? 0];
        _outputs = [.. counts.Select(count => new Tensor<T>(count, front.Outputs))];
        _coordinates = [.. counts.Select(count => new Tensor<T>(count, front.Features))];
        if (front.HasBasis)
        {
            _arithmetic.Basis(_basisCoordinates.View, _directions.View, scratch, fork);
        }

        foreach (ContributionTilePlan tile in front.Tiles)
        {
            for (int share = 0; share < front.Shares; share++)
            {
                Contribute(tile, share);
            }
        }
    }

    private TensorView<T> Directions => _front.HasBasis ? _directions.View : default;

    /// <summary>Writes the contributed layer's input for some rows.</summary>
    public void CopyInputs(DataSplit split, ReadOnlySpan<int> indices, TensorView<T> input) =>
        _arithmetic.Gather(_outputs[(int)split].View, _coordinates[(int)split].View, indices, input);

    /// <summary>W, or its velocity from the velocities of Θ and c.</summary>
    public void Expand(TensorView<T> theta, T scale, TensorView<T> result)
    {
        for (int share = 0; share < _front.Shares; share++)
        {
            using Tensor<T> columns = new(_front.Outputs, _front.FeaturesOf(share).Count);
            _arithmetic.Expand(share, [new(theta, scale, columns.View)], _weight.View, Directions, _scratch, _fork);
            _arithmetic.Place(share, columns.View, result);
        }
    }

    public void Dispose()
    {
        foreach (Tensor<T> tensor in (Tensor<T>[])[_weight, _directions, _basisCoordinates, .. _outputs, .. _coordinates])
        {
            tensor.Dispose();
        }
    }

    private void Contribute(ContributionTilePlan tile, int share)
    {
        using Tensor<T> outputs = new(tile.Rows, _front.Outputs), coordinates = new(tile.Rows, tile.Columns);
        (TensorView<T>, TensorView<T>) basis = _front.HasBasis ? (_basisCoordinates.View, _directions.View) : default;
        _arithmetic.Contribute(tile, share, _weight.View, basis, outputs.View, coordinates.View, _scratch, _fork);
        FrontArithmetic<T>.Add(
            tile, share > 0, outputs.View, coordinates.View, _outputs[(int)tile.Split].View, _coordinates[(int)tile.Split].View);
    }
}
