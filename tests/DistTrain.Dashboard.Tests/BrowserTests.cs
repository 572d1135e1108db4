using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using DistTrain.Commands;
using DistTrain.Commands.Dashboards;
using DistTrain.Dashboard.Pages;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;

namespace DistTrain.Dashboard.Tests;

/// <summary>The pages in a real browser. Skipped, and said so, where there is no browser, no Node.js package or no built page.</summary>
public sealed class BrowserTests : IDisposable
{
    // A run that goes on until it is stopped, a minute or more where nothing else runs. Each epoch is one step, so that a calm run can be told to make as many.
    private static readonly string[] Run =
        ["train", "blobs", "--set", "data.train-rows=32", "--set", "data.test-rows=8", "--set", "training.evaluate-every=1000000", "--set", "stages=2", "--set", "checkpoint.every-steps=1000000"];

    private readonly RunFolders _runs = new();

    public void Dispose() => _runs.Dispose();

    [SkippableFact]
    public void ARunFromTheCommandLineIsWatchedOneOfItsActorsCrashedByButtonAndItsWeightsAreTheSame()
    {
        Watch("live");
        (Restarts("run") > 0, Weights("run")).ShouldBe((true, Weights("calm")));
    }

    [SkippableFact]
    public void AWorkerIsPausedAndItsProcessKilledByButtonAndTheWeightsAreTheSame()
    {
        Watch("paused", "--engine", "processes", "--workers", "2", "--set", "durability=memory");
        (Restarts("run") > 0, Weights("run")).ShouldBe((true, Weights("calm")));
    }

    [SkippableFact]
    public void ALinkIsCutAndAnActorSlowedByButtonAndTheWeightsAreTheSame()
    {
        Watch("cut", "--engine", "simulated");
        Weights("run").ShouldBe(Weights("calm"));
    }

    [SkippableFact]
    public void PagesOfALongRunWithManyLayersHoldNoMoreAtItsEndThanAtItsBeginning()
    {
        string hidden = string.Concat(Enumerable.Repeat("  - dense: { units: 8, activation: tanh }\n", 19));
        File.WriteAllText(Path.Combine(_runs.Root, "deep.yaml"), $"""
            name: deep
            seed: 1
            data:
              source: blobs
              train-rows: 32
              test-rows: 8
            network:
            {hidden}  - dense: {"{ units: 3, activation: softmax }"}
            loss: cross-entropy
            optimizer:
              name: sgd
              learning-rate: 0.01
            training:
              epochs: 3000000
              batch-size: 32
              evaluate-every: 1000000
            checkpoint:
              every-steps: 50
            """);
        Play("long", "train", "deep.yaml", "--health");
    }

    /// <summary>Watches a run from the command line, and trains as many steps without disturbance on threads.</summary>
    private void Watch(string scenario, params string[] options)
    {
        Play(scenario, [.. Run, .. options, "--set", "training.epochs=3000000"]);
        Disttrain(0, [.. Run, "--set", $"training.epochs={Summary("run").GetProperty("steps").GetInt64()}", "--out", "calm", "--json"]);
    }

    /// <summary>Starts a run from the command line, plays a scenario on its pages, and stops it.</summary>
    private void Play(string scenario, params string[] args)
    {
        Node.SkipWithoutBrowser();
        using Process watched = Start([.. args, "--out", "run", "--dashboard", "--controls", "--port", "0"]);
        string address = "";
        while (watched.StandardOutput.ReadLine() is string line && address.Length == 0)
        {
            address = line.StartsWith("dashboard: http", StringComparison.Ordinal) ? line["dashboard: ".Length..] : "";
        }

        Task rest = watched.StandardOutput.ReadToEndAsync();
        try
        {
            Node.Run("scenarios.mjs", scenario, address);
            using Process stop = Process.Start("kill", ["-TERM", watched.Id.ToString(CultureInfo.InvariantCulture)]);
            watched.WaitForExit(TimeSpan.FromMinutes(1)).ShouldBeTrue();
            rest.Wait(TimeSpan.FromMinutes(1)).ShouldBeTrue();
        }
        finally
        {
            if (!watched.HasExited)
            {
                watched.Kill(entireProcessTree: true);
            }
        }

        watched.ExitCode.ShouldBe(0);
        Summary("run").GetProperty("status").GetString().ShouldBe("stopped");
    }

    [SkippableFact]
    public void EveryPageIsShownInBothWidthsAndThemesAndByKeyboardAlone()
    {
        Node.SkipWithoutBrowser();
        Disttrain(0, "train", "blobs", "--out", "one");
        Disttrain(0, "train", "xor", "--engine", "simulated", "--trace", "--out", "traced");
        File.WriteAllText(Path.Combine(_runs.Root, "study.yaml"), Study);
        Disttrain(0, "study", "locking", "study.yaml", "--out", "locks");
        File.Exists(Path.Combine(_runs.Root, "locks", "report.html")).ShouldBeTrue();
        Disttrain(0, "study", "faults", Path.Combine(Node.Root, "examples", "faults", "layer-crash.yaml"), "--out", "faults");
        using IDashboardServer server = Serve();
        Node.Run("scenarios.mjs", "pages", server.Address.ToString());
        Node.Run("scenarios.mjs", "keyboard", server.Address.ToString());
        Disttrain(0, "report", "traced");
        Node.Run("scenarios.mjs", "report", new Uri(Path.Combine(_runs.Root, "traced", "report.html")).ToString());
    }

    [SkippableFact]
    public void HostileNamesAndContentsAreText()
    {
        Node.SkipWithoutBrowser();
        const string markup = "<img src=x onerror=window.broken=1>";
        string folder = _runs.Add(
            $"{markup}&amp;'\"", markup, RunFolders.Steps(1, 3) + $"{{\"type\":\"health\",\"step\":1,\"layer\":\"{markup}\",\"zero\":1e308}}\n",
            $"{{\"name\":\"{markup}\",\"status\":\"{markup}\",\"method\":\"{markup}\",\"engine\":[],\"steps\":-1e300,\"{markup}\":{{\"a\":\"{markup}\"}}}}");
        _runs.Add("one", metrics: RunFolders.Steps(1, 3));
        string study = _runs.Add($"study {markup}");
        File.WriteAllText(Path.Combine(study, "study.json"), $"{{\"name\":\"{markup}\",\"runs\":[{{\"method\":\"{markup}\",\"reason\":\"{markup}\",\"layers\":[{{\"layer\":\"{markup}\"}}]}},7]}}");
        File.WriteAllText(Path.Combine(_runs.Root, "hostile.json"), JsonSerializer.Serialize(Path.GetFileName(folder)));
        using IDashboardServer server = Serve();
        Node.Run("scenarios.mjs", "hostile", server.Address.ToString(), _runs.Root);
        File.WriteAllText(Path.Combine(_runs.Root, "hostile.json"), JsonSerializer.Serialize(Path.GetFileName(study)));
        Node.Run("scenarios.mjs", "hostile", server.Address.ToString(), _runs.Root);
    }

    [SkippableFact]
    public void AFirstVisitorIsToldWhatToType()
    {
        Node.SkipWithoutBrowser();
        using IDashboardServer server = Serve();
        Node.Run("scenarios.mjs", "empty", server.Address.ToString());
    }

    private const string Study =
        """
        name: small
        experiment:
          seed: 3
          data: { source: blobs, train-rows: 48, test-rows: 10 }
          network:
            - dense: { units: 6, activation: tanh }
            - dense: { units: 3, activation: softmax }
          loss: cross-entropy
          optimizer: { name: sgd, learning-rate: 0.1 }
          training: { epochs: 8, batch-size: 6, micro-batches: 3 }
        methods:
          - { name: backprop, schedule: sequential }
          - { name: backprop, schedule: 1f1b }
          - local-loss
        """;

    private IDashboardServer Serve() => new DashboardPages().Serve(new DashboardOptions(_runs.Root, IPAddress.Loopback, Port: 0, Controls: false));

    private void Disttrain(int code, params string[] args)
    {
        using StringWriter output = new(), error = new();
        IEngine[] engines = [new ThreadsEngine(), new SimulatedEngine()];
        CommandApp.Run(args, engines, new CommandHost { Out = output, Error = error, WorkingFolder = _runs.Root, Dashboard = new DashboardPages() })
            .ShouldBe(code, error.ToString());
    }

    private Process Start(string[] args)
    {
        ProcessStartInfo start = new("dotnet") { WorkingDirectory = _runs.Root, RedirectStandardOutput = true };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "disttrain.dll"));
        foreach (string argument in args)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private int Restarts(string run) => Summary(run).GetProperty("restarts").GetInt32();

    private string Weights(string run) => Summary(run).GetProperty("weights_sha256").GetString()!;

    private JsonElement Summary(string run) => JsonPages.ReadFile(Path.Combine(_runs.Root, run, "summary.json"), 1 << 20)!.Value;
}
