using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// What an experiment would cost by each method, from its settings and the number of rows alone: arithmetic, messages, tensor bytes, memory. A run that nothing
/// disturbs and that does not stop early sends these messages and bytes exactly, acknowledgements aside.
/// </summary>
/// <remarks>
/// Arithmetic counts multiply-adds of matrix products. A layer with n inputs and h outputs of W x takes n h of them a row forward, n h backward for the weights
/// and n h for the signal to the layer before, where there is one. The first layer under front contribution takes less; <see cref="CostFirstLayer"/> has
/// its formulas, <see cref="CostHistories"/> those of layers behind it that are collapsed too, <see cref="CostMessages"/> and <see cref="CostMemory"/> those of messages and memory.
/// Methods that give each stage a signal of its own are counted from their instructions: <see cref="CostInstructions"/>.
/// </remarks>
public static class CostModel
{
    /// <summary>The cost of an experiment by every method.</summary>
    /// <param name="settings">Validated settings, with the data's input width.</param>
    /// <param name="trainRows">Training rows.</param>
    /// <param name="testRows">Test rows; 0 for none.</param>
    /// <param name="refuses">Why an engine cannot run settings that are valid otherwise, or null; asked for each method.</param>
    /// <param name="machine">What the predicted time is for; null for <see cref="MachineProfile.Default"/>.</param>
    public static CostTable Of(RunSettings settings, int trainRows, int testRows, Func<RunSettings, string?>? refuses = null, MachineProfile? machine = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        List<CostEntry> entries = [];
        foreach (MethodSettings method in Methods(settings.Method))
        {
            RunSettings variant = settings with { Method = method };
            string? refusal = SettingsChecks.Problems(variant, trainRows).Select(problem => $"{problem.Key}: {problem.Message}").FirstOrDefault()
                ?? refuses?.Invoke(variant);
            CostEntry entry = new(method, IsPlanned(settings, method, trainRows, testRows)) { Refusal = refusal };
            entries.Add(refusal is null ? Cost(entry, new RunPlan(variant, trainRows, testRows), machine ?? MachineProfile.Default) : entry);
        }

        return new CostTable(entries, Verdict(settings, trainRows, testRows, entries));
    }

    private static IEnumerable<MethodSettings> Methods(MethodSettings planned)
    {
        foreach (string name in MethodCatalog.Names)
        {
            switch (name)
            {
                case "backprop":
                    foreach (string schedule in ScheduleCatalog.Names)
                    {
                        yield return new MethodSettings(name, schedule);
                    }

                    break;
                case FrontContribution.MethodName:
                    yield return new MethodSettings(name) { Form = ContributionForm.Gram, Shares = planned.Shares, Collapse = planned.Collapse };
                    yield return new MethodSettings(name) { Form = ContributionForm.Basis, Shares = planned.Shares, Collapse = planned.Collapse };
                    break;
                default:
                    yield return planned.Name == name ? planned : new MethodSettings(name);
                    break;
            }
        }
    }

    private static bool IsPlanned(RunSettings settings, MethodSettings method, int trainRows, int testRows)
    {
        if (settings.Method.Name != method.Name)
        {
            return false;
        }

        return FrontContributionPlan.For(settings, trainRows, testRows) is FrontContributionPlan front
            ? front.Form == method.Form
            : method.Name != "backprop" || settings.Method.Schedule == method.Schedule;
    }

    private static CostEntry Cost(CostEntry entry, RunPlan plan, MachineProfile machine)
    {
        StageProgram<float>[] programs =
        [
            .. plan.Stages.Select(stage => new StageProgram<float>(
                plan.Network, stage.FirstLayer, stage.LayerCount, plan.IsLastStage(stage.Index) ? plan.Settings.Loss : null)),
        ];
        double valueBytes = plan.Settings.Precision == Numerics.Precision.Float32 ? sizeof(float) : sizeof(double);
        CostInstructions? walked = CostInstructions.Serves(plan.Method) ? new CostInstructions(plan, programs) : null;
        CostArithmetic arithmetic = Arithmetic(plan);
        CostEntry counted = entry with
        {
            Arithmetic = walked is null
                ? arithmetic
                : arithmetic with { PerStep = walked.PerStep.Products, Steps = walked.Total.Products, UpdatesPerStep = walked.PerStep.UpdatedValues },
            Messages = CostMessages.Of(plan, [.. programs.Select(program => program.OutputWidth)], valueBytes, walked),
            HistoryBytes = (plan.Front?.Histories.Sum(entry => (double)entry.History.Values) ?? 0) * valueBytes,
            Actors = new CostMemory(plan, programs, valueBytes, walked).Actors(),
        };
        return counted with { Seconds = new CostTime(plan, machine).Seconds(counted.Arithmetic, counted.MessagesTotal) };
    }

    private static CostArithmetic Arithmetic(RunPlan plan)
    {
        RunSettings settings = plan.Settings;
        CostFirstLayer first = CostFirstLayer.Of(settings, plan.TrainRows, plan.TestRows);
        CostHistories histories = CostHistories.Of(plan);
        (double forward, double training) = OtherLayers(settings.Network);
        (forward, training) = (forward + histories.ForwardRow, training + histories.TrainingRow);
        double batch = settings.Training.BatchSize, updates = plan.Slices.Where(slice => !slice.Frozen).Sum(slice => (double)slice.StateLength);
        double width = plan.Front is null ? first.Inputs : plan.Front.Features, once = plan.Front is null ? 0 : first.OnceOf(plan.Front.Form);

        // The Gram form's gradient is the signal itself; clipping then needs its norm.
        bool isGram = plan.Front?.Form == ContributionForm.Gram;
        double perRow = (isGram ? 1 : 2) * width * first.Outputs;
        double clippingStep = isGram && first.Clips ? batch * batch * first.Outputs : 0, clipping = isGram ? first.ClippingPerEpoch : 0;
        return new CostArithmetic(
            (batch * (perRow + training)) + clippingStep + histories.Step,
            (first.Epochs * ((plan.TrainRows * (perRow + training)) + clipping)) + (plan.TotalSteps * histories.Step),
            once + histories.Once,
            first.EvaluatedRows * ((width * first.Outputs) + forward),
            updates);
    }

    /// <summary>Multiply-adds a row of all layers but the first, held as weights: forward, and of a training pass.</summary>
    private static (double Forward, double Training) OtherLayers(NetworkSpec network)
    {
        double forward = 0, training = 0, width = network.Inputs;
        for (int layer = 0; layer < network.Layers.Count; layer++)
        {
            double outputs = ContributedSpec.OutputsOf(network.Layers[layer]);
            forward += layer == 0 ? 0 : width * outputs;
            training += layer == 0 ? 0 : 3 * width * outputs;
            width = network.Layers[layer] is MaxoutSpec maxout ? maxout.Units : outputs > 0 ? outputs : width;
        }

        return (forward, training);
    }

    private static CostVerdict? Verdict(RunSettings settings, int trainRows, int testRows, IReadOnlyList<CostEntry> entries)
    {
        MethodSettings[] served =
        [
            .. entries.Where(entry => entry.Settings.Name == FrontContribution.MethodName && entry.Refusal is null).Select(entry => entry.Settings),
        ];
        if (served.Length == 0)
        {
            return null;
        }

        CostFirstLayer first = CostFirstLayer.Of(settings, trainRows, testRows);
        (double forward, double training) = OtherLayers(settings.Network);
        double others = (trainRows * first.Epochs * training) + (first.EvaluatedRows * forward);
        CostHistories histories = CostHistories.Of(new RunPlan(settings with { Method = served[0] }, trainRows, testRows));
        CostVerdict verdict = CostBreakEven.Judge(first, [.. served.Select(method => method.Form)], others, histories);
        double front = entries.First(entry => entry.Settings.Form == verdict.Form && entry.Settings.Name == FrontContribution.MethodName).Seconds;
        double[] backprop = [.. entries.Where(entry => entry.Settings.Name == "backprop" && entry.Refusal is null).Select(entry => entry.Seconds)];
        return verdict with { TimeFactor = backprop.Length == 0 ? double.NaN : backprop.Min() / front };
    }
}
