using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// What a new coordinator hears from those who live, and what follows from it. A step may have been committed once every copy of the view was prepared for it, so the
/// run goes on from the last step that every copy is prepared for that is left of the view: nothing that was reported as committed lies beyond.
/// </summary>
/// <remarks>
/// The view is that of the highest epoch that anybody knows. Every commit of an epoch needs all its layer actors, so as long as one of them answers, or one copy, the
/// last epoch is known; an engine must not let a coordinator take over where nobody of the last epoch can be reached, which is what a majority of nodes ensures.
/// </remarks>
internal sealed class Inquiry(RunPlan plan)
{
    private readonly Topology _topology = plan.Topology;
    private readonly Standing?[] _answers = new Standing?[plan.Topology.Count];
    private readonly int[] _incarnations = new int[plan.Topology.Count];
    private readonly bool[] _lost = new bool[plan.Topology.Count];
    private readonly CommittedProgress?[] _progress = new CommittedProgress?[plan.Topology.Count];
    private readonly SortedDictionary<(long Step, int Replica), StepResult> _results = [];
    private Standing? _last;
    private ShardView? _view;

    /// <summary>Whether everybody has answered or is lost.</summary>
    public bool IsComplete => Enumerable.Range(1, _answers.Length - 1).All(index => _answers[index] is not null || _lost[index]);

    /// <summary>Whether a run is under way: somebody has taken part in an epoch.</summary>
    public bool HasBegun => _last is { LastEpoch: > 0 };

    /// <summary>The steps whose commit nobody may have heard of, in order, each with its replicas' results; known once <see cref="Conclude"/> was called.</summary>
    public List<(StepResult[] Results, CoordinatorProgress After)> Unheard { get; } = [];

    /// <summary>Takes what somebody says.</summary>
    public void Take(ActorId from, int incarnation, Message message)
    {
        if (_lost[from.Index])
        {
            // Sent before its death, or suspected wrongly: it is replaced all the same.
            return;
        }

        switch (message)
        {
            case CommittedProgress progress:
                _progress[from.Index] = progress;
                break;
            case StepResult result:
                // All copies have it from the same sender; where a step was redone meanwhile, the same bits.
                _results[(result.Step, result.Replica)] = result;
                break;
            case Standing standing:
                (_answers[from.Index], _incarnations[from.Index]) = (standing, incarnation);
                if (standing.LastEpoch > (_last?.LastEpoch ?? 0))
                {
                    (_last, _view) = (standing, new ShardView(_topology, standing.Copies));
                }

                break;
        }
    }

    /// <summary>Somebody will not answer.</summary>
    public void Lose(ActorId actor)
    {
        _lost[actor.Index] = true;
        _answers[actor.Index] = null;
        _incarnations[actor.Index] = 0;
    }

    /// <summary>The incarnation that has answered; 0 for nobody.</summary>
    public int IncarnationOf(ActorId actor) => _incarnations[actor.Index];

    /// <summary>The incarnations that have answered, in actor order.</summary>
    public int[] Incarnations => _incarnations;

    /// <summary>The incarnation of the last known epoch.</summary>
    public int LastIncarnationOf(ActorId actor) => _last?.Incarnations.ElementAtOrDefault(actor.Index) ?? 0;

    /// <summary>Whether one of the first members lives who has taken part in nothing: then nobody has.</summary>
    public bool IsFresh(MembershipRecord? before) =>
        !HasBegun && Enumerable.Range(1, _answers.Length - 1).Any(index =>
            _answers[index] is not null && _incarnations[index] <= (before?.Incarnations.ElementAtOrDefault(index) ?? 0) + 1);

    /// <summary>
    /// Whether a copy has the state of its shard and belongs to the last view. One that was to get its state in the last epoch has it only once it has entered that
    /// epoch: what it holds of an earlier one is what others went on without.
    /// </summary>
    public bool IsWhole(ActorId copy) =>
        HasBegun && _answers[copy.Index] is { PreparedStep: >= 0 } answer && _incarnations[copy.Index] == LastIncarnationOf(copy)
        && (_view!.StateOf(copy) == CopyState.Whole || (_view.StateOf(copy) == CopyState.Empty && answer.LastEpoch == _last!.LastEpoch));

    /// <summary>What the run goes on from; null when every copy of a shard is lost, or nobody has the first shard's book.</summary>
    public CoordinatorProgress? Conclude()
    {
        ActorId[] whole = [.. Enumerable.Range(0, _topology.ShardActors).Select(_topology.ShardActor).Where(IsWhole)];
        if (whole.Select(_topology.ShardOf).Distinct().Count() < _topology.Shards)
        {
            return null;
        }

        long through = LastStep(whole);
        CommittedProgress? book = null;
        foreach (ActorId copy in whole.Where(copy => _topology.ShardOf(copy) == ParameterShard.BookShard))
        {
            book = _progress[copy.Index] is { } known && known.Step <= through && IsLater(known, book) ? known : book;
        }

        return book is null ? null : GoOn(From(book), through);
    }

    /// <summary>The progress that a message tells of.</summary>
    public static CoordinatorProgress From(CommittedProgress progress) => new()
    {
        Step = progress.Step,
        RateFactor = progress.RateFactor,
        BestLoss = progress.HasBest ? progress.BestLoss : null,
        EvaluationsSinceBest = progress.EvaluationsSinceBest,
        EvaluationsSinceReduction = progress.EvaluationsSinceReduction,
        EpochLossSum = progress.EpochLossSum,
        EpochCorrect = progress.EpochCorrect,
        EpochRows = progress.EpochRows,
    };

    /// <summary>The message that tells of a progress.</summary>
    public static CommittedProgress Message(CoordinatorProgress progress) => new(
        progress.Step,
        progress.RateFactor,
        progress.BestLoss is not null,
        progress.BestLoss ?? 0,
        progress.EvaluationsSinceBest,
        progress.EvaluationsSinceReduction,
        progress.EpochLossSum,
        progress.EpochCorrect,
        progress.EpochRows);

    /// <summary>At the end of an epoch of the data, what is known after its evaluation is later.</summary>
    private static bool IsLater(CommittedProgress one, CommittedProgress? other) =>
        other is null || one.Step > other.Step || (one.Step == other.Step && one.EpochRows < other.EpochRows);

    /// <summary>
    /// The last step that every copy left is prepared for. Where one has not entered the last epoch of the others, nothing was committed in that epoch, and what it
    /// is prepared for from the one before may differ from theirs.
    /// </summary>
    private long LastStep(ActorId[] whole)
    {
        int epoch = whole.Max(copy => _answers[copy.Index]!.LastEpoch);
        Standing[] entered = [.. whole.Select(copy => _answers[copy.Index]!).Where(answer => answer.LastEpoch == epoch)];
        return entered.Length == whole.Length ? entered.Min(answer => answer.PreparedStep) : entered.Max(answer => answer.CommittedStep);
    }

    private CoordinatorProgress GoOn(CoordinatorProgress progress, long through)
    {
        int replicas = _topology.Replicas;
        for (long step = progress.Step + 1; step <= through; step++)
        {
            StepResult[] results = [.. Enumerable.Range(0, replicas).Select(replica => _results.GetValueOrDefault((step, replica))).OfType<StepResult>()];
            if (results.Length < replicas || results.Any(result => !double.IsFinite(result.LossSum)))
            {
                break;
            }

            // The sums are those of the tally, in replica order.
            double loss = 0;
            (int correct, int rows) = (0, 0);
            foreach (StepResult result in results)
            {
                loss += result.LossSum;
                (correct, rows) = (correct + result.Correct, rows + result.Rows);
            }

            progress = progress.AfterStep(step, loss, correct, rows);
            Unheard.Add((results, progress));
        }

        return progress;
    }
}
