namespace DistTrain.Commands.Tests.Runs;

public sealed class EditedFolderTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("learning-rate: 0.1", "learning-rate: 0.3", "optimizer.learning-rate")]
    [InlineData("seed: 3", "seed: 5", "seed")]
    [InlineData("replicas: 1", "replicas: 5", "replicas")]
    [InlineData("units: 4", "units: 5", "another network")]
    public void AResumeFromAnEditedExperimentIsRefusedAsAChangeOnTheCommandLineIs(string line, string edited, string named)
    {
        _bench.Write("my.yaml", Bench.Good);
        _bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0);
        Edit(line, edited);
        _bench.Run("train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(2);
        _bench.Error.ShouldContain(named);
        Edit(edited, line);
        Edit("epochs: 2", "epochs: 3");
        _bench.Run("train", "--resume", "run").ShouldBe(0);
        _bench.Engine.Requests.Count.ShouldBe(2, "More epochs are no other run.");
    }

    [Fact]
    public void AFolderOfARunThatWasKilledBeforeItHadAnythingIsAsGoodAsAnEmptyOne()
    {
        _bench.Write("my.yaml", Bench.Good);
        Directory.CreateDirectory(_bench.At("run"));
        File.WriteAllText(_bench.At("run", ".running"), "");
        _bench.Run("train", "my.yaml", "--out", "run").ShouldBe(0);
    }

    private void Edit(string line, string edited)
    {
        string text = File.ReadAllText(_bench.At("run", "experiment.yaml"));
        text.ShouldContain(line);
        File.WriteAllText(_bench.At("run", "experiment.yaml"), text.Replace(line, edited, StringComparison.Ordinal));
    }
}
