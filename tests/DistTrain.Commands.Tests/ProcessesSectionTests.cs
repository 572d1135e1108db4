using DistTrain.Commands.Experiments;
using DistTrain.Numerics;

namespace DistTrain.Commands.Tests;

public sealed class ProcessesSectionTests
{
    private const string Text = """
        data: { source: xor }
        network: [ { dense: { units: 2, activation: softmax } } ]
        optimizer: { name: sgd, learning-rate: 0.1 }
        training: { epochs: 1, batch-size: 4 }
        engine: processes
        """;

    [Fact]
    public void WorkersAreReadAndWrittenBack()
    {
        Experiment experiment = Load("processes: { workers: 3 }", Overrides.None);
        experiment.Workers.ShouldBe(3);
        Load(ExperimentWriter.Write(experiment)).Workers.ShouldBe(3);
        Load("", Overrides.None).Workers.ShouldBe(0);
    }

    [Fact]
    public void TheCommandLineHasTheLastWord() =>
        Load("processes: { workers: 3 }", new Overrides([], null, Workers: 2)).Workers.ShouldBe(2);

    [Theory]
    [InlineData("processes: { workers: -1 }", "processes.workers")]
    [InlineData("processes: { workers: 1000 }", "processes.workers")]
    [InlineData("processes: { worker: 2 }", "workers")]
    public void WhatIsWrongIsNamed(string section, string named) =>
        Should.Throw<InvalidInputException>(() => Load(section, Overrides.None)).Message.ShouldContain(named);

    private static Experiment Load(string section, Overrides overrides) =>
        ExperimentLoader.Parse(new ExperimentSource($"{Text}\n{section}", "test", "/", "test"), overrides, engines: null).Experiment;

    private static Experiment Load(string text) =>
        ExperimentLoader.Parse(new ExperimentSource(text, "test", "/", "test"), Overrides.None, engines: null).Experiment;
}
