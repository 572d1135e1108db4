using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// The messages of an undisturbed run by type. With T steps, R replicas, p stages, m micro-batches, K trained slices, S shards, A layer actors that take part
/// in steps: a step issues A + S, sends R m (p − 1) activations and as many signals, R K contributions, R K weights, R results, and S each of prepared and
/// committed; a decision adds K partials and S decisions. Around them: one begin of the epoch for every actor, R K first weights, evaluations, snapshots.
/// With C copies of each shard, contributions, carried state and everything between coordinator and shards go to or come from each copy, weights and partials from one;
/// the first shard's copies also get R results a step and a progress with each commit; and at the start every slice is sent to C − 1 copies.
/// </summary>
internal sealed class CostMessages
{
    private readonly RunPlan _plan;
    private readonly RunSettings _settings;
    private readonly double _steps, _replicas, _stages, _shards, _participants, _valueBytes, _epochs, _copies;
    private readonly List<CostMessage> _messages = [];
    private readonly CostInstructions? _walked;

    private CostMessages(RunPlan plan, double valueBytes, CostInstructions? walked)
    {
        (_plan, _settings, _valueBytes, _walked) = (plan, plan.Settings, valueBytes, walked);
        (_steps, _replicas, _epochs) = (plan.TotalSteps, plan.Settings.Replicas, plan.Settings.Training.Epochs);
        (_shards, _participants) = (plan.Topology.ShardActors, plan.Participants.Count);
        _copies = plan.Topology.Copies;

        // Under front contribution the final stage is the whole pipeline.
        _stages = plan.Front is null ? plan.Stages.Count : 1;
    }

    /// <summary>The messages of a plan, in ordinal order of the tag.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="widths">Columns of each stage's output.</param>
    /// <param name="valueBytes">Bytes of a value.</param>
    /// <param name="walked">The counts of a method that is counted from its instructions; null for the formulas.</param>
    public static IReadOnlyList<CostMessage> Of(RunPlan plan, IReadOnlyList<int> widths, double valueBytes, CostInstructions? walked)
    {
        CostMessages costs = new(plan, valueBytes, walked);
        costs.AddSteps(widths);
        costs.AddParameters();
        costs.AddEvaluations(widths);
        costs.AddControl();
        costs.AddCopies();
        if (plan.Front is FrontContributionPlan front)
        {
            costs.AddFront(front);
        }

        return [.. costs._messages.Where(message => message.Total > 0).OrderBy(message => message.Tag, StringComparer.Ordinal)];
    }

    private void AddSteps(IReadOnlyList<int> widths)
    {
        AddPerStep<StepResult>(CostLink.Control, _replicas * (_copies > 1 ? 1 + _copies : 1));
        if (_walked is not null)
        {
            CostCounts step = _walked.PerStep, all = _walked.Total;
            Add<Activation>(CostLink.Layers, step.Activations, step.ActivationValues * _valueBytes, all.Activations, all.ActivationValues * _valueBytes);
            Add<Signal>(CostLink.Layers, step.Signals, step.SignalValues * _valueBytes, all.Signals, all.SignalValues * _valueBytes);
            Add<Carry>(
                CostLink.ToServer,
                _copies * step.Carries,
                _copies * step.CarriedValues * _valueBytes,
                _copies * all.Carries,
                _copies * all.CarriedValues * _valueBytes);
            return;
        }

        double between = 0;
        for (int stage = 0; stage < _stages - 1; stage++)
        {
            between += widths[stage];
        }

        double perStep = _replicas * _settings.Training.MicroBatches * (_stages - 1);
        double full = _settings.Training.BatchSize * between * _valueBytes, bytes = _plan.TrainRows * _epochs * between * _valueBytes;
        Add<Activation>(CostLink.Layers, perStep, full, perStep * _steps, bytes);
        Add<Signal>(CostLink.Layers, perStep, full, perStep * _steps, bytes);
    }

    private void AddParameters()
    {
        double slices = _replicas * _plan.TrainedSlices, values = Trained.Sum(slice => (double)slice.Length) * _replicas * _valueBytes;
        double residuals = _plan.CarriesResidual ? values : 0;
        double encoded = (Trained.Sum(EncodedBytes) * _replicas) + residuals, encodedTotal = encoded * _steps;
        double sent = values, sentTotal = values * _steps;
        if (_walked is not null)
        {
            // A step that leaves a slice as it is sends neither gradient nor weights.
            (encoded, encodedTotal) = (Contributed(_walked.PerStep), Contributed(_walked.Total));
            (sent, sentTotal) = (_walked.PerStep.WeightValues * _valueBytes, _walked.Total.WeightValues * _valueBytes);
        }

        Add<Contribution>(CostLink.ToServer, _copies * slices, _copies * encoded, _copies * slices * _steps, _copies * encodedTotal);

        // The first weights bring the carried state along; front contribution's first stage gets W₀ once for each share.
        double first = _plan.Front is null ? 0 : _plan.Topology.Shares;
        double firstBytes = _plan.Front is null ? 0 : first * _plan.Slices[_plan.WeightSlice].Length * _valueBytes;
        Add<Weights>(
            CostLink.FromServer, slices, sent, (slices * (_steps + 1)) + first, sentTotal + values + residuals + firstBytes);
        if (_plan.NeedsDecision)
        {
            double perTensor = _settings.ParameterServer.Aggregate == Aggregate.Krum ? _replicas * _replicas : 1;
            double bytes = Trained.Sum(slice => slice.Parameters.Count) * perTensor * sizeof(double);
            Add<Partials>(CostLink.Control, _plan.TrainedSlices, bytes, _plan.TrainedSlices * _steps, bytes * _steps);
            AddPerStep<Decision>(CostLink.Control, _shards);
        }
    }

    private void AddEvaluations(IReadOnlyList<int> widths)
    {
        double tests = _plan.TestRows > 0 ? CostFirstLayer.Evaluations(_settings.Training.Epochs, _settings.Training.EvaluateEvery) : 0;
        double batches = Batches(_plan.TrainRows) + (tests * Batches(_plan.TestRows)), rows = _plan.TrainRows + (tests * _plan.TestRows);
        double between = 0;
        for (int stage = 0; stage < _stages - 1; stage++)
        {
            between += widths[stage];
        }

        Add<Evaluate>(CostLink.Control, 0, 0, (tests + 1) * _participants, 0);
        Add<EvaluationActivation>(CostLink.Layers, 0, 0, batches * (_stages - 1), rows * between * _valueBytes);
        Add<EvaluationCredit>(CostLink.Layers, 0, 0, _stages > 1 ? batches : 0, 0);
        Add<EvaluationResult>(CostLink.Control, 0, 0, (tests + 1) * _replicas, 0);
    }

    private void AddControl()
    {
        Add<BeginEpoch>(CostLink.Control, 0, 0, _plan.Topology.Count - 1, 0);
        AddPerStep<IssueStep>(CostLink.Control, _participants + _shards);
        AddPerStep<Prepared>(CostLink.Control, _shards);
        AddPerStep<Committed>(CostLink.Control, _shards);

        // One is skipped where the one before is still being written.
        int every = _settings.CheckpointEverySteps;
        double snapshots = 1 + (every > 0 ? Math.Floor((_steps - 1) / every) : 0);
        Add<TakeSnapshot>(CostLink.Control, 0, 0, snapshots * _shards, 0);
        Add<SnapshotTaken>(CostLink.Control, 0, 0, snapshots * _shards, 0);
    }

    private void AddCopies()
    {
        if (_copies == 1)
        {
            return;
        }

        // One with each commit, one at the start, and one after each epoch of the data, when its evaluation is known.
        Add<CommittedProgress>(CostLink.Control, _copies, 0, _copies * (_steps + 1 + _epochs), 0);

        // Residuals and other carried state begin as nothing, and so do weights that are still to be expanded.
        double state = 0;
        foreach (SlicePlan slice in _plan.Slices.Where(slice => !_plan.IsExpanded(slice.Index)))
        {
            state += slice.Length + (slice.Frozen ? 0 : CostMemory.StateCount(_settings) * (double)slice.StateLength);
        }

        double first = _plan.CarriesResidual ? Trained.Sum(slice => (double)slice.Length) * _replicas : 0;
        double parts = _plan.Slices.Count + (_plan.CarriesResidual ? Trained.Sum(ResidualParts) : 0);
        Add<SliceCopy>(CostLink.Control, 0, 0, (_copies - 1) * parts, (_copies - 1) * (state + first) * _valueBytes);
    }

    /// <summary>Messages with residuals: two buffers each, and a replica's residual comes before what else it carries.</summary>
    private int ResidualParts(SlicePlan slice) =>
        Enumerable.Range(0, _settings.Replicas).Select(replica => (2 + (replica * slice.CarriedCount)) / 2).Distinct().Count();

    private void AddFront(FrontContributionPlan front)
    {
        double shares = front.Shares, parts = shares * front.Tiles.Count;
        double contributed = shares * front.Tiles.Sum(tile => (double)tile.Rows * (front.Outputs + tile.Columns)) * _valueBytes;
        Add<CollectContributions>(CostLink.Control, 0, 0, 1, 0);
        Add<Contribute>(CostLink.Layers, 0, 0, parts, 0);
        Add<ContributedTile>(CostLink.Layers, 0, 0, parts, contributed);
        Add<Contributed>(CostLink.Control, 0, 0, 1, 0);

        double copies = 1 + CostMemory.StateCount(_settings), inputs = (double)front.Inputs * front.Outputs;
        double coefficients = _plan.CoefficientSlices.Sum(slice => (double)_plan.Slices[slice].Length);
        Add<Expand>(CostLink.Control, 0, 0, _shards, 0);
        Add<Coefficients>(
            CostLink.FromServer, 0, 0, shares * _plan.CoefficientSlices.Count, shares * coefficients * copies * _valueBytes);
        Add<ExpandedShare>(CostLink.ToServer, 0, 0, _copies * shares, _copies * inputs * copies * _valueBytes);
        Add<Expanded>(CostLink.Control, 0, 0, _copies * (1 + front.Histories.Count), 0);
    }

    private double Contributed(in CostCounts counts) => counts.ContributedBytes + (counts.ContributedValues * _valueBytes);

    private IEnumerable<SlicePlan> Trained => _plan.Slices.Where(slice => !slice.Frozen);

    private double EncodedBytes(SlicePlan slice) => CostMemory.EncodedBytes(_settings, slice);

    private static double Batches(double rows) => Math.Ceiling(rows / Limits.EvaluationRowsMax);

    private void AddPerStep<TMessage>(CostLink link, double perStep)
        where TMessage : Message => Add<TMessage>(link, perStep, 0, perStep * _steps, 0);

    private void Add<TMessage>(CostLink link, double perStep, double bytesPerStep, double total, double bytesTotal)
        where TMessage : Message => _messages.Add(
            new CostMessage(Tag<TMessage>(), link, perStep, bytesPerStep, total, bytesTotal));

    private static string Tag<TMessage>() => MessageCatalog.All.Single(entry => entry.Type == typeof(TMessage)).Tag;
}
