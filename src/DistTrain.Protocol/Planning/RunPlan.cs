using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// Everything about a run that follows from its settings and the number of rows: stages, slices, actors, steps. Logical and
/// fixed, whatever the engine
/// and wherever actors live.
/// </summary>
public sealed partial class RunPlan
{
    private readonly int _fullRows, _lastRows;

    /// <summary>The plan of validated settings.</summary>
    public RunPlan(RunSettings settings, int trainRows, int testRows)
    {
        Settings = settings;
        TrainRows = trainRows;
        TestRows = testRows;
        Method = MethodCatalog.Find(settings.Method.Name)
            ?? throw new InvalidInputException($"method.name: '{settings.Method.Name}' is not known");
        Front = FrontContributionPlan.For(settings, trainRows, testRows);
        Network = Front?.Network ?? settings.Network;
        Topology = new Topology(settings.Replicas, settings.Stages.Count, settings.ParameterServer.Shards, Front?.Shares ?? 1, settings.ParameterServer.Copies);
        EveryShard = new ShardView(Topology);
        FactoredRows = FactorsGradients ? Math.Min(settings.Training.BatchSize, trainRows) : 0;
        (Stages, Slices, Parameters) = Lay(settings, Network, Front, Method, FactoredRows);
        CoefficientSlices =
        [
            .. Parameters.Where(place => ContributedSpec.IsTheta(place.Parameter) || ContributedSpec.IsScale(place.Parameter))
                .Select(place => place.Slice).Distinct(),
        ];
        TrainedSlices = Slices.Count(slice => !slice.Frozen);
        Histories = Front is null ? [] : [.. Front.Histories.Select((entry, index) => (HistorySlice(entry.Layer), ExpandedSlice + 1 + index))];
        Results = Front is null
            ? [.. Parameters.Where(place => !LocalRules.IsAuxiliary(place.Parameter)).Select(place => place with { Parameter = place.Parameter.Factored(0) })]
            : [.. ResultsOf(settings.Network, Front)];
        Participants = Front is null
            ? [.. Enumerable.Range(1, Topology.LayerActors).Select(index => new ActorId(index))]
            : [Topology.LayerActor(0, Stages.Count - 1)];
        StepsPerEpoch = (trainRows + settings.Training.BatchSize - 1) / settings.Training.BatchSize;
        _lastRows = trainRows - ((StepsPerEpoch - 1) * settings.Training.BatchSize);
        _fullRows = StepsPerEpoch > 1 ? settings.Training.BatchSize : _lastRows;
        TotalSteps = (long)StepsPerEpoch * settings.Training.Epochs;
    }

    /// <summary>The settings.</summary>
    public RunSettings Settings { get; }

    /// <summary>The method.</summary>
    public Method Method { get; }

    /// <summary>The actors.</summary>
    public Topology Topology { get; }

    /// <summary>Who serves each shard where there is one copy of each.</summary>
    public ShardView EveryShard { get; }

    /// <summary>The stages in order.</summary>
    public IReadOnlyList<StagePlan> Stages { get; }

    /// <summary>The slices, by stage, then shard; stages without tensors on a shard have none there.</summary>
    public IReadOnlyList<SlicePlan> Slices { get; }

    /// <summary>All tensors in layer order, each with its place.</summary>
    public IReadOnlyList<ParameterPlace> Parameters { get; }

    /// <summary>What front contribution adds; null for other methods.</summary>
    public FrontContributionPlan? Front { get; }

    /// <summary>The network that steps train: the experiment's, or what the method makes of it.</summary>
    public NetworkSpec Network { get; }

    /// <summary>The experiment's network in layer order, each tensor with the place of its values once the run has
    /// ended.</summary>
    public IReadOnlyList<ParameterPlace> Results { get; }

    /// <summary>How many slices steps update; they have the lowest indices.</summary>
    public int TrainedSlices { get; }

    /// <summary>The slice of the first stage's W₀ under front contribution; the one after it receives the expanded
    /// weights.</summary>
    public int WeightSlice => TrainedSlices;

    /// <summary>The slice that receives the first layer's expanded weights; those of histories come after it.</summary>
    public int ExpandedSlice => TrainedSlices + 1;

    /// <summary>The slice of each history, which has it to itself, and the one on the same shard that receives its expanded
    /// weights.</summary>
    public IReadOnlyList<(int Slice, int ExpandedSlice)> Histories { get; }

    /// <summary>The slices that hold what is to be expanded.</summary>
    public IReadOnlyList<int> CoefficientSlices { get; }

    /// <summary>The layer actors that steps and evaluations involve.</summary>
    public IReadOnlyList<ActorId> Participants { get; }

    /// <summary>Training rows.</summary>
    public int TrainRows { get; }

    /// <summary>Test rows; 0 for none.</summary>
    public int TestRows { get; }

    /// <summary>Steps of an epoch; the last one may have fewer rows.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Steps of the whole run.</summary>
    public long TotalSteps { get; }

    /// <summary>Whether contributions are applied one by one as they arrive.</summary>
    public bool Asynchronous => Settings.ParameterServer.Consistency != Consistency.Sync;

    /// <summary>How many steps a replica may be ahead of the slowest one.</summary>
    public int StalenessStepsMax => Settings.ParameterServer.Consistency switch
    {
        Consistency.Sync => 0,
        Consistency.Ssp => Settings.ParameterServer.StalenessStepsMax,
        _ => Limits.AsyncStalenessStepsMax,
    };

    /// <summary>Issued steps that may be uncommitted at once.</summary>
    public int StepsUncommittedMax => Asynchronous
        ? StalenessStepsMax + Settings.StepsInFlight
        : Method.StepsUncommittedMax(Settings);

    /// <summary>Whether every step is kept outside the actors, so that the loss of a shard takes nothing back.</summary>
    public bool KeepsLog => Settings.Durability != Durability.Memory;

    /// <summary>What a slice keeps for its stage besides residuals.</summary>
    public CarriedPlan CarriedOf(SlicePlan slice)
    {
        ArgumentNullException.ThrowIfNull(slice);
        if (slice.Frozen)
        {
            return default;
        }

        StagePlan stage = Stages[slice.Stage];
        return stage.Slices[0] == slice.Index ? stage.Carried : default;
    }

    /// <summary>
    /// Whether a position among a replica's carried state of a slice holds what came with the version's own step; otherwise it holds what the position before
    /// held in the version before.
    /// </summary>
    public bool IsNewestCarried(SlicePlan slice, int position)
    {
        int own = position - (CarriesResidual ? 1 : 0);
        CarriedPlan carried = CarriedOf(slice);
        return own < 0
            || (carried.Inputs > 0 && own == carried.PositionOf(CarriedKind.Input))
            || (carried.Outputs > 0 && own == carried.PositionOf(CarriedKind.Output))
            || (carried.Stashes > 0 && own == carried.PositionOf(CarriedKind.Stash))
            || (carried.Signals > 0 && own == carried.PositionOf(CarriedKind.Signal));
    }

    /// <summary>Whether an update needs a decision on the whole model.</summary>
    public bool NeedsDecision =>
        Settings.Optimizer.ClipNorm is not null || Settings.ParameterServer.Aggregate == Aggregate.Krum;

    /// <summary>
    /// Rows of a full step where gradients of weights travel as factors and the shard forms product and update in one pass, for weights that have fewer values in their factors;
    /// 0 where all gradients travel as they are, because something needs their values or adds several of them.
    /// </summary>
    public int FactoredRows { get; }

    /// <summary>Whether the gradient of a layer's weight travels as factors.</summary>
    public bool IsFactored(int layer) => Parameters.Any(place => place.Parameter.Layer == layer && place.Parameter.FactoredRows > 0);

    private bool FactorsGradients =>
        Method.HasFactoredGradients && !Asynchronous && !NeedsDecision && Settings.Replicas == 1 && Settings.Training.MicroBatches == 1
        && Settings.ParameterServer.Compression == CompressionKind.None;

    /// <summary>Whether layer actors carry an error-feedback residual from step to step.</summary>
    public bool CarriesResidual => Settings.ParameterServer.Compression == CompressionKind.TopK;

    /// <summary>Whether steps and evaluations involve an actor.</summary>
    public bool IsParticipant(ActorId actor) =>
        Front is null || Topology.RoleOf(actor) != ActorRole.LayerActor || actor == Participants[0];

    /// <summary>Whether a slice receives expanded weights, and holds nothing before.</summary>
    public bool IsExpanded(int slice) => Front is not null && slice >= ExpandedSlice;

    /// <summary>Whether a stage starts from the rows' inputs: the first one, or the only one that trains.</summary>
    public bool IsFirstStage(int stage) => Front is null ? stage == 0 : IsLastStage(stage);

    /// <summary>Whether a stage owns the loss.</summary>
    public bool IsLastStage(int stage) => stage == Stages.Count - 1;

    /// <summary>The epoch of a step, both from 1.</summary>
    public int EpochOf(long step) => (int)((step - 1) / StepsPerEpoch) + 1;

    /// <summary>Whether a step is the last of its epoch.</summary>
    public bool EndsEpoch(long step) => step % StepsPerEpoch == 0;

    /// <summary>Rows of a whole step.</summary>
    public int RowsInStep(long step) => _lastRows == _fullRows || !EndsEpoch(step) ? _fullRows : _lastRows;

    /// <summary>The rows of a step that a replica's micro-batch has: the first one's index within the step, and how
    /// many.</summary>
    public (int First, int Count) RowsOf(long step, int replica, int microBatch)
    {
        (int start, int count) = EvenSplit.Part(RowsInStep(step), Settings.Replicas, replica);
        (int offset, int part) = EvenSplit.Part(count, Settings.Training.MicroBatches, microBatch);
        return (start + offset, part);
    }

    /// <summary>Rows of so many of a replica's micro-batches, of which <paramref name="last"/> is the last.</summary>
    /// <param name="step">The step.</param>
    /// <param name="replica">The replica.</param>
    /// <param name="last">From 0.</param>
    /// <param name="microBatches">0 and more.</param>
    public int RowsOf(long step, int replica, int last, int microBatches)
    {
        int rows = 0;
        for (int microBatch = last + 1 - microBatches; microBatch <= last; microBatch++)
        {
            rows += RowsOf(step, replica, microBatch).Count;
        }

        return rows;
    }

    /// <summary>η of a step before any plateau factor.</summary>
    public double LearningRate(long step) => LearningRates.At(Settings.Optimizer, step - 1, TotalSteps, StepsPerEpoch);

    private static (List<StagePlan> Stages, List<SlicePlan> Slices, List<ParameterPlace> Parameters) Lay(
        RunSettings settings, NetworkSpec network, FrontContributionPlan? front, Method method, int factoredRows)
    {
        int residuals = settings.ParameterServer.Compression == CompressionKind.TopK ? 1 : 0;
        List<StagePlan> stages = [];
        List<SlicePlan> slices = [];
        List<ParameterPlace> places = [];
        long[] load = new long[settings.ParameterServer.Shards];
        int layer = 0;
        foreach (int layers in settings.Stages)
        {
            // Under front contribution the final stage trains every layer, and those before it none.
            bool contributes = front is not null && stages.Count < settings.Stages.Count - 1, trainsAll = front is not null && !contributes;
            (int first, int count) = trainsAll ? (0, network.Layers.Count) : (layer, layers);
            LocalRuleSpec? rule = front is null ? method.RuleOf(settings, stages.Count) : null;
            CarriedPlan carried = method.Carries(settings, stages.Count);
            IReadOnlyList<ParameterSpec> parameters =
            [
                .. contributes ? [] : new StageProgram<float>(network, first, count, null, factoredRows).Parameters,
                .. rule is null ? [] : LocalRules.ParametersOf(rule),
            ];
            List<int> stageSlices = [];
            List<ParameterSpec>[] perShard = AssignToShards(parameters, load);
            for (int shard = 0; shard < perShard.Length; shard++)
            {
                foreach (IReadOnlyList<ParameterSpec> tensors in Apart(perShard[shard]))
                {
                    SizeChecks.RequireSlice(settings, stages.Count, shard, tensors.Sum(parameter => (long)parameter.Length));
                    int offset = 0;
                    foreach (ParameterSpec parameter in tensors)
                    {
                        places.Add(new ParameterPlace(parameter, slices.Count, offset));
                        offset += parameter.Length;
                    }

                    int carriedHere = stageSlices.Count == 0 ? carried.Count : 0;
                    stageSlices.Add(slices.Count);
                    slices.Add(new SlicePlan(slices.Count, stages.Count, shard, tensors, offset)
                    {
                        CarriedCount = residuals + carriedHere,
                        OlderVersions = carried.Weights,
                    });
                }
            }

            stages.Add(new StagePlan(stages.Count, first, count, parameters, stageSlices, rule, carried));
            layer += layers;
        }

        Dictionary<string, ParameterPlace> byName = places.ToDictionary(place => place.Parameter.Name, StringComparer.Ordinal);
        List<ParameterPlace> ordered = [.. stages.SelectMany(stage => stage.Parameters).Select(parameter => byName[parameter.Name])];
        void Freeze(ParameterSpec frozen, int shard)
        {
            load[shard] += frozen.Length;
            ordered.Add(new ParameterPlace(frozen, slices.Count, 0));
            slices.Add(new SlicePlan(slices.Count, 0, shard, [frozen], frozen.Length, Frozen: true));
        }

        if (front is not null)
        {
            Freeze(front.Weight, Array.IndexOf(load, load.Min()));
            Freeze(front.Expanded, Array.IndexOf(load, load.Min()));
            foreach ((int index, HistorySpec history) in front.Histories)
            {
                // A shard expands its own histories.
                ParameterPlace place = ordered.Single(place => HistorySpec.IsHistory(place.Parameter) && place.Parameter.Layer == index);
                Freeze(FrontContributionPlan.ExpandedOf(history.Weight(index)), slices[place.Slice].Shard);
            }
        }

        return (stages, slices, ordered);
    }

    /// <summary>The tensors of a slice, if any, and each history by itself.</summary>
    private static IEnumerable<IReadOnlyList<ParameterSpec>> Apart(IReadOnlyList<ParameterSpec> tensors)
    {
        ParameterSpec[] together = [.. tensors.Where(tensor => !HistorySpec.IsHistory(tensor))];
        if (together.Length > 0)
        {
            yield return together;
        }

        foreach (ParameterSpec history in tensors.Where(HistorySpec.IsHistory))
        {
            yield return [history];
        }
    }

    private int HistorySlice(int layer) =>
        Parameters.Single(place => HistorySpec.IsHistory(place.Parameter) && place.Parameter.Layer == layer).Slice;

    private IEnumerable<ParameterPlace> ResultsOf(NetworkSpec network, FrontContributionPlan front)
    {
        ParameterSpec[] collapsed = [front.Weight, .. front.Histories.Select(entry => entry.History.Weight(entry.Layer))];
        foreach (ParameterSpec parameter in new StageProgram<float>(network, 0, network.Layers.Count).Parameters)
        {
            ParameterSpec kept = collapsed.Contains(parameter) ? FrontContributionPlan.ExpandedOf(parameter) : parameter;
            yield return Parameters.Single(place => place.Parameter == kept) with { Parameter = parameter };
        }
    }

    /// <summary>Each tensor goes, in layer order, to the shard with the fewest values so far, the lowest index at a
    /// tie.</summary>
    private static List<ParameterSpec>[] AssignToShards(IReadOnlyList<ParameterSpec> parameters, long[] load)
    {
        var perShard = new List<ParameterSpec>[load.Length];
        for (int shard = 0; shard < perShard.Length; shard++)
        {
            perShard[shard] = [];
        }

        foreach (ParameterSpec parameter in parameters)
        {
            int shard = Array.IndexOf(load, load.Min());
            perShard[shard].Add(parameter);
            load[shard] += parameter.Length;
        }

        return perShard;
    }
}
