using DistTrain.Engines;

namespace DistTrain.Commands.Tests;

/// <summary>A working folder of its own, with captured output; deleted at the end.</summary>
public sealed class Bench : IDisposable
{
    /// <summary>A small experiment that is right in every way.</summary>
    public const string Good =
        """
        name: small
        seed: 3
        data:
          source: blobs
          train-rows: 20
          test-rows: 10
        network:
          - dense: { units: 4, activation: relu }
          - dense: { units: 3, activation: softmax }
        loss: cross-entropy
        optimizer: { name: sgd, learning-rate: 0.1 }
        training: { epochs: 2, batch-size: 5 }
        """;

    private readonly StringWriter _out = new(), _error = new();

    public Bench()
    {
        Folder = Directory.CreateTempSubdirectory("disttrain-test-").FullName;
    }

    public string Folder { get; }

    internal FakeEngine Engine { get; init; } = new();

    public string Out => _out.ToString();

    public string Error => _error.ToString();

    /// <summary>Names of everything in the folder, without files that the test wrote.</summary>
    public IEnumerable<string> LeftBehind(params string[] written) =>
        Directory.EnumerateFileSystemEntries(Folder).Select(path => Path.GetFileName(path)!).Except(written);

    public string At(params string[] parts) => Path.Combine([Folder, .. parts]);

    public string Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return name;
    }

    public int Run(params string[] args) => RunOn([Engine], args);

    /// <summary>Runs with engines of the program itself.</summary>
    internal int RunOn(IReadOnlyList<IEngine> engines, params string[] args)
    {
        _out.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        return CommandApp.Run(args, engines, Host);
    }

    /// <summary>Runs a file with one line of <see cref="Good"/> replaced.</summary>
    public int RunChanged(string line, string replacement, params string[] more)
    {
        Good.ShouldContain(line);
        Write("my.yaml", Good.Replace(line, replacement, StringComparison.Ordinal));
        return Run(["train", "my.yaml", .. more]);
    }

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        _out.Dispose();
        _error.Dispose();
    }

    /// <summary>Whether output goes to something that says it is a terminal.</summary>
    public bool Interactive { get; init; }

    /// <summary>Asks commands to stop.</summary>
    public CancellationToken Stop { get; init; }

    internal CommandHost Host => new() { Stop = Stop, Interactive = Interactive, Out = _out, Error = _error, WorkingFolder = Folder, Clock = new FixedClock(), LastSnapshotStep = FakeJournal.Read };

    private sealed class FixedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    }
}
