using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// A layer actor before the final one under front contribution. One of the first stage contributes its share when the
/// final-layer actor asks, and forms its columns of the
/// weights when everything is trained; in between, and in the other stages, it has nothing to do and may be dead.
/// </summary>
public sealed class FrontActor : ActorMachine
{
    private readonly int _share;
    private readonly FrontContributionPlan _front;
    private readonly Queue<int> _tiles = new();
    private readonly BufferHandle[] _values, _velocities;
    private BufferHandle _weight, _basisCoordinates, _basisDirections;
    private long _expandStep = -1;
    private bool _jobRuns;

    /// <summary>The layer actor of a share of the first stage, or of a stage between.</summary>
    public FrontActor(RunPlan plan, ActorId self, int incarnation, long run)
        : base(plan, self, incarnation, run)
    {
        _front = plan.Front ?? throw new InvariantException("Only front contribution has such actors.");
        _share = plan.Topology.ShareOf(self);
        _values = new BufferHandle[plan.CoefficientSlices.Count];
        _velocities = new BufferHandle[plan.CoefficientSlices.Count];
    }

    /// <inheritdoc/>
    public override string WaitsFor => _jobRuns ? "a job" : _tiles.Count > 0 && _weight.IsNone ? "the first weights" : "";

    /// <inheritdoc/>
    public override ActorWait Wait => new(
        _jobRuns ? WaitKind.Busy
        : _share < 0 ? WaitKind.Released
        : _weight.IsNone || _expandStep >= 0 ? WaitKind.Parameters
        : WaitKind.Released);

    private protected override void OnMessage(ActorId from, Message message)
    {
        switch (message)
        {
            case Weights weights:
                Effects.Retain(weights.Buffer);
                Effects.Release(_weight);
                _weight = weights.Buffer;
                break;
            case Contribute contribute:
                _tiles.Enqueue(contribute.Tile);
                break;
            case Coefficients coefficients:
                OnCoefficients(coefficients);
                break;
            default:
                throw new InvariantException($"A layer actor that only contributes takes no {message.GetType().Name}.");
        }

        Advance();
    }

    private protected override void OnJobDone(Job job)
    {
        _jobRuns = false;
        switch (job)
        {
            case BasisJob:
                (_basisCoordinates, _basisDirections) = (job.Outputs[0], job.Outputs[1]);
                break;
            case ContributeJob contribute:
                Send(
                    Plan.Participants[0], new ContributedTile(_share, contribute.Tile, job.Outputs[0], job.Outputs[1]));
                ReleaseOutputs(job);
                break;
            case ExpandJob:
                SendToShard(Plan.Slices[Plan.ExpandedSlice].Shard, new ExpandedShare(_expandStep, _share, job.Outputs[0], job.Outputs[1]));
                ReleaseOutputs(job);
                ReleaseCoefficients();
                break;
        }

        Advance();
    }

    private protected override void OnEpoch(long committedStep) => ReleaseState();

    private protected override void ReleaseState()
    {
        Effects.Release(_weight);
        Effects.Release(_basisCoordinates);
        Effects.Release(_basisDirections);
        _weight = _basisCoordinates = _basisDirections = BufferHandle.None;
        ReleaseCoefficients();
        _tiles.Clear();
        _jobRuns = false;
    }

    private void Advance()
    {
        bool expands = _expandStep >= 0 && Array.TrueForAll(_values, values => !values.IsNone);
        if (_jobRuns || _weight.IsNone || (_tiles.Count == 0 && !expands))
        {
            return;
        }

        _jobRuns = true;
        if (_front.HasBasis && _basisDirections.IsNone)
        {
            Run(new BasisJob());
        }
        else if (_tiles.TryDequeue(out int tile))
        {
            ContributeJob job = new(_share) { Tile = tile };
            (job.Inputs[0], job.Inputs[1], job.Inputs[2]) = (_weight, _basisCoordinates, _basisDirections);
            Run(job);
        }
        else
        {
            ExpandJob job = new(_share, _values.Length);
            (job.Inputs[0], job.Inputs[1]) = (_weight, _basisDirections);
            _values.CopyTo(job.Inputs, 2);
            _velocities.CopyTo(job.Inputs, 2 + _values.Length);
            Run(job);
        }
    }

    private void OnCoefficients(Coefficients coefficients)
    {
        int position = 0;
        while (Plan.CoefficientSlices[position] != coefficients.Slice)
        {
            position++;
        }

        Effects.Retain(coefficients.Values);
        Effects.Retain(coefficients.Velocity);
        (_values[position], _velocities[position]) = (coefficients.Values, coefficients.Velocity);
        _expandStep = coefficients.Step;
    }

    private void ReleaseOutputs(Job job)
    {
        foreach (BufferHandle output in job.Outputs)
        {
            Effects.Release(output);
        }
    }

    private void ReleaseCoefficients()
    {
        for (int position = 0; position < _values.Length; position++)
        {
            Effects.Release(_values[position]);
            Effects.Release(_velocities[position]);
        }

        Array.Clear(_values);
        Array.Clear(_velocities);
        _expandStep = -1;
    }
}
