using System.Numerics;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared.Front;

/// <summary>The jobs of front contribution.</summary>
internal sealed class FrontJobRunner<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RunPlan _plan;
    private readonly FrontContributionPlan _front;
    private readonly FrontArithmetic<T> _arithmetic;
    private readonly BufferPool _pool;
    private readonly ParameterUpdates<T> _updates;
    private readonly ParameterPlace _theta, _scale;
    private readonly bool _expandsVelocity;

    /// <summary>Runs the jobs of one run.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="front">Its front contribution.</param>
    /// <param name="data">Its rows.</param>
    /// <param name="pool">Its buffers.</param>
    /// <param name="goesOn">As <see cref="RunRequest.GoesOn"/> says: whether the expanded weights have a velocity.</param>
    public FrontJobRunner(RunPlan plan, FrontContributionPlan front, RunData data, BufferPool pool, bool goesOn)
    {
        (_plan, _front, _pool) = (plan, front, pool);
        _arithmetic = new FrontArithmetic<T>(front, data);
        _theta = plan.Parameters.Single(place => ContributedSpec.IsTheta(place.Parameter));
        _scale = plan.Parameters.Single(place => ContributedSpec.IsScale(place.Parameter));
        Optimizer<T> optimizer = new(plan.Settings.Optimizer);
        _updates = new ParameterUpdates<T>(plan, optimizer);
        _expandsVelocity = goesOn && optimizer.StateCount > 0;
    }

    private static unsafe int ValueBytes => sizeof(T);

    public void Run(FrontJob job, ComputeScratch scratch, IForkJoin fork)
    {
        switch (job)
        {
            case BasisJob basis:
                _arithmetic.Basis(Rent(basis, 0, _plan.TrainRows, _front.Features), Rent(basis, 1, _front.Features, _front.Inputs), scratch, fork);
                break;
            case ContributeJob contribute:
                Contribute(contribute, scratch, fork);
                break;
            case AddTileJob add:
                AddTile(add);
                break;
            case ExpandJob expand:
                Expand(expand, scratch, fork);
                break;
            case AssembleJob assemble:
                Assemble(assemble);
                break;
            case ExpandHistoryJob history:
                ExpandHistory(history, scratch);
                break;
            default:
                throw new InvariantException($"No host runs a {job.GetType().Name}.");
        }
    }

    /// <summary>Loads the contributions of some rows.</summary>
    public void Load(LoadBatchJob job, ReadOnlySpan<int> rows)
    {
        TensorView<T> input = Rent(job, 0, job.Rows, _plan.Network.Inputs);
        _arithmetic.Gather(
            _pool.View<T>(job.Inputs[0], _arithmetic.RowsOf(job.Split), _front.Outputs),
            _pool.View<T>(job.Inputs[1], _arithmetic.RowsOf(job.Split), _front.Features),
            rows,
            input);
    }

    private void Contribute(ContributeJob job, ComputeScratch scratch, IForkJoin fork)
    {
        ContributionTilePlan tile = _front.Tiles[job.Tile];
        (TensorView<T>, TensorView<T>) basis = job.Inputs[2].IsNone
            ? default
            : (_pool.View<T>(job.Inputs[1], _plan.TrainRows, _front.Features), Directions(job.Inputs[2]));
        _arithmetic.Contribute(
            tile, job.Share, Weight(job.Inputs[0]), basis, Rent(job, 0, tile.Rows, _front.Outputs), Rent(job, 1, tile.Rows, tile.Columns), scratch, fork);
    }

    private void AddTile(AddTileJob job)
    {
        ContributionTilePlan tile = _front.Tiles[job.Tile];
        int rows = _arithmetic.RowsOf(tile.Split);
        if (job.Outputs[0].IsNone)
        {
            Rent(job, 0, rows, _front.Outputs);
            Rent(job, 1, rows, _front.Features);
        }

        FrontArithmetic<T>.Add(
            tile,
            job.Share > 0,
            _pool.View<T>(job.Inputs[0], tile.Rows, _front.Outputs),
            _pool.View<T>(job.Inputs[1], tile.Rows, tile.Columns),
            _pool.View<T>(job.Outputs[0], rows, _front.Outputs),
            _pool.View<T>(job.Outputs[1], rows, _front.Features));
    }

    private void Expand(ExpandJob job, ComputeScratch scratch, IForkJoin fork)
    {
        int slices = _plan.CoefficientSlices.Count;
        TensorView<T> weight = Weight(job.Inputs[0]), directions = job.Inputs[1].IsNone ? default : Directions(job.Inputs[1]);
        Span<ExpansionPart<T>> parts = new ExpansionPart<T>[_expandsVelocity ? 2 : 1];
        for (int part = 0; part < parts.Length; part++)
        {
            ReadOnlySpan<BufferHandle> buffers = job.Inputs.AsSpan(2 + (part * slices), slices);
            TensorView<T> theta = View(_theta, buffers), scale = View(_scale, buffers);
            TensorView<T> columns = Rent(job, part, _front.Outputs, _front.FeaturesOf(job.Share).Count);
            parts[part] = new ExpansionPart<T>(theta, scale.Span[0], columns);
        }

        _arithmetic.Expand(job.Share, parts, weight, directions, scratch, fork);
    }

    private void ExpandHistory(ExpandHistoryJob job, ComputeScratch scratch)
    {
        (int slice, int expanded) = _plan.Histories[job.History];
        ParameterSpec history = _plan.Slices[slice].Parameters[0], weight = _plan.Slices[expanded].Parameters[0];
        TensorView<T> weights = Rent(job, 0, weight.Rows, weight.Columns);
        TensorView<T> velocity = _expandsVelocity ? Rent(job, 1, weight.Rows, weight.Columns) : default;
        _updates.Expand(history, _pool.View<T>(job.Inputs[0]), _pool.View<T>(job.Inputs[1]).Span, weights, velocity, scratch);
    }

    private void Assemble(AssembleJob job)
    {
        for (int part = 0; part < (_expandsVelocity ? 2 : 1); part++)
        {
            TensorView<T> whole = Rent(job, part, _front.Outputs, _front.Inputs);
            for (int share = 0; share < _front.Shares; share++)
            {
                BufferHandle columns = job.Inputs[(part * _front.Shares) + share];
                _arithmetic.Place(share, _pool.View<T>(columns, _front.Outputs, _front.FeaturesOf(share).Count), whole);
            }
        }
    }

    // SGD's state is one value for each of the slice's, in the same places.
    private TensorView<T> View(ParameterPlace place, ReadOnlySpan<BufferHandle> slices)
    {
        int position = 0;
        while (_plan.CoefficientSlices[position] != place.Slice)
        {
            position++;
        }

        return _pool.View<T>(slices[position]).Slice(place.Offset, place.Parameter.Rows, place.Parameter.Columns);
    }

    private TensorView<T> Weight(BufferHandle buffer) => _pool.View<T>(buffer, _front.Outputs, _front.Inputs);

    private TensorView<T> Directions(BufferHandle buffer) => _pool.View<T>(buffer, _front.Features, _front.Inputs);

    private TensorView<T> Rent(Job job, int output, int rows, int columns)
    {
        job.Outputs[output] = _pool.Rent((long)rows * columns * ValueBytes);
        return _pool.View<T>(job.Outputs[output], rows, columns);
    }
}
