using System.Text.RegularExpressions;
using DistTrain.Commands;
using DistTrain.Dashboard.Folders;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;

namespace DistTrain.Dashboard.Tests;

public sealed class HealthTests : IDisposable
{
    private readonly RunFolders _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public void DeadAndSaturatedUnitsAreSeenAndTheGradientThatDoesNotReachThem()
    {
        float[] zero = new float[16 * 2], low = [.. Enumerable.Repeat(-1f, 16)], high = [.. Enumerable.Repeat(9f, 4)];
        SafetensorsTensor[] tensors =
        [
            Tensor("layers.0.weight", [16, 2], zero), Tensor("layers.0.bias", [16], low), Tensor("layers.1.weight", [4, 16], new float[64]),
            Tensor("layers.1.bias", [4], high), Tensor("layers.2.weight", [3, 4], new float[12]), Tensor("layers.2.bias", [3], new float[3]),
        ];
        SafetensorsFile.Write(Path.Combine(_runs.Root, "start.safetensors"), tensors);
        Run("train", "blobs", "--out", "run", "--health", "--set", "init={ file: start.safetensors }", "--set", "checkpoint.every-steps=50",
            "--set", "network=[{ dense: { units: 16, activation: relu } }, { dense: { units: 4, activation: tanh } }, { dense: { units: 3, activation: softmax } }]");
        IReadOnlyList<LayerHealth> health = new MetricsFile(Path.Combine(_runs.Root, "run", "metrics.jsonl")).Read().Health;
        health.Select(layer => layer.Layer).ShouldBe(["layers.0", "layers.1", "layers.2"]);
        HealthRow first = health[0].Rows[^1], second = health[1].Rows[^1], last = health[2].Rows[^1];
        (first.Zero, first.Dead, first.GradientNorm, first.UpdateRatio).ShouldBe((1, 1, 0, 0));
        (second.Zero, second.Dead, second.Saturated).ShouldBe((0, 0, 1));
        double.IsNaN(first.Saturated).ShouldBeTrue("ReLU has no bound");
        last.GradientNorm.ShouldBeGreaterThan(0);
        health[0].Rows.Length.ShouldBeGreaterThan(1);
    }

    [Fact]
    public void HealthChangesNoWeightAndTiedLayersAreRefused()
    {
        Run("train", "blobs", "--out", "measured", "--health", "--set", "checkpoint.every-steps=20");
        Run("train", "blobs", "--out", "plain");
        File.ReadAllBytes(Path.Combine(_runs.Root, "measured", "model.safetensors")).ShouldBe(File.ReadAllBytes(Path.Combine(_runs.Root, "plain", "model.safetensors")));
        Execute("train", "blobs", "--health", "--out", "tied", "--set",
            "network=[{ dense: { units: 16, activation: relu } }, { dense: { units: 2, activation: relu, tied: 0 } }, { dense: { units: 3, activation: softmax } }]", "--set", "stages=1")
            .Error.ShouldContain("--health: layers with tied weights");
        Directory.Exists(Path.Combine(_runs.Root, "tied")).ShouldBeFalse();
    }

    [Fact]
    public void HealthIsMeasuredOnSnapshotsThatAreTakenAfterEveryEpoch()
    {
        Run("train", "blobs", "--engine", "simulated", "--health", "--out", "run", "--set", "checkpoint.every-steps=0", "--set", "training.epochs=3");
        string journal = string.Join('\n', Directory.GetFiles(Path.Combine(_runs.Root, "run", "journal"), "events-*").Select(File.ReadAllText));
        foreach (int step in new[] { 63, 126 })
        {
            Regex.IsMatch(journal, $"take-snapshot #[0-9]+ [^ ]+ step={step} ").ShouldBeTrue();
        }

        File.ReadAllText(Path.Combine(_runs.Root, "run", "experiment.yaml")).ShouldContain("each-epoch: true");
    }

    private static SafetensorsTensor Tensor(string name, int[] shape, float[] values) =>
        new(name, "F32", shape, System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray());

    private void Run(params string[] args)
    {
        (int code, string error) = Execute(args);
        code.ShouldBe(0, error);
    }

    private (int Code, string Error) Execute(params string[] args)
    {
        using StringWriter output = new(), error = new();
        IEngine[] engines = [new ThreadsEngine(), new SimulatedEngine()];
        int code = CommandApp.Run(args, engines, new CommandHost { Out = output, Error = error, WorkingFolder = _runs.Root });
        return (code, error.ToString());
    }
}
