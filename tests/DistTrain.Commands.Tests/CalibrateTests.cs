using System.Text.Json;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Tests;

public sealed class CalibrateTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void EveryNumberIsFiniteAndComesBackFromTheFile()
    {
        _bench.Run("calibrate", "--threads", "1", "--out", "here.json").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldContain("1, 1.00 times one");
        _bench.Out.ShouldContain("Written to here.json");
        string text = File.ReadAllText(_bench.At("here.json"));
        MachineProfile machine = MachineFile.Read(_bench.At("here.json"));
        MachineFile.Text(machine).ShouldBe(text);
        MachineFile.Text(MachineFile.Parse(MachineFile.Line(machine), "line")).ShouldBe(text);
        using JsonDocument document = JsonDocument.Parse(text);
        double[] numbers = [.. Numbers(document.RootElement)];
        numbers.Length.ShouldBeGreaterThan(50);
        numbers.ShouldAllBe(number => double.IsFinite(number) && number >= 0);
        machine.ProductGigaflopsFloat32.ShouldBeGreaterThan(0);
        machine.StreamRates.ShouldAllBe(rate => rate.GigabytesPerSecond > 0);
        _bench.LeftBehind("here.json").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("\"threads\": 2", "\"threads\": 0", "threads: expected numbers above 0")]
    [InlineData("\"thread_speedup\": 1.7", "\"thread_speedup\": 2.5", "thread_speedup: expected a number from 1 to threads")]
    [InlineData("\"job_seconds\": ", "\"job_seconds\": -", "job_seconds: expected 0 or more")]
    [InlineData("\"job_seconds\"", "\"job_secs\"", "job_secs")]
    [InlineData("\"kind\": \"relu\"", "\"kind\": \"relo\"", "activations")]
    [InlineData("\"kind\": \"relu\"", "\"kind\": \"tanh\"", "activations: expected each of linear, relu, ")]
    [InlineData("\"kind\": \"adam\"", "\"kind\": \"sgd\"", "updates: expected each of sgd, ")]
    public void AForeignProfileIsRefusedWithWhatIsWrong(string right, string wrong, string message)
    {
        string text = MachineFile.Text(MachineProfile.Default);
        text.ShouldContain(right);
        _bench.Write("bad.json", text.Replace(right, wrong, StringComparison.Ordinal));
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("plan", "my.yaml", "--machine", "bad.json").ShouldBe(2);
        _bench.Error.ShouldContain("bad.json: ");
        _bench.Error.ShouldContain(message);
        _bench.Error.ShouldContain("expected what disttrain calibrate writes");
        _bench.RunChanged("seed: 3", "simulation: { machine: bad.json }").ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml:2: simulation.machine: ");
        _bench.Error.ShouldContain(message);
    }

    [Fact]
    public void WhatCannotBeWrittenIsSaidBeforeAnythingIsMeasured()
    {
        _bench.Run("calibrate", "--out", "no/such/folder.json").ShouldBe(2);
        _bench.Error.ShouldContain("--out: no/such/folder.json is in a folder that does not exist");
        _bench.Error.ShouldNotContain("measuring");
        _bench.Run("calibrate", "--threads", "0").ShouldBe(2);
        _bench.Error.ShouldContain("--threads: '0' is out of range; expected a whole number from 1 to 1024");
    }

    [Fact]
    public void AnExperimentTakesItsMachineFromAFileBesideIt()
    {
        Directory.CreateDirectory(_bench.At("folder"));
        MachineProfile machine = MachineProfile.Default with { Name = "a \"name\" with: {signs}", JobSeconds = 0.25 };
        MachineFile.Write(_bench.At("folder", "machine.json"), machine);
        Experiment read = Read(Bench.Good + "\nengine: simulated\nsimulation: { machine: machine.json, nodes: 1, slots-per-node: 2 }", _bench.At("folder"));
        MachineFile.Text(read.Simulation.Machine!).ShouldBe(MachineFile.Text(machine));

        // The resolved experiment holds the numbers, wherever the file is by then.
        Experiment again = Read(ExperimentWriter.Write(read), "/");
        MachineFile.Text(again.Simulation.Machine!).ShouldBe(MachineFile.Text(machine));
        again.Simulation.SlotsPerNode.ShouldBe(2);
    }

    [Fact]
    public void ThisMachineIsMeasuredLater()
    {
        Experiment read = Read(Bench.Good + "\nengine: simulated\nsimulation: { machine: this }", "/");
        (read.MeasuresMachine, read.Simulation.Machine).ShouldBe((true, null));
        Read(ExperimentWriter.Write(read), "/").MeasuresMachine.ShouldBeTrue();
    }

    [Fact]
    public void AMeasuredMachineIsNotIdealisedToo()
    {
        _bench.RunChanged("seed: 3", "simulation: { machine: this, job-overhead: 1us }").ShouldBe(2);
        _bench.Error.ShouldContain("my.yaml:2: simulation.job-overhead: a measured machine says this itself");
        _bench.RunChanged("seed: 3", "simulation: { machine: none.json }").ShouldBe(2);
        _bench.Error.ShouldContain("none.json");
    }

    [Fact]
    public void APlanIsForTheMachineThatTheExperimentStandsFor()
    {
        MachineFile.Write(_bench.At("machine.json"), MachineProfile.Default with { Name = "the slow one", StartSeconds = 5 });
        _bench.Write("my.yaml", Bench.Good + "\nsimulation: { machine: machine.json }");
        _bench.Run("plan", "my.yaml").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldContain("predicted for one process on the slow one");
    }

    private static Experiment Read(string text, string folder) =>
        ExperimentLoader.Parse(new ExperimentSource(text, "test", folder, "test"), Overrides.None, engines: null).Experiment;

    private static IEnumerable<double> Numbers(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => [element.GetDouble()],
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Numbers(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Numbers),
        _ => [],
    };
}
