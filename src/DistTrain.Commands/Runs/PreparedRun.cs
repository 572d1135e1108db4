using DistTrain.Commands.Experiments;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Runs;

/// <summary>A run that everything has been checked for: only starting it is left.</summary>
internal sealed record PreparedRun(
    Experiment Experiment, ExperimentData Data, IEngine Engine, IReadOnlyDictionary<string, byte[]>? InitialWeights)
{
    /// <summary>The request to the engine.</summary>
    /// <param name="seed">The seed of this start.</param>
    /// <param name="journal">Folder for snapshots.</param>
    /// <param name="resumeFromStep">The committed step to go on from; 0 starts anew.</param>
    public RunRequest Request(ulong seed, string? journal, long resumeFromStep) => new()
    {
        Settings = Experiment.WithSeed(seed).Settings,
        Data = Data.Run,
        JournalFolder = journal,
        ResumeFromStep = resumeFromStep,
        InitialWeights = InitialWeights,
        ComputeThreads = Experiment.ComputeThreads,
        Byzantine = Experiment.Byzantine,
        Faults = Experiment.Faults,
        Simulation = Experiment.Simulation,
        Workers = Experiment.Workers,
        Experiment = Experiment.Engine is ProcessesEngine.EngineName or ClusterExperiment.EngineName ? ExperimentWriter.Write(Experiment) : null,
    };

    /// <summary>
    /// Loads the data and checks the experiment against it, the engine and the initial weights. Throws
    /// <see cref="InvalidInputException"/> with everything that is wrong.
    /// </summary>
    public static PreparedRun Prepare(LoadedExperiment loaded, IReadOnlyList<IEngine> engines, CancellationToken cancel)
    {
        (ExperimentData data, Experiment experiment) = LoadData(loaded, withFingerprint: true, cancel);
        IEngine engine = engines.First(candidate => candidate.Name == experiment.Engine);
        PreparedRun prepared = new(experiment, data, engine, WeightsOf(experiment));
        RunRequest request = prepared.Request(experiment.Settings.Seed, journal: null, resumeFromStep: 0);
        if (experiment.MeasuresMachine)
        {
            // What a measured machine excludes is excluded before it is measured.
            request = request with { Simulation = request.Simulation with { Machine = MachineProfile.Default } };
        }

        if (engine.Refuses(request) is string refusal)
        {
            ProblemList problems = new();
            ExperimentChecks.Add(refusal, loaded.Root, problems);
            problems.ThrowIfAny();
        }

        return prepared;
    }

    /// <summary>The same run with this machine measured, where it stands for this one.</summary>
    public PreparedRun OnThisMachine(CommandHost host) => OnThisMachine(ThisMachine(host));

    /// <summary>The same with a machine that several runs measure once.</summary>
    public PreparedRun OnThisMachine(Lazy<MachineProfile> machine) => !Experiment.MeasuresMachine || Engine.Name != SimulatedEngine.EngineName
        ? this
        : this with { Experiment = Experiment with { MeasuresMachine = false, Simulation = Experiment.Simulation with { Machine = machine.Value } } };

    /// <summary>This machine, measured when somebody asks.</summary>
    public static Lazy<MachineProfile> ThisMachine(CommandHost host) => new(() =>
    {
        host.Error.WriteLine("note: simulation.machine: measuring this machine");
        return Calibration.Measure(Environment.MachineName, threads: 0, time: null, progress: null, host.Stop);
    });

    /// <summary>The initial weights that an experiment reads from a file, or null. Throws <see cref="InvalidInputException"/>.</summary>
    public static IReadOnlyDictionary<string, byte[]>? WeightsOf(Experiment experiment) => experiment.InitFile is string file
        ? ModelFile.Read(file, experiment.Settings.Network, experiment.Settings.Precision)
        : null;

    /// <summary>Loads the data and checks the experiment against it; the experiment gets the data's width.</summary>
    public static (ExperimentData Data, Experiment Experiment) LoadData(LoadedExperiment loaded, bool withFingerprint, CancellationToken cancel)
    {
        ProblemList problems = new();
        ExperimentData data;
        try
        {
            data = ExperimentData.Load(loaded.Experiment, withFingerprint, cancel);
        }
        catch (InvalidInputException error) when (KeyPath.Split(error.Message) is { Key.Length: > 0 } problem)
        {
            problems.Add(KeyPath.Locate(loaded.Root, problem.Key), problem.Key, problem.Message);
            throw new InvalidInputException(problems.ToString(), error);
        }

        Experiment experiment = loaded.Experiment.WithInputs(data.Run.Inputs);
        ExperimentChecks.WithData(experiment, data.Run, loaded.Root, problems);
        problems.ThrowIfAny();
        return (data, experiment);
    }
}
