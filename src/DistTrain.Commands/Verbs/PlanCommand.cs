using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>plan</c> verb: what an experiment would cost by backpropagation and by front contribution.</summary>
internal sealed class PlanCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    private const double Mega = 1e6;

    /// <summary>Prints the table; returns the exit code.</summary>
    public int Execute(string experiment, Overrides overrides)
    {
        LoadedExperiment loaded = ExperimentLoader.Load(
            experiment, overrides, host.WorkingFolder, [.. engines.Select(engine => engine.Name)]);
        (ExperimentData data, Experiment read) = PreparedRun.LoadData(loaded, host.Stop);
        RunSettings settings = read.Settings;
        host.Out.WriteLine(
            $"{settings.Name}: {data.Run.TrainRows} training and {data.Run.TestRows} test rows of {data.Run.Inputs} features, "
            + $"{settings.Training.Epochs} epochs in batches of {settings.Training.BatchSize}");
        host.Out.WriteLine();
        host.Out.WriteLine(
            $"{"method",-28}{"MFLOP/step",12}{"MFLOP once",12}{"GFLOP in all",14}{"msgs/step",11}{"MB/step",10}{"MB once",10}{"MB actor",10}{"MB shard",10}");
        MethodSettings front = settings.Method with { Name = MethodCatalog.FrontContribution };
        double? backprop = Row("backprop", settings with { Method = new MethodSettings(Schedule: settings.Method.Schedule) }, data.Run);
        double? gram = Row("front-contribution, gram", settings with { Method = front with { Form = ContributionForm.Gram } }, data.Run);
        double? basis = Row(
            "front-contribution, basis", settings with { Method = front with { Form = ContributionForm.Basis, Shares = 1 } }, data.Run);
        host.Out.WriteLine();
        host.Out.WriteLine(Verdict(backprop, gram, basis));
        return ExitCodes.Done;
    }

    /// <summary>Prints one method's line; its operations in all, or null where it cannot serve the settings.</summary>
    private double? Row(string method, RunSettings settings, RunData data)
    {
        if (SettingsChecks.Problems(settings, data.TrainRows) is [SettingsProblem problem, ..])
        {
            host.Out.WriteLine($"{method,-28}  no: {problem.Key}: {problem.Message}");
            return null;
        }

        RunCost cost = new(new RunPlan(settings, data.TrainRows, data.TestRows));
        host.Out.WriteLine(
            $"{method,-28}{cost.OperationsPerStep / Mega,12:N2}{cost.OperationsOnce / Mega,12:N1}{cost.Operations / (1000 * Mega),14:N2}"
            + $"{cost.MessagesPerStep,11:N0}{cost.BytesPerStep / Mega,10:N2}{cost.BytesOnce / Mega,10:N1}{cost.LayerActorBytes / Mega,10:N1}{cost.ShardBytes / Mega,10:N1}");
        return cost.Operations;
    }

    private static string Verdict(double? backprop, double? gram, double? basis)
    {
        if (backprop is not double plain || (gram ?? basis) is null)
        {
            return "Front contribution cannot serve this experiment; the line above says why.";
        }

        bool isGram = basis is null || gram <= basis;
        double ratio = plain / (isGram ? gram : basis)!.Value;
        string form = isGram ? "gram" : "basis";
        return ratio >= 1.2
            ? $"Front contribution pays: form {form} takes {ratio:F1} times fewer operations than backprop."
            : $"Front contribution does not pay here: backprop takes {(ratio < 1 ? "fewer" : "about as many")} operations ({ratio:F2} times those of form {form}).";
    }
}
