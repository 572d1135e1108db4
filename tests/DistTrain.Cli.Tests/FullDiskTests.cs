using System.Diagnostics;
using System.Text.Json;
using DistTrain.Engines;
using Shouldly;
using Xunit;

namespace DistTrain.Cli.Tests;

/// <summary>A real disk without room: a file system of two megabytes in a mount namespace of its own, where the machine lets an ordinary user make one.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const string Experiment = """
        name: full
        seed: 3
        data: { source: glyphs }
        network:
          - dense: { units: 64, activation: relu }
          - dense: { units: 10, activation: softmax }
        loss: cross-entropy
        optimizer: { name: sgd, learning-rate: 0.05, momentum: 0.9 }
        training: { epochs: 1, batch-size: 64 }
        checkpoint: { every-steps: 20 }
        """;

    private readonly Disttrain _disttrain = new();

    public void Dispose() => _disttrain.Dispose();

    [SkippableTheory]
    [InlineData("step")]
    [InlineData("power")]
    public void AFullDiskStopsTheRunInWordsAndItGoesOnFromTheLastCommittedStepWhereThereIsRoom(string durability)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Mount namespaces are Linux's.");
        Directory.CreateDirectory(Path.Combine(_disttrain.Folder, "small"));
        Skip.IfNot(OnSmallDisk("true").Code == 0, "This machine lets nobody mount a file system in a namespace.");
        File.WriteAllText(Path.Combine(_disttrain.Folder, "full.yaml"), Experiment);
        string setting = $"durability={durability}", program = Disttrain.Program;

        (int code, string error) = OnSmallDisk($"dotnet exec '{program}' train full.yaml --set {setting} --out small/run --json; code=$?; cp -r small/run kept; exit $code");
        code.ShouldBe(3, error);
        error.ShouldContain("No space left on device");
        error.ShouldNotContain(".tmp");
        Directory.GetFiles(Path.Combine(_disttrain.Folder, "kept"), "*.tmp", SearchOption.AllDirectories).ShouldBeEmpty();
        long committed = Journal.LastCommittedStep(Path.Combine(_disttrain.Folder, "kept", "journal")).ShouldNotBeNull();
        committed.ShouldBeInRange(1, 187);

        string whole = Sha(Finished("train", "full.yaml", "--set", setting, "--out", "whole", "--json"));
        Sha(Finished("train", "--resume", "kept", "--json")).ShouldBe(whole);
        File.ReadAllLines(Path.Combine(_disttrain.Folder, "kept", "metrics.jsonl")).ShouldAllBe(line => line.EndsWith('}'));
    }

    private (int Code, string Error) OnSmallDisk(string command)
    {
        ProcessStartInfo start = new("unshare", ["-rm", "sh", "-c", $"mount -t tmpfs -o size=2m none small && {{ {command}; }}"])
        {
            WorkingDirectory = _disttrain.Folder, RedirectStandardError = true, RedirectStandardOutput = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            (int code, _, string error) = Disttrain.Finish(process);
            return (code, error);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (-1, "there is no unshare");
        }
    }

    private string Finished(params string[] arguments)
    {
        (int code, string output, string error) = _disttrain.Run(arguments);
        code.ShouldBe(0, error);
        return output;
    }

    private static string Sha(string summary) => JsonDocument.Parse(summary).RootElement.GetProperty("weights_sha256").GetString()!;
}
