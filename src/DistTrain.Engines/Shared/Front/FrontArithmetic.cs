using System.Numerics;
using DistTrain.Data;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Shared.Front;

/// <summary>The arithmetic of front contribution outside of steps, the same for the plain loop and for actors.
/// Thread-safe.</summary>
internal sealed class FrontArithmetic<T>(FrontContributionPlan front, RunData data)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Rows of a split.</summary>
    public int RowsOf(DataSplit split) => split == DataSplit.Train ? data.TrainRows : data.TestRows;

    /// <summary>Computes the basis of the training rows: their coordinates (N × F) and its directions (F × d).</summary>
    public void Basis(TensorView<T> coordinates, TensorView<T> directions, ComputeScratch scratch, IForkJoin? fork)
    {
        using ShareRows<T> own = Share(DataSplit.Train, 0);
        RowBasis.Compute(own, coordinates, directions, scratch, fork);
    }

    /// <summary>What a share contributes for a tile.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="share">The share.</param>
    /// <param name="weight">W₀ of all features: h′ × d.</param>
    /// <param name="basis">The training rows' coordinates and the directions of the basis; none where there is none.</param>
    /// <param name="outputs">Receives S₀: rows × h′.</param>
    /// <param name="coordinates">Receives Φ: rows × the tile's columns.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers, or null.</param>
    public void Contribute(
        ContributionTilePlan tile, int share, TensorView<T> weight, (TensorView<T> Coordinates, TensorView<T> Directions) basis,
        TensorView<T> outputs, TensorView<T> coordinates, ComputeScratch scratch, IForkJoin? fork)
    {
        long mark = scratch.Mark;
        using ShareRows<T> own = Share(tile.Split, share);
        ContributionTile.FirstOutputs(own, tile.First, ColumnsOf(weight, share, scratch), outputs, scratch, fork);
        if (front.Form == ContributionForm.Gram)
        {
            using ShareRows<T> training = Share(DataSplit.Train, share);
            ContributionTile.Gram(own, tile.First, training, coordinates, tile.Symmetric, scratch, fork);
        }
        else if (tile.Split == DataSplit.Train && !basis.Coordinates.IsNone)
        {
            basis.Coordinates.Slice(tile.First * front.Features, tile.Rows, front.Features).Span.CopyTo(coordinates.Span);
        }
        else
        {
            ContributionTile.InBasis(own, tile.First, basis.Directions, coordinates, scratch, fork);
        }

        scratch.Release(mark);
    }

    /// <summary>Adds a share's part of a tile to the contributions of its split: outputs (all rows × h′) and coordinates
    /// (all rows × F).</summary>
    public static void Add(
        ContributionTilePlan tile, bool add, TensorView<T> tileOutputs, TensorView<T> tileCoordinates, TensorView<T> outputs, TensorView<T> coordinates)
    {
        ContributionTile.Add(tileOutputs, tile.First, outputs, add, symmetric: false);
        ContributionTile.Add(tileCoordinates, tile.First, coordinates, add, tile.Symmetric);
    }

    /// <summary>Writes the contributed layer's input for some rows.</summary>
    public void Gather(TensorView<T> outputs, TensorView<T> coordinates, ReadOnlySpan<int> indices, TensorView<T> input)
    {
        int features = front.Features, width = front.Outputs, count = indices.Length;
        TensorView<T> phi = input.Slice(0, count, features), s = input.Slice(count * features, count, width);
        Span<T> numbers = input.Slice(count * (features + width), 1, count).Span;
        for (int row = 0; row < count; row++)
        {
            coordinates.Row(indices[row]).CopyTo(phi.Row(row));
            outputs.Row(indices[row]).CopyTo(s.Row(row));
            numbers[row] = T.CreateChecked(indices[row]);
        }
    }

    /// <summary>Writes a share's columns of scale·W₀ + Θᵀ E for each part: the weights, and their velocity from the
    /// velocities of Θ and c.</summary>
    public void Expand(
        int share, ReadOnlySpan<ExpansionPart<T>> parts, TensorView<T> weight, TensorView<T> directions, ComputeScratch scratch, IForkJoin? fork)
    {
        long mark = scratch.Mark;
        using ShareRows<T>? inputs = front.Form == ContributionForm.Gram ? Share(DataSplit.Train, share) : null;
        IInputRows<T>? rowsOfE = front.HasBasis ? new MatrixRows<T>(directions) : inputs;
        Expansion.Write(parts, ColumnsOf(weight, share, scratch), rowsOfE, scratch, fork);
        scratch.Release(mark);
    }

    /// <summary>Puts a share's columns (h′ × its features) in their place in the whole (h′ × d).</summary>
    public void Place(int share, TensorView<T> columns, TensorView<T> whole)
    {
        int start = front.FeaturesOf(share).Start;
        for (int row = 0; row < columns.Rows; row++)
        {
            columns.Row(row).CopyTo(whole.Row(row)[start..]);
        }
    }

    private DataSet<T> Of(DataSplit split) => split == DataSplit.Train ? data.As<T>().Train : data.As<T>().Test!;

    private ShareRows<T> Share(DataSplit split, int share) => new(Of(split), front.FeaturesOf(share));

    private TensorView<T> ColumnsOf(TensorView<T> weight, int share, ComputeScratch scratch)
    {
        (int start, int count) = front.FeaturesOf(share);
        if (count == weight.Columns)
        {
            return weight;
        }

        TensorView<T> columns = scratch.Take<T>(weight.Rows, count);
        for (int row = 0; row < weight.Rows; row++)
        {
            weight.Row(row).Slice(start, count).CopyTo(columns.Row(row));
        }

        return columns;
    }
}
