using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Studies;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Schedules;

namespace DistTrain.Commands.Tests;

/// <summary>docs/experiment.md says what the readers of experiments do.</summary>
public sealed class ExperimentReferenceTests : IDisposable
{
    private static readonly IEngine[] s_engines = [new ThreadsEngine(), new SimulatedEngine(), new ProcessesEngine()];

    // Experiments that show all settings between them; of each key the first one that has it counts.
    private static readonly string[][] s_resolved =
    [
        ["network=[{ dense: { units: 2 } }, { dense: { units: 2, activation: softmax } }]"],
        ["optimizer={ name: sgd, learning-rate: 1 }"],
        ["data={ source: csv, train: a.csv, label: 0 }"],
        ["data={ source: blobs }"],
        ["network=[{ maxout: { units: 2, pieces: 2 } }, { k-competitive: { units: 2, k: 1, alpha: 1 } }, { dense: { units: 2, activation: softmax } }]"],
        ["engine=simulated", "simulation.costs={ forward: 1ms, backward: 1ms }"],
        ["engine=simulated", "faults=[{ crash: coordinator }, { link: \"* -> *\" }]"],
        ["engine=processes"],
        .. MethodCatalog.Names.Where(name => name != MethodCatalog.FrontContribution).Select(name => new[] { $"method={{ name: {name} }}" }),
        ["method.name=front-contribution", "optimizer={ name: sgd, learning-rate: 1 }", "network=[{ dense: { units: 2 } }, { dense: { units: 2, activation: softmax } }]"],
    ];

    private readonly Bench _bench = new();

    public static TheoryData<string> Sections { get; } = new(ExperimentReference.Sections.Where(title => ExperimentReference.Keys(title).Count > 0));

    public static TheoryData<string, string[]> Choices { get; } = new()
    {
        { "Top level", [.. Names.Precision.Names, .. Names.Durability.Names] },
        { "data", [.. Names.Sources, .. Names.Standardize.Names] },
        { "network", [.. Names.Activation.Names, .. Names.Initializer.Names.Except(["uniform"])] },
        { "optimizer", [.. Names.Optimizer.Names, .. Names.LearningRate.Names] },
        { "method", [.. MethodCatalog.Names, .. ScheduleCatalog.Names, .. Names.Form.Names, .. Names.Collapse.Names] },
        { "parameter-server", [.. Names.Consistency.Names, .. Names.Aggregate.Names, .. Names.Compression.Names] },
        { "engine", ["threads", "processes", "simulated", "akka"] },
    };

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void TheExampleAtTheTopTrains()
    {
        _bench.Write("clusters.yaml", ExperimentReference.Example(""));
        _bench.RunOn(s_engines, "train", "clusters.yaml", "--out", "run").ShouldBe(0, _bench.Error);
        File.Exists(_bench.At("run", "model.safetensors")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("network", "data: { source: glyphs }\noptimizer: adam\ntraining: { epochs: 1, batch-size: 8 }")]
    [InlineData("faults", Bench.Good)]
    public void TheExampleOfASectionIsRead(string section, string rest)
    {
        string example = ExperimentReference.Example(section);
        example.ShouldContain($"{section}:\n");
        Should.NotThrow(() => ExperimentLoader.Parse(new ExperimentSource($"{rest}\n{example}", "test", "/", "test"), Overrides.None, engines: null));
    }

    [Fact]
    public void TheExampleOfAStudyIsRead() =>
        LockingStudyReader.Read(_bench.Write("study.yaml", ExperimentReference.Example("Study files")), _bench.Folder).Methods.Count.ShouldBe(2);

    [Fact]
    public void EveryGroupHasASection() =>
        ExperimentReference.Sections.ShouldBe(
            [
                "Rules", "Top level", "data", "network", "init", "loss", "optimizer", "training", "method", "parameter-server", "durability and checkpoint", "engine",
                "processes", "simulation", "faults", "Study files",
            ]);

    [Theory]
    [MemberData(nameof(Sections))]
    public void EveryKeyThatTheReadersAcceptIsThereAndNoOther(string section) =>
        ExperimentReference.Keys(section).Select(row => row.Key).Distinct().Order(StringComparer.Ordinal)
            .ShouldBe(ReaderKeys.Of(section).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void TheTopLevelIsThatOfTheReader() =>
        ExperimentReference.Keys("Top level").Select(row => row.Key).Order(StringComparer.Ordinal).ShouldBe(ExperimentReader.Sections.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Choices))]
    public void EveryWordThatAKeyTakesIsThere(string section, string[] words)
    {
        string text = ExperimentReference.Section(section);
        foreach (string word in words)
        {
            text.ShouldContain($"`{word}`");
        }
    }

    [Fact]
    public void EveryLossIsThere() => Names.Loss.Names.ShouldAllBe(name => ExperimentReference.Section("loss").Contains($"\n| {name} |", StringComparison.Ordinal));

    [Fact]
    public void EveryDefaultIsThatOfTheResolvedExperiment()
    {
        ConfigMap[] resolved = [.. s_resolved.Select(Resolve)];
        int compared = 0;
        foreach (string section in ExperimentReference.Sections.Where(section => section != "Study files"))
        {
            foreach ((string key, string cell) in ExperimentReference.Keys(section))
            {
                if (ExperimentReference.Literal(cell) is not string expected)
                {
                    continue;
                }

                string? found = resolved.Select(root => Find(root, section, key)).FirstOrDefault(value => value is not null);
                Number(found.ShouldNotBeNull($"{section}: {key}")).ShouldBe(Number(expected), $"{section}: {key}");
                compared++;
            }
        }

        compared.ShouldBeGreaterThan(60);
    }

    [Fact]
    public void EveryFaultIsServedByTheEnginesThatAreNamed()
    {
        foreach ((string item, string[] named) in ExperimentReference.Faults())
        {
            s_engines.Where(engine => Serves(engine, item)).Select(engine => engine.Name).Order(StringComparer.Ordinal)
                .ShouldBe(named.Except([ClusterExperiment.EngineName]).Order(StringComparer.Ordinal), item);
        }
    }

    /// <summary>Each change alone, on an experiment that every method takes.</summary>
    [Theory]
    [InlineData("`micro-batches`", "training.micro-batches=2")]
    [InlineData("`replicas`", "replicas=2")]
    [InlineData("`consistency` other than `sync`", "parameter-server.consistency=ssp")]
    [InlineData("`aggregate` other than `mean`", "parameter-server.aggregate=median")]
    [InlineData("compression", "parameter-server.compression=int8")]
    [InlineData("`clip-norm`", "optimizer.clip-norm=1")]
    [InlineData("optimizers other than `sgd`", "optimizer=adam")]
    [InlineData("tied", "network.1.dense.tied=0")]
    [InlineData("fewer than 2 stages", "network=[{ dense: { units: 2, activation: softmax } }]")]
    [InlineData("dropout", "network.0={ dropout: { rate: 0.5 } }", "stages=[1, 1]")]
    [InlineData("fewer epochs than stages", "training.epochs=1")]
    [InlineData("a last stage of more than one layer", "network=[{ dense: { units: 2 } }, { dense: { units: 2 } }, { dense: { units: 2, activation: softmax } }]", "stages=[1, 2]")]
    public void EveryMethodRefusesWhatItsRowSays(string words, params string[] changes)
    {
        const string fitting = "network=[{ dense: { units: 2 } }, { dense: { units: 2, activation: softmax } }]";
        foreach ((string method, string refused) in ExperimentReference.Methods())
        {
            string[] all = [fitting, "optimizer={ name: sgd, learning-rate: 1 }", "training={ epochs: 2, batch-size: 4 }", $"method.name={method}", .. changes];
            bool refuses = false;
            try
            {
                ReaderKeys.Load(all);
            }
            catch (InvalidInputException)
            {
                refuses = true;
            }

            refuses.ShouldBe(refused.Contains(words, StringComparison.Ordinal), $"{method}: {words}");
        }

        ExperimentReference.Methods().Select(row => row.Method).ShouldBe(MethodCatalog.Names, ignoreOrder: true);
    }

    private static bool Serves(IEngine engine, string fault)
    {
        // What is read without the engine is no matter of the engine.
        ExperimentSource source = new($"{Bench.Good}\nengine: {engine.Name}\nfaults: [{fault}]\n", "test", "/", "test");
        LoadedExperiment loaded = ExperimentLoader.Parse(source, Overrides.None, engines: null);
        (loaded.Experiment.Faults.Count + loaded.Experiment.Byzantine.Count).ShouldBe(1, fault);
        try
        {
            PreparedRun.Prepare(loaded, s_engines, CancellationToken.None);
            return true;
        }
        catch (InvalidInputException refusal) when (refusal.Message.Contains($"engine {engine.Name} ", StringComparison.Ordinal))
        {
            return false;
        }
    }

    private static ConfigMap Resolve(string[] changes) =>
        ConfigText.Document(ExperimentWriter.Write(ReaderKeys.Load(changes).Experiment), "resolved", new ProblemList()).ShouldNotBeNull();

    /// <summary>The value of a key in a resolved experiment; null where it is not there or not set.</summary>
    private static string? Find(ConfigMap root, string section, string key)
    {
        ConfigNode? node = section switch
        {
            "Top level" => root,
            "durability and checkpoint" => Below(root, "checkpoint"),
            _ => Below(root, section),
        };
        foreach (string part in key.Split('.'))
        {
            node = Below(node, part);
        }

        return node is ConfigScalar { IsNull: false } scalar ? scalar.Text : null;
    }

    private static ConfigNode? Below(ConfigNode? node, string key) => node switch
    {
        ConfigMap map when map.TryFind(key, out ConfigEntry? entry) => entry.Value,
        ConfigList list => list.Items.Select(item => Below(item, key)).FirstOrDefault(found => found is not null),
        _ => null,
    };

    private static string Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number.ToString("R", CultureInfo.InvariantCulture) : text;
}
