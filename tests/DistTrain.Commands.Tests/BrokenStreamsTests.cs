using DistTrain.Engines;
using DistTrain.Engines.Threads;
using System.Text;

namespace DistTrain.Commands.Tests;

/// <summary>Standard streams that are closed, or files on a full disk.</summary>
public sealed class BrokenStreamsTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void ARunGoesOnWhereItsNoticesCannotBeWritten()
    {
        _bench.Write("my.yaml", Bench.Good);
        using StringWriter output = new();
        Run(output, new FullStream(), "train", "my.yaml", "--json", "--out", "run").ShouldBe(0);
        File.Exists(_bench.At("run", "model.safetensors")).ShouldBeTrue();
        output.ToString().ShouldBe(File.ReadAllText(_bench.At("run", "summary.json")));
    }

    [Theory]
    [InlineData("train", "nope")]
    [InlineData("evaluate", "nope")]
    [InlineData("train", "--nope")]
    public void BadInputEndsWithTwoEvenWhereNobodyCanBeTold(params string[] args) =>
        Run(TextWriter.Null, new FullStream(), args).ShouldBe(2);

    [Fact]
    public void ARunGoesOnWhereItsProgressCannotBeWrittenAndSaysSo()
    {
        _bench.Write("my.yaml", Bench.Good);
        using StringWriter error = new();
        Run(new FullStream(), error, "train", "my.yaml", "--out", "run").ShouldBe(0, error.ToString());
        File.Exists(_bench.At("run", "model.safetensors")).ShouldBeTrue();
        error.ToString().ShouldBe($"disttrain train: standard output cannot be written: {FullStream.Message}{Environment.NewLine}");
    }

    [Theory]
    [InlineData("presets")]
    [InlineData("--help")]
    [InlineData("train", "my.yaml", "--json", "--out", "run")]
    [InlineData("plan", "my.yaml")]
    [InlineData("paper", "worked-example")]
    [InlineData("paper", "worked-example", "--json")]
    public void ACommandWhoseOutputIsItsProductFailsWhereThatCannotBeWritten(params string[] args)
    {
        _bench.Write("my.yaml", Bench.Good);
        using StringWriter error = new();
        Run(new FullStream(), error, args).ShouldBe(3, error.ToString());
        error.ToString().TrimEnd().Split('\n')[^1].ShouldContain($": standard output cannot be written: {FullStream.Message}");
        Directory.Exists(_bench.At("run")).ShouldBe(args[0] == "train");
    }

    [Fact]
    public void NothingIsWrittenAfterAHole()
    {
        FullStream output = new(lostAfter: 1);
        Run(output, TextWriter.Null, "presets").ShouldBe(3);
        output.Tries.ShouldBe(2);
    }

    private int Run(TextWriter output, TextWriter error, params string[] args) =>
        CommandApp.Run(args, [new ThreadsEngine()], _bench.Host with { Out = output, Error = error, LastSnapshotStep = Journal.LastCommittedStep });

    /// <summary>Takes a number of writes, and no more.</summary>
    private sealed class FullStream(int lostAfter = 0) : TextWriter
    {
        public const string Message = "No space left on device";

        public int Tries { get; private set; }

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Try();

        public override void Write(char[] buffer, int index, int count) => Try();

        public override void Write(string? value) => Try();

        public override void WriteLine(string? value) => Try();

        private void Try()
        {
            if (Tries++ >= lostAfter)
            {
                throw new IOException(Message);
            }
        }
    }
}
