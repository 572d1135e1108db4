using DistTrain.Commands.Experiments;
using DistTrain.Commands.Presets;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>plan</c> verb: checks everything that <c>train</c> checks, says what the run would cost by each method, and writes nothing.</summary>
internal sealed class PlanCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    /// <summary>Prints the plan; returns the exit code.</summary>
    public int Execute(string? experiment, Overrides overrides, MachineSource source, bool json)
    {
        MachineProfile? chosen = source.Profile(host.WorkingFolder);
        string[] names = [.. engines.Select(engine => engine.Name)];
        LoadedExperiment loaded = ExperimentLoader.Load(experiment ?? PresetCatalog.Default, overrides, host.WorkingFolder, names);
        PreparedRun run = PreparedRun.Prepare(loaded, engines, host.Stop);
        foreach (string warning in NetworkChecks.Warnings(run.Experiment.Settings.Network))
        {
            host.Error.WriteLine($"note: {warning}");
        }

        MachineProfile machine = chosen ?? run.Experiment.Simulation.Machine ?? MachineProfile.Default;
        RunRequest request = run.Request(run.Experiment.Settings.Seed, journal: null, resumeFromStep: 0);
        CostTable costs = CostModel.Of(
            request.Settings,
            request.Data.TrainRows,
            request.Data.TestRows,
            settings => run.Engine.Refuses(request with { Settings = settings }),
            machine);
        if (json)
        {
            host.Out.Write(PlanJson.Of(run, costs, machine));
        }
        else
        {
            new PlanReport(host).Print(run, costs, machine);
        }

        return ExitCodes.Done;
    }
}
