using DistTrain.Commands.Runs;

namespace DistTrain.Commands.Tests.Runs;

public sealed class ChangedDataTests : IDisposable
{
    private const string Train = "a,b,y\n1,2,0\n4,1,1\n-3,0.5,2\n2,2,0\n";
    private const string Test = "a,b,y\n1,1,0\n3,1,1\n";

    private readonly Bench _bench = new();

    public ChangedDataTests()
    {
        _bench.Write("train.csv", Train);
        _bench.Write("test.csv", Test);
        _bench.Write("my.yaml", Bench.Good.Replace(
            "  source: blobs\n  train-rows: 20\n  test-rows: 10",
            "  source: csv\n  train: train.csv\n  test: test.csv\n  label: y\n  standardize: true", StringComparison.Ordinal));
        _bench.Run("train", "my.yaml", "--out", "run", "--set", "training.batch-size=2").ShouldBe(0, _bench.Error);
        FakeJournal.Write(_bench.At("run", "journal"), 2);
    }

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("train.csv", "a,b,y\n1,2,0\n4,1,1\n-3,0.5,2\n", "data: train: {0}: 3 training rows, and the run began with 4;")]
    [InlineData("train.csv", "a,b,y\n1,2,0\n4,1,1\n-3,0.6,2\n2,2,0\n", "data: train: {0}: there are as many training rows as when the run began, but not the same;")]
    [InlineData("train.csv", "a,b,y\n1,2,0\n4,1,1\n-3,0.5,2\n2,2,1\n", "data: train: {0}: there are as many training rows as when the run began, but not the same;")]
    [InlineData("train.csv", "a,b,y\n4,1,1\n1,2,0\n-3,0.5,2\n2,2,0\n", "data: train: {0}: there are as many training rows as when the run began, but not the same;")]
    [InlineData("test.csv", "a,b,y\n1,1,0\n", "data: test: {0}: 1 test row, and the run began with 2;")]
    [InlineData("test.csv", "a,b,y\n1,1,0\n3,1.5,1\n", "data: test: {0}: there are as many test rows as when the run began, but not the same;")]
    public void AResumeOnOtherRowsIsRefusedAndLeavesTheRunAsItWas(string file, string text, string message)
    {
        _bench.Write(file, text);
        string summary = File.ReadAllText(_bench.At("run", "summary.json"));
        _bench.Run("train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(2);
        _bench.Error.ShouldContain("--resume run: " + message.Replace("{0}", _bench.At(file), StringComparison.Ordinal));
        _bench.Engine.Requests.Count.ShouldBe(1);
        File.ReadAllText(_bench.At("run", "summary.json")).ShouldBe(summary);
        _bench.Write("train.csv", Train);
        _bench.Write("test.csv", Test);
        _bench.Run("train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(0, _bench.Error);
    }

    [Fact]
    public void TheSameRowsInOtherWordsAreTheSame()
    {
        _bench.Write("train.csv", "\"a\", b ,y\r\n1.0,2,0\r\n4,1e0,1.0\r\n-3,.5,2\r\n\r\n2,2,0");
        _bench.Run("train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(0, _bench.Error);
    }

    [Theory]
    [InlineData("evaluate")]
    [InlineData("evaluate", "--data", "train")]
    [InlineData("predict")]
    [InlineData("predict", "rows.csv")]
    [InlineData("train", "--resume")]
    public void AClassByAnotherNameIsRefused(params string[] verb)
    {
        _bench.Write("train.csv", Train.Replace(",0\n", ",zero\n", StringComparison.Ordinal));
        _bench.Write("test.csv", Test.Replace(",0\n", ",zero\n", StringComparison.Ordinal));
        _bench.Write("rows.csv", "a,b\n1,2\n");
        string[] more = verb[0] == "train" ? ["--set", "training.epochs=4"] : [];
        _bench.Run(verb is ["predict", string rows] ? ["predict", "run", rows] : verb[0] == "train" ? [.. verb, "run", .. more] : [verb[0], "run", .. verb[1..]]).ShouldBe(2);
        _bench.Error.ShouldContain($"run: data: train: {_bench.At("train.csv")}: the classes are now 1, 2, zero, and the run began with 0, 1, 2;");
        _bench.Out.ShouldBeEmpty();
    }

    [Fact]
    public void InputsOfAnotherOrderOrNumberAreRefused()
    {
        _bench.Write("train.csv", "b,a,y\n2,1,0\n1,4,1\n0.5,-3,2\n2,2,0\n");
        _bench.Write("test.csv", "b,a,y\n1,1,0\n1,3,1\n");
        _bench.Run("evaluate", "run").ShouldBe(2);
        _bench.Error.ShouldContain($"run: data: train: {_bench.At("train.csv")}: the inputs are now b, a, and the run began with a, b;");
        _bench.Write("train.csv", "a,b,c,y\n2,1,1,0\n1,4,1,1\n0.5,-3,2,2\n2,2,2,0\n");
        _bench.Write("test.csv", "a,b,c,y\n1,1,1,0\n1,3,3,1\n");
        _bench.Run("predict", "run").ShouldBe(2);
        _bench.Error.ShouldContain($"run: data: train: {_bench.At("train.csv")}: 3 inputs, and the run began with 2;");
    }

    [Fact]
    public void OtherRowsMayBeEvaluated()
    {
        _bench.Write("test.csv", "a,b,y\n1,1,2\n3,1,1\n5,5,0\n");
        _bench.Run("evaluate", "run").ShouldBe(0, _bench.Error);
        _bench.Out.ShouldContain("3 test rows");
    }

    [Fact]
    public void ARunFolderOfAnEarlierVersionIsAcceptedAndKeepsWhatTheDataAreFromThenOn()
    {
        File.Delete(_bench.At("run", "data.json"));
        _bench.Run("evaluate", "run").ShouldBe(0, _bench.Error);
        _bench.Run("train", "--resume", "run", "--set", "training.epochs=4").ShouldBe(0, _bench.Error);
        DataRecord record = DataRecord.Read(_bench.At("run", "data.json")).ShouldNotBeNull();
        (record.TrainRows, record.TestRows, record.Inputs, record.Targets).ShouldBe((4, 2, 2, 3));
        record.InputNames.ShouldBe(["a", "b"]);
        record.Classes.ShouldBe(["0", "1", "2"]);
        record.TrainSha256.ShouldNotBeNull().Length.ShouldBe(64);
        record.ToJson().ShouldBe(File.ReadAllText(_bench.At("run", "data.json")));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{ \"train_rows\": 4 }")]
    [InlineData("{ \"train")]
    public void ADamagedRecordIsRefused(string text)
    {
        _bench.Write("run/data.json", text);
        _bench.Run("evaluate", "run").ShouldBe(2);
        _bench.Error.ShouldContain("data.json: this is not a record of data that disttrain wrote");
    }
}
