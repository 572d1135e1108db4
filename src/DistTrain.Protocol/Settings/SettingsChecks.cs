using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Settings;

/// <summary>What settings must fulfil beyond their types, each problem with its key. Whoever builds a
/// <see cref="Planning.RunPlan"/> checks first.</summary>
public static class SettingsChecks
{
    /// <summary>Everything that is wrong with the settings; empty when they can be served.</summary>
    /// <param name="settings">The settings; their network and loss have passed <see cref="NetworkChecks"/>.</param>
    /// <param name="trainRows">Training rows, or null while the data is not loaded.</param>
    public static IReadOnlyList<SettingsProblem> Problems(RunSettings settings, int? trainRows)
    {
        List<SettingsProblem> problems = [];
        CheckTraining(settings, trainRows, problems);
        CheckStages(settings, problems);
        CheckParameterServer(settings, problems);
        CheckDurability(settings, problems);
        if (trainRows is int rows)
        {
            CheckLastStep(settings, rows, problems);
        }

        if (problems.Count == 0 && SizeChecks.Problem(settings) is SettingsProblem size)
        {
            problems.Add(size);
        }

        Method? method = MethodCatalog.Find(settings.Method.Name);
        if (method is null)
        {
            problems.Add(new SettingsProblem(
                "method.name", $"'{settings.Method.Name}' is no method; expected one of {string.Join(", ", MethodCatalog.Names)}"));
        }
        else if (!method.HasSchedule && settings.Method.Schedule != new MethodSettings().Schedule)
        {
            problems.Add(new SettingsProblem(
                "method.schedule",
                $"'{settings.Method.Schedule}': {method.Name} runs its passes in an order of its own; expected no schedule, or one of the methods "
                + $"{string.Join(", ", MethodCatalog.WithSchedule)}"));
        }
        else if (method.Refuses(settings) is SettingsProblem refusal)
        {
            problems.Add(refusal);
        }

        return problems;
    }

    private static void CheckTraining(RunSettings settings, int? trainRows, List<SettingsProblem> problems)
    {
        TrainingSettings training = settings.Training;
        RequireRange(problems, "training.epochs", training.Epochs, 1, int.MaxValue);
        RequireRange(problems, "training.batch-size", training.BatchSize, 1, int.MaxValue);
        RequireRange(problems, "training.micro-batches", training.MicroBatches, 1, Limits.MicroBatchesMax);
        RequireRange(problems, "training.evaluate-every", training.EvaluateEvery, 1, int.MaxValue);
        RequireRange(problems, "replicas", settings.Replicas, 1, Limits.ReplicasMax);
        RequireRange(problems, "steps-in-flight", settings.StepsInFlight, 1, Limits.StepsInFlightMax);
        RequireRange(problems, "checkpoint.every-steps", settings.CheckpointEverySteps, 0, int.MaxValue);
        if (training.EarlyStoppingPatience is int patience)
        {
            RequireRange(problems, "training.early-stopping.patience", patience, 1, int.MaxValue);
        }

        if (trainRows is int rows && training.BatchSize > rows)
        {
            problems.Add(new SettingsProblem(
                "training.batch-size", $"{training.BatchSize} is more than the {rows} training rows; expected 1 to {rows}"));
        }

        if ((long)settings.Replicas * training.MicroBatches > training.BatchSize)
        {
            problems.Add(new SettingsProblem(
                "training.batch-size",
                $"{training.BatchSize} rows cannot be split over {settings.Replicas} replicas × {training.MicroBatches} "
                    + "micro-batches; "
                + $"expected at least {(long)settings.Replicas * training.MicroBatches}, or fewer replicas or micro-batches"));
        }

        if (settings.BackupAfter <= TimeSpan.Zero)
        {
            problems.Add(new SettingsProblem("backup-after", $"{settings.BackupAfter} is no time for a job; expected a duration above 0"));
        }

        if (settings.Patience < Limits.RetryCap)
        {
            problems.Add(new SettingsProblem(
                "patience", FormattableString.Invariant(
                    $"{settings.Patience.TotalSeconds}s is shorter than the longest wait between two retries; expected at least {Limits.RetryCap.TotalSeconds}s")));
        }
    }

    private static void CheckStages(RunSettings settings, List<SettingsProblem> problems)
    {
        int layers = settings.Network.Layers.Count;
        if (layers > Limits.LayersMax)
        {
            problems.Add(new SettingsProblem("network", $"{layers} layers; expected at most {Limits.LayersMax}"));
        }

        if (settings.Stages.Any(count => count < 1) || settings.Stages.Sum() != layers)
        {
            problems.Add(new SettingsProblem(
                "stages",
                $"[{string.Join(", ", settings.Stages)}] does not cover the {layers} layers; expected layer counts of at least 1 that add up to {layers}"));
            return;
        }

        for (int layer = 0; layer < layers; layer++)
        {
            if (settings.Network.Layers[layer] is DenseSpec { TiedTo: int source }
                && StageOf(settings.Stages, layer) != StageOf(settings.Stages, source))
            {
                problems.Add(new SettingsProblem(
                    "stages", $"layer {layer} is tied to layer {source}, so both must lie in one stage; expected stages that keep {source} to {layer} together"));
            }
        }
    }

    private static int StageOf(IReadOnlyList<int> stages, int layer)
    {
        int stage = 0;
        for (int end = stages[0]; layer >= end; end += stages[stage])
        {
            stage++;
        }

        return stage;
    }

    private static void CheckParameterServer(RunSettings settings, List<SettingsProblem> problems)
    {
        ParameterServerSettings server = settings.ParameterServer;
        RequireRange(problems, "parameter-server.shards", server.Shards, 1, Limits.ShardsMax);
        RequireRange(problems, "parameter-server.staleness-steps-max", server.StalenessStepsMax, 0, Limits.AsyncStalenessStepsMax);
        RequireRange(problems, "parameter-server.byzantine-max", server.ByzantineMax, 0, Limits.ReplicasMax);
        int tensors = TensorCount(settings.Network);
        if (server.Shards > tensors)
        {
            problems.Add(new SettingsProblem(
                "parameter-server.shards", $"{server.Shards} shards for {tensors} tensors, and a tensor is never split; expected 1 to {tensors}"));
        }

        RequireRange(problems, "parameter-server.copies", server.Copies, 1, Limits.CopiesMax);
        if (server.Copies > 1 && server.Consistency != Consistency.Sync)
        {
            problems.Add(new SettingsProblem(
                "parameter-server.copies",
                $"{server.Copies}: copies apply the same contributions in the same order, and with consistency: {server.Consistency.ToString().ToLowerInvariant()} the order "
                    + "is that of arrival, which differs between them; expected copies: 1, or parameter-server.consistency: sync"));
        }

        if (server.Compression == CompressionKind.TopK && server.TopKRatio is not (> 0 and <= 1))
        {
            problems.Add(new SettingsProblem("parameter-server.top-k-ratio", $"{server.TopKRatio}; expected above 0 and at most 1"));
        }

        CheckAggregate(settings, problems);
    }

    /// <summary>A replica without rows in the last step would have a vote of zeros, and with enough of them the step would be lost.</summary>
    private static void CheckLastStep(RunSettings settings, int trainRows, List<SettingsProblem> problems)
    {
        int batch = settings.Training.BatchSize, last = batch > 0 ? trainRows % batch : 0;
        if (settings.ParameterServer.Aggregate != Aggregate.Mean && last > 0 && last < settings.Replicas)
        {
            problems.Add(new SettingsProblem(
                "training.batch-size",
                $"{batch} leaves {last} of {trainRows} rows for an epoch's last step, and each of {settings.Replicas} replicas has a vote there; "
                + $"expected a size that leaves none or at least {settings.Replicas}, or parameter-server.aggregate: mean"));
        }
    }

    private static void CheckAggregate(RunSettings settings, List<SettingsProblem> problems)
    {
        ParameterServerSettings server = settings.ParameterServer;
        const string Key = "parameter-server.aggregate";
        if (server.Consistency != Consistency.Sync && server.Aggregate != Aggregate.Mean)
        {
            problems.Add(new SettingsProblem(
                Key, "robust aggregation compares the replicas' contributions to one step; expected mean, or consistency: sync"));
        }

        if (server.Consistency != Consistency.Sync && settings.Optimizer.ClipNorm is not null)
        {
            problems.Add(new SettingsProblem(
                "optimizer.clip-norm",
                "clipping needs the gradient of the whole step at once; expected no clip-norm, or "
                    + "parameter-server.consistency: sync"));
        }

        if (server.Aggregate == Aggregate.TrimmedMean && settings.Replicas <= 2 * server.ByzantineMax)
        {
            problems.Add(new SettingsProblem(
                Key, $"trimmed-mean drops {server.ByzantineMax} at each end of {settings.Replicas} replicas; expected at "
                    + $"least {(2 * server.ByzantineMax) + 1} replicas"));
        }

        if (server.Aggregate == Aggregate.Krum && settings.Replicas < (2 * server.ByzantineMax) + 3)
        {
            problems.Add(new SettingsProblem(
                Key,
                $"krum with byzantine-max {server.ByzantineMax} compares each contribution with its nearest neighbours; "
                + $"expected at least {(2 * server.ByzantineMax) + 3} replicas, there are {settings.Replicas}"));
        }

        if (server.Aggregate == Aggregate.Krum && settings.Optimizer.ClipNorm is not null)
        {
            problems.Add(new SettingsProblem("optimizer.clip-norm", "krum and clipping would need two decisions a step; expected one of them"));
        }
    }

    private static void CheckDurability(RunSettings settings, List<SettingsProblem> problems)
    {
        if (settings.Durability != Durability.Memory && settings.CheckpointEverySteps == 0)
        {
            problems.Add(new SettingsProblem(
                "checkpoint.every-steps",
                $"0: without snapshots the log of durability: {settings.Durability.ToString().ToLowerInvariant()} grows with every step; expected at least 1, or durability: memory"));
        }
    }

    private static int TensorCount(NetworkSpec network)
    {
        return network.Layers.Sum(layer => layer switch
        {
            DenseSpec dense => (dense.TiedTo is null ? 1 : 0) + (dense.Bias ? 1 : 0) + (dense.Activation == ActivationKind.Prelu ? 1 : 0),
            MaxoutSpec maxout => maxout.Bias ? 2 : 1,
            KCompetitiveSpec competitive => competitive.Bias ? 2 : 1,
            _ => 0,
        });
    }

    private static void RequireRange(List<SettingsProblem> problems, string key, int value, int low, int high)
    {
        if (value < low || value > high)
        {
            string expected = high == int.MaxValue ? $"at least {low}" : $"{low} to {high}";
            problems.Add(new SettingsProblem(key, $"{value}; expected {expected}"));
        }
    }
}
