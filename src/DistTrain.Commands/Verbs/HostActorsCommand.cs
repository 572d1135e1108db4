using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Engines.Processes;

namespace DistTrain.Commands.Verbs;

/// <summary>What the program does as a child of the processes engine. It stands in no list of commands, for nobody starts it by hand.</summary>
public static class HostActorsCommand
{
    /// <summary>Whether the command line asks for it.</summary>
    public static bool IsAsked(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        return args is [ProcessesChild.Verb, ..];
    }

    /// <summary>Hosts actors until the run ends; returns the exit code.</summary>
    public static int Run() =>
        ProcessesChild.Run(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, Read);

    private static ChildExperiment Read(string text)
    {
        ExperimentSource source = new(text, "the run's experiment", Environment.CurrentDirectory, "run");
        Experiment experiment = ExperimentLoader.Parse(source, Overrides.None, engines: null).Experiment;
        return new ChildExperiment(
            experiment.Settings,
            () => ExperimentData.Load(experiment, CancellationToken.None).Run,
            network => experiment.InitFile is string file ? ModelFile.Read(file, network, experiment.Settings.Precision) : null,
            experiment.Byzantine);
    }
}
