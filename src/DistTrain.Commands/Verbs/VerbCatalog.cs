using System.CommandLine;
using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Papers;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Studies;
using DistTrain.Engines;

namespace DistTrain.Commands.Verbs;

/// <summary>Every verb with its arguments, options and a help text that shows how it is used.</summary>
internal static class VerbCatalog
{
    /// <summary>The whole command line.</summary>
    public static RootCommand Root(
        IReadOnlyList<IEngine> engines, CommandHost host, IReadOnlyList<Command> extraVerbs, IReadOnlyList<Option> trainOptions)
    {
        RootCommand root = new(
            """
            DistTrain trains neural networks with actors: layer actors pass activations forward and gradients backward as messages, and a
            parameter server aggregates updates.

            Start here:
              disttrain train                     train the built-in example (drawn digits, under a minute)
              disttrain presets xor > my.yaml     take an example as the start of an experiment of your own
              disttrain train my.yaml             train it; results go to a folder under runs/
              disttrain dashboard                 look at the runs in a browser; train --dashboard shows one while it lasts

            Exit codes: 0 done, or stopped as asked (status in summary.json tells), 1 ran and did not hold, 2 bad input, 3 stopped by a fault it could not survive.
            """)
        {
            Train(engines, host, trainOptions),
            Plan(engines, host),
            Evaluate(host),
            Predict(host),
            Export(host),
            Presets(host),
            Doctor(engines, host),
            Calibrate(host),
            Bench(engines, host),
            StudyVerbs.Create(engines, host),
            PaperVerbs.Create(engines, host),
            FaultVerbs.Soak(host),
            DashboardVerbs.Dashboard(host),
            DashboardVerbs.Report(host),
        };
        VerbHelp.AddTo(root);
        foreach (Command verb in extraVerbs)
        {
            root.Add(verb);
        }

        return root;
    }

    private static Verb Train(IReadOnlyList<IEngine> engines, CommandHost host, IReadOnlyList<Option> more)
    {
        string names = MapReader.OneOf([.. engines.Select(engine => engine.Name)]);
        Argument<string?> experiment = Optional("experiment", "Experiment file, or the name of a preset (disttrain presets). Default: glyphs.");
        Option<string?> engine = Value("--engine", "name", $"What runs the actors: {names}.");
        Option<string[]> set = Set();
        Option<string?> folder = Value("--out", "folder", "Run folder; must not exist yet or be empty. Default: runs/NAME-DATE-TIME.");
        Option<int?> workers = new("--workers") { HelpName = "number", Description = "Engine processes: processes that layer actors are spread over. Default: one per core." };
        Option<string?> resume = Value("--resume", "folder", "Goes on with the run in this folder: from its last committed step where it keeps a log, else from its last snapshot.");
        Option<bool> json = Flag("--json", "Prints summary.json on standard output and nothing else.");
        Option<bool> trace = Flag("--trace", "Writes trace.json into the run folder: jobs, waits and messages, for ui.perfetto.dev or chrome://tracing. On engines threads and simulated.");
        Option<bool> health = Flag("--health", "Measures layers after every epoch and at every snapshot, for their page: zero, dead and saturated units, gradient norms, update-to-weight ratios.");
        Option<string?> otlp = Value("--otlp", "address", "Sends metrics, and spans of some steps' jobs, to the OpenTelemetry collector there, by OTLP over HTTP.");
        DashboardFlags dashboard = new();
        Verb command = new(
            "train",
            "Trains a network. Everything is checked before anything starts; Ctrl-C stops at a committed step and says how to go on.",
            [
                "disttrain train",
                "disttrain train xor --set seed=7",
                "disttrain train my.yaml --set training.epochs=20 --out runs/longer",
                "disttrain train xor --engine simulated --trace",
                "disttrain train --dashboard --controls",
                "disttrain train --engine processes --workers 2",
                "disttrain train --resume runs/longer --set training.epochs=40",
            ],
            makesFiles: true) { experiment, engine, workers, set, folder, resume, json, trace, health, otlp };
        foreach (Option option in more)
        {
            command.Add(option);
        }

        dashboard.AddTo(command);
        command.SetAction(result => new TrainCommand(host, engines).Execute(new TrainOptions(
            result.GetValue(experiment),
            new Overrides(result.GetValue(set) ?? [], result.GetValue(engine), result.GetValue(workers)),
            result.GetValue(folder),
            result.GetValue(resume),
            result.GetValue(json),
            result.GetValue(trace))
        {
            Dashboard = dashboard.Read(result),
            Health = result.GetValue(health),
            Otlp = result.GetValue(otlp),
        }));
        return command;
    }

    private static Verb Plan(IReadOnlyList<IEngine> engines, CommandHost host)
    {
        Argument<string?> experiment = Optional("experiment", "Experiment file, or the name of a preset (disttrain presets). Default: glyphs.");
        Option<string[]> set = Set();
        Option<bool> calibrate = Flag("--calibrate", "Measures this machine for the predicted times, in about eight seconds.");
        Option<string?> machine = Value("--machine", "file", "Profile of the machine that times are predicted for; with --calibrate it is written there. Default: that of simulation.machine, else two cores with AVX-512.");
        Option<bool> json = Flag("--json", "Prints the whole table as JSON on standard output and nothing else.");
        Verb command = new(
            "plan",
            "Says what a run would cost by each method, without training: FLOPs, time, messages, bytes, memory, and whether front contribution pays.",
            [
                "disttrain plan my.yaml",
                "disttrain plan my.yaml --set training.epochs=50 --set training.batch-size=32",
                "disttrain plan my.yaml --set method.name=front-contribution --set method.collapse=all",
                "disttrain plan my.yaml --calibrate --machine here.json",
            ]) { experiment, set, calibrate, machine, json };
        command.SetAction(result => new PlanCommand(host, engines).Execute(
            result.GetValue(experiment),
            new Overrides(result.GetValue(set) ?? [], null),
            new MachineSource(result.GetValue(calibrate), result.GetValue(machine)),
            result.GetValue(json)));
        return command;
    }

    private static Verb Evaluate(CommandHost host)
    {
        Argument<string> run = RunFolder();
        Option<string?> model = Model();
        Option<string?> data = Value("--data", "test|train", "Which rows. Default: test rows where there are any, else training rows.");
        Option<bool> json = Flag("--json", "Prints the figures as JSON on standard output and nothing else.");
        Verb command = new(
            "evaluate",
            "Computes loss and accuracy of a trained network on the rows of its experiment.",
            ["disttrain evaluate runs/glyphs-20260101-120000 --data test", "disttrain evaluate my.yaml --model elsewhere.safetensors"]) { run, data, model, json };
        command.SetAction(result => new EvaluateCommand(host).Execute(
            result.GetRequiredValue(run), result.GetValue(data), result.GetValue(json), result.GetValue(model)));
        return command;
    }

    private static Verb Predict(CommandHost host)
    {
        Argument<string> run = RunFolder();
        Argument<string?> input = Optional("input", "CSV file, one row of inputs a line. Default: the experiment's test rows, else its training rows.");
        Option<string?> file = Value("--out", "file", "CSV file to write. Default: standard output.");
        Option<string?> model = Model();
        Verb command = new(
            "predict",
            "Prints what a trained network says about rows: the class and every output, as CSV.",
            [
                "disttrain predict runs/iris-20260101-120000 flowers.csv",
                "disttrain predict runs/glyphs-20260101-120000 --out predictions.csv",
            ]) { run, input, file, model };
        command.SetAction(result => new PredictCommand(host).Execute(
            result.GetRequiredValue(run), result.GetValue(input), result.GetValue(file), result.GetValue(model)));
        return command;
    }

    private static Verb Export(CommandHost host)
    {
        Argument<string> run = RunFolder();
        Option<string?> format = Value("--format", "name", "safetensors, onnx, or tensorboard for the run's metrics. Default: safetensors.");
        Option<string?> file = Value("--out", "file", "File to write; for tensorboard it may be a folder of logs.");
        file.Required = true;
        Verb command = new(
            "export",
            "Writes a trained network, or what its training measured, to a file for other programs.",
            [
                "disttrain export runs/glyphs-20260101-120000 --out glyphs.safetensors",
                "disttrain export runs/glyphs-20260101-120000 --format onnx --out glyphs.onnx",
                "disttrain export runs/glyphs-20260101-120000 --format tensorboard --out logs/glyphs",
            ]) { run, format, file };
        command.SetAction(result => new ExportCommand(host).Execute(
            result.GetRequiredValue(run), result.GetValue(format) ?? "safetensors", result.GetRequiredValue(file)!));
        return command;
    }

    private static Verb Presets(CommandHost host)
    {
        Argument<string?> name = Optional("name", "A preset, to print its experiment file.");
        Verb command = new(
            "presets",
            "Lists the built-in experiments, or prints one as a file to start from.",
            ["disttrain presets", "disttrain presets xor > my.yaml"]) { name };
        command.SetAction(result => new PresetsCommand(host).Execute(result.GetValue(name)));
        return command;
    }

    private static Verb Doctor(IReadOnlyList<IEngine> engines, CommandHost host)
    {
        Argument<string?> experiment = Optional("experiment", "Experiment file or preset to check as well.");
        Verb command = new(
            "doctor",
            "Checks this machine, and an experiment if one is given, without training. Exit code 1 when something would go wrong.",
            ["disttrain doctor", "disttrain doctor my.yaml"]) { experiment };
        command.SetAction(result => new DoctorCommand(host, engines).Execute(result.GetValue(experiment)));
        return command;
    }

    private static Verb Calibrate(CommandHost host)
    {
        Option<string?> file = Value("--out", "file", "File of the profile. Default: machine.json; with --json none.");
        Option<int> threads = new("--threads") { HelpName = "count", Description = "Compute threads to measure. Default: one per core." };
        threads.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string text }] && !(int.TryParse(text, out int count) && count is >= 1 and <= 1024))
            {
                result.AddError($"--threads: '{text}' is out of range; expected a whole number from 1 to 1024");
            }
        });
        Option<bool> json = Flag("--json", "Prints the profile as JSON on standard output and nothing else.");
        Verb command = new(
            "calibrate",
            """
            Measures this machine in about eight seconds and writes its profile: what matrix products, activations, updates, messages, jobs and sleeping threads
            take. With it disttrain plan predicts times here, and engine simulated stands for engine threads on this machine. Measure while nothing
            else runs: of each piece the fastest repetition counts, but threads that others keep busy cannot show how they help.
            """,
            [
                "disttrain calibrate",
                "disttrain calibrate --threads 4 --out four.json",
                "disttrain plan my.yaml --machine machine.json",
                "disttrain train my.yaml --engine simulated --set simulation.machine=machine.json --set simulation.nodes=1 --set simulation.slots-per-node=2",
            ],
            makesFiles: true) { file, threads, json };
        command.SetAction(result => new CalibrateCommand(host).Execute(result.GetValue(file), result.GetValue(threads), result.GetValue(json)));
        return command;
    }

    private static Verb Bench(IReadOnlyList<IEngine> engines, CommandHost host)
    {
        Argument<string?> experiment = Optional("experiment", "Experiment file, or the name of a preset (disttrain presets). Default: glyphs.");
        Option<string[]> set = Set();
        Option<double> seconds = new("--seconds")
        {
            HelpName = "number",
            Description = "Seconds of each measurement, after as long to warm up. Default: 2.",
            DefaultValueFactory = _ => BenchCommand.SecondsDefault,
        };
        seconds.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string text }]
                && !(double.TryParse(text, CultureInfo.InvariantCulture, out double number) && number is >= BenchCommand.SecondsMin and <= BenchCommand.SecondsMax))
            {
                result.AddError(string.Create(
                    CultureInfo.InvariantCulture,
                    $"--seconds: '{text}' is out of range; expected a number from {BenchCommand.SecondsMin} to {BenchCommand.SecondsMax}"));
            }
        });
        Option<bool> json = Flag("--json", "Prints the figures as JSON on standard output and nothing else.");
        Verb command = new(
            "bench",
            """
            A quick benchmark: trains an experiment for some seconds by the plain loop, by actors on one compute thread and on all, and says how long a step takes.
            Faults are left out, and nothing is written.
            """,
            ["disttrain bench", "disttrain bench my.yaml --seconds 5", "disttrain bench xor --set training.batch-size=64 --json"]) { experiment, set, seconds, json };
        command.SetAction(result => new BenchCommand(host, engines).Execute(
            result.GetValue(experiment), result.GetValue(set) ?? [], result.GetValue(seconds), result.GetValue(json)));
        return command;
    }

    private static Option<string?> Model() =>
        Value("--model", "file", "Safetensors file from elsewhere in place of the run's model; the run may then be an experiment file.");

    private static Argument<string> RunFolder() => new("run") { Description = "Run folder." };

    private static Argument<string?> Optional(string name, string description) =>
        new(name) { Arity = ArgumentArity.ZeroOrOne, Description = description };

    private static Option<string?> Value(string name, string value, string description) =>
        new(name) { HelpName = value, Description = description };

    private static Option<string[]> Set() => new("--set")
    {
        HelpName = "key=value",
        Description = "Changes a setting, for example training.epochs=10 or network.0.dense.units=32. May be repeated.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description };
}
