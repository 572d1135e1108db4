using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Studies;

/// <summary>
/// Every combination of a study as an experiment of its own, read and checked as a file would be. What no combination could mean is an
/// error; what one method cannot serve refuses that combination alone.
/// </summary>
internal sealed class StudyCases(LockingStudy study, IEngine engine, CommandHost host)
{
    private readonly ProblemList _problems = new();
    private readonly Dictionary<(ulong Seed, Precision Precision), ExperimentData> _data = [];
    private readonly Lazy<MachineProfile> _machine = PreparedRun.ThisMachine(host);
    private bool _faultsAreLeftOut;

    /// <summary>All combinations, by depth, condition, method, seed. Throws <see cref="InvalidInputException"/> with everything that is wrong.</summary>
    public IReadOnlyList<StudyCase> Build()
    {
        List<StudyCase> cases = [];
        foreach (int? depth in study.Depths)
        {
            foreach (StudyCondition condition in study.Conditions)
            {
                foreach (StudyMethod method in study.Methods)
                {
                    foreach (ulong? seed in study.Seeds)
                    {
                        cases.AddRange(Case(depth, condition, method, seed) is StudyCase one ? [one] : []);
                    }
                }
            }
        }

        _problems.ThrowIfAny();
        if (_faultsAreLeftOut)
        {
            host.Error.WriteLine("note: faults: left out, for a study's conditions slow layers; disttrain study faults compares a run with its faults");
        }

        return cases;
    }

    private StudyCase? Case(int? depth, StudyCondition condition, StudyMethod method, ulong? seed)
    {
        ConfigMap root = Nodes(depth, condition, method, seed);
        ProblemList problems = new();
        Experiment? experiment = new ExperimentReader(root, study.BaseFolder, study.Name, [engine.Name], problems).Read();
        if (experiment is not null && !problems.Any && experiment.Restarts > 1)
        {
            problems.Add(KeyPath.Locate(root, "training.restarts"), "training.restarts", "a study trains once from each seed; expected 1, and seeds of the study");
        }

        if (problems.Any || experiment is null)
        {
            _problems.AddAll(problems);
            return null;
        }

        StudyCase one = new()
        {
            Method = method.Label, Depth = depth, Condition = condition.Name, Seed = experiment.Settings.Seed, Experiment = experiment,
        };
        if (Refusal(SettingsChecks.Problems(experiment.Settings, trainRows: null)) is string refusal)
        {
            return one with { Refusal = refusal };
        }

        return Load(experiment, root) is ExperimentData data ? WithData(one, data, root, condition) : null;
    }

    private StudyCase? WithData(StudyCase one, ExperimentData data, ConfigMap root, StudyCondition condition)
    {
        Experiment experiment = one.Experiment.WithInputs(data.Run.Inputs);
        one = one with { Experiment = experiment };
        if (Refusal(SettingsChecks.Problems(experiment.Settings, data.Run.TrainRows)) is string refusal)
        {
            return one with { Refusal = refusal };
        }

        ProblemList problems = new();
        ExperimentChecks.WithData(experiment, data.Run, root, problems);
        if (problems.Any)
        {
            _problems.AddAll(problems);
            return null;
        }

        IReadOnlyDictionary<string, byte[]>? weights;
        try
        {
            weights = PreparedRun.WeightsOf(experiment);
        }
        catch (InvalidInputException error)
        {
            _problems.Add(KeyPath.Locate(root, "init.file"), "init.file", error.Message);
            return null;
        }

        RunPlan plan = new(experiment.Settings, data.Run.TrainRows, data.Run.TestRows);
        if (condition.Stragglers.FirstOrDefault(straggler => straggler.Layer >= plan.Stages.Count) is Straggler missing)
        {
            return one with { Refusal = $"there is no layer {missing.Layer} to be slow; expected 0 to {plan.Stages.Count - 1}" };
        }

        PreparedRun run = new PreparedRun(experiment, data, engine, weights).OnThisMachine(_machine);
        one = one with { Experiment = run.Experiment };
        _faultsAreLeftOut |= experiment.Faults.Count > 0;
        RunRequest request = run.Request(one.Seed, journal: null, resumeFromStep: 0) with
        {
            Faults =
            [
                .. condition.Stragglers.Select(straggler => new SlowFault(plan.Topology.LayerActor(0, straggler.Layer), straggler.Factor, straggler.For)
                {
                    At = FaultTime.AfterTime(straggler.After),
                }),
            ],
        };
        return engine.Refuses(request) is string reason ? one with { Refusal = reason } : one with { Request = request };
    }

    private static string? Refusal(IEnumerable<SettingsProblem> problems) =>
        string.Join("; ", problems.Select(problem => $"{problem.Key}: {problem.Message}")) is { Length: > 0 } text ? text : null;

    /// <summary>Generated data depends on the seed; no data depends on anything else that combinations differ in.</summary>
    private ExperimentData? Load(Experiment experiment, ConfigMap root)
    {
        (ulong Seed, Precision Precision) key = (experiment.Settings.Seed, experiment.Settings.Precision);
        if (_data.TryGetValue(key, out ExperimentData? data))
        {
            return data;
        }

        try
        {
            data = ExperimentData.Load(experiment, host.Stop);
        }
        catch (InvalidInputException error) when (KeyPath.Split(error.Message) is { Key.Length: > 0 } problem)
        {
            _problems.Add(KeyPath.Locate(root, problem.Key), problem.Key, problem.Message);
            return null;
        }

        _data.Add(key, data);
        return data;
    }

    /// <summary>The experiment's nodes with what the combination changes.</summary>
    private ConfigMap Nodes(int? depth, StudyCondition condition, StudyMethod method, ulong? seed)
    {
        ConfigMap root = Copy(study.Experiment, key => depth is not null && key == "stages");
        SourceMark mark = root.Mark;
        root.Set(method.Method);
        root.Set(new ConfigEntry("engine", mark, new ConfigScalar(mark, engine.Name, plain: true)));
        if (method.Optimizer is not null)
        {
            root.Set(method.Optimizer);
        }

        if (seed is ulong given)
        {
            root.Set(new ConfigEntry("seed", mark, new ConfigScalar(mark, FormattableString.Invariant($"{given}"), plain: true)));
        }

        ConfigMap simulation = root.TryFind("simulation", out ConfigEntry? own) && own.Value is ConfigMap map ? Copy(map, _ => false) : new ConfigMap(mark);
        foreach (ConfigEntry entry in condition.Simulation)
        {
            simulation.Set(entry);
        }

        if (study.TimingOnly)
        {
            simulation.Set(new ConfigEntry("timing-only", mark, new ConfigScalar(mark, "true", plain: true)));
        }

        root.Set(new ConfigEntry("simulation", own?.Mark ?? mark, simulation));
        if (depth is int layers)
        {
            root.Set(Network(root, layers));
        }

        return root;
    }

    /// <summary>So many hidden layers, and the last layer of the experiment.</summary>
    private ConfigEntry Network(ConfigMap root, int layers)
    {
        ConfigList network = new(study.Hidden!.Mark);
        ConfigMap hidden = new(study.Hidden.Mark);
        hidden.Set(new ConfigEntry("dense", study.Hidden.Mark, study.Hidden));
        for (int layer = 0; layer < layers; layer++)
        {
            network.Items.Add(hidden);
        }

        if (root.TryFind("network", out ConfigEntry? own) && own.Value is ConfigList { Items.Count: > 0 } given)
        {
            network.Items.Add(given.Items[^1]);
        }

        return new ConfigEntry("network", own?.Mark ?? study.Hidden.Mark, network);
    }

    private static ConfigMap Copy(ConfigMap map, Func<string, bool> leavesOut)
    {
        ConfigMap copy = new(map.Mark);
        foreach (ConfigEntry entry in map.Entries.Where(entry => !leavesOut(entry.Key)))
        {
            copy.Set(entry);
        }

        return copy;
    }
}
