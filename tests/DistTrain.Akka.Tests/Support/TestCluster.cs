using System.Diagnostics;
using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Clients;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;

namespace DistTrain.Akka.Tests.Support;

/// <summary>Nodes as processes on loopback, each with a data folder of its own.</summary>
internal sealed class TestCluster : IDisposable
{
    /// <summary>A secret for tests.</summary>
    public const string Secret = "0123456789abcdef0123456789abcdef";

    /// <summary>How long anything may take before a test gives up: a busy machine has its time.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);

    /// <summary>Settings of nodes that forgive a minute of silence.</summary>
    internal const string Forgiving = """
        akka.cluster.failure-detector.acceptable-heartbeat-pause = 60s
        akka.remote.watch-failure-detector.acceptable-heartbeat-pause = 60s
        """;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("disttrain-akka-");
    private readonly List<NodeProcess> _nodes = [];
    private readonly int[] _ports;
    private readonly string? _clientConfig;
    private readonly bool _suspects;
    private readonly ClusterTarget _target;
    private readonly ActorSystem _system;

    /// <param name="nodes">How many.</param>
    /// <param name="more">More settings for each.</param>
    /// <param name="clientsReadThem">Whether clients are given these settings too, and not addresses alone.</param>
    /// <param name="suspects">Whether nodes suspect one another as soon as they do unless told otherwise. Where nobody is killed they forgive a minute of silence, for a
    /// busy machine is no fault.</param>
    public TestCluster(int nodes, string more = "", bool clientsReadThem = false, bool suspects = false)
    {
        _suspects = suspects;
        _ports = TestPorts.Take(nodes);
        if (clientsReadThem)
        {
            _clientConfig = Path.Combine(Folder, "client.conf");
            File.WriteAllText(_clientConfig, ConfigOf(_ports[0], more));
        }

        for (int node = 0; node < nodes; node++)
        {
            string folder = FolderOf(node);
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "cluster.conf"), ConfigOf(_ports[node], more));
            _nodes.Add(Start(node));
        }

        // A process for every question would take most of a small machine.
        TlsFiles? tls = _clientConfig is null ? null : ClusterTarget.TlsOf(ClusterFile.Read(_clientConfig, "client.conf"));
        _target = new ClusterTarget("disttrain", [], "127.0.0.1", Folder, tls, ClusterSecret.Of(Secret));
        _system = SystemConfig.Client(_target.Host, new SealSetup(_target.Secret, _ => { }, _ => { }), tls);
        try
        {
            WaitFor(() => Status()?.Members.Count(member => member.State == "up") == nodes, "all members to be up");
        }
        catch
        {
            // Nobody else can end processes of a cluster that never was.
            Dispose();
            throw;
        }
    }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<NodeProcess> Nodes => _nodes;

    /// <summary>Control ports by node.</summary>
    public IReadOnlyList<int> Ports => _ports;

    /// <summary>Addresses as <c>train --cluster</c> takes them.</summary>
    public string Addresses => _clientConfig ?? string.Join(',', _ports.Select(port => $"127.0.0.1:{port}"));

    /// <summary>A folder for files of a test.</summary>
    public string Folder => _root.FullName;

    /// <summary>The folder of the training that began last.</summary>
    public string RunFolder { get; private set; } = "";

    /// <summary>Settings of one more node.</summary>
    public string ConfigOf(int port, string more = "") => $$"""
        disttrain {
          node { host = "127.0.0.1", port = {{port}}, data-dir = "data", datasets-dir = ".", compute-threads = 1 }
          cluster { seeds = ["127.0.0.1:{{_ports[0]}}", "127.0.0.1:{{_ports[^1]}}"] }
          {{more}}
        }
        akka.remote.retry-gate-closed-for = 500ms
        {{(_suspects ? "" : Forgiving)}}
        """;

    /// <summary>Kills a node and deletes what it kept.</summary>
    public void Lose(int node)
    {
        _nodes[node].Kill();
        Directory.Delete(Path.Combine(FolderOf(node), "data"), recursive: true);
    }

    /// <summary>Kills every node at the same moment, each with what it kept still there.</summary>
    public void KillAll() => Task.WaitAll([.. _nodes.Select(node => Task.Run(node.Kill))]);

    /// <summary>Starts nodes again that were killed.</summary>
    public void Restart()
    {
        for (int node = 0; node < _nodes.Count; node++)
        {
            if (!_nodes[node].Lives)
            {
                _nodes[node] = Start(node);
            }
        }
    }

    /// <summary>Goes on with a run in its folder.</summary>
    public NodeProcess Resume(string runFolder) =>
        NodeProcess.Start(Folder, Secret, [], "train", "--resume", runFolder, "--cluster", Addresses, "--json");

    /// <summary>Begins training; the summary is the last of its lines.</summary>
    public NodeProcess BeginTraining(string experiment, string secret = Secret)
    {
        string file = Path.Combine(Folder, $"{Guid.NewGuid():n}.yaml");
        File.WriteAllText(file, experiment);
        RunFolder = file + ".run";
        return NodeProcess.Start(Folder, secret, [], "train", file, "--cluster", Addresses, "--json", "--out", file + ".run");
    }

    /// <summary>Trains to the end; the summary.</summary>
    public JsonElement Train(string experiment)
    {
        using NodeProcess client = BeginTraining(experiment);
        return Finish(client);
    }

    /// <summary>Waits for the end of a training; its summary.</summary>
    public JsonElement Finish(NodeProcess client)
    {
        if (!client.WaitForExit(Patience))
        {
            throw new TimeoutException($"training did not end; {Said()}");
        }

        string text = string.Join('\n', client.Lines);
        int start = text.IndexOf('{', StringComparison.Ordinal);
        return start < 0 ? throw new InvalidOperationException($"no summary: {text}; {Said()}") : JsonDocument.Parse(text[start..(text.LastIndexOf('}') + 1)]).RootElement;
    }

    /// <summary>The weights of the same experiment on threads.</summary>
    public string OnThreads(string experiment)
    {
        string file = Path.Combine(Folder, $"{Guid.NewGuid():n}.yaml");
        File.WriteAllText(file, experiment);
        using NodeProcess run = NodeProcess.Start(Folder, null, [], "train", file, "--json", "--out", file + ".run");
        return Weights(Finish(run));
    }

    /// <summary>The weights' hash.</summary>
    public static string Weights(JsonElement summary) => summary.GetProperty("weights_sha256").GetString()!;

    /// <summary>What a node says of the cluster; null when none answers.</summary>
    public StatusReport? Status()
    {
        string[] seeds = [.. Enumerable.Range(0, _nodes.Count).Where(node => _nodes[node].Lives).Select(node => $"127.0.0.1:{_ports[node]}")];
        return seeds.Length == 0 ? null : ClusterQuestions.Status(_system, _target with { Seeds = seeds });
    }

    /// <summary>What a node says of the cluster, once one answers: on a busy machine the first may take longer than a question waits.</summary>
    public StatusReport Answer()
    {
        StatusReport? status = null;
        WaitFor(() => (status = Status()) is not null, "a node to answer");
        return status!;
    }

    /// <summary>The node that hosts an actor.</summary>
    public int NodeOf(StatusReport status, string actor)
    {
        string address = status.Members.First(member => member.Actors?.Contains(actor) ?? false).Address;
        return Array.FindIndex(_ports, port => address.EndsWith($":{port}", StringComparison.Ordinal));
    }

    /// <summary>Waits until a run has committed a step; what the cluster says then.</summary>
    public StatusReport WaitForStep(long step)
    {
        StatusReport? status = null;
        WaitFor(() => (status = Status())?.Run?.Step >= step, $"step {step}");
        return status!;
    }

    /// <summary>Waits until something holds; throws with what the nodes said when it does not come.</summary>
    public void WaitFor(Func<bool> holds, string what)
    {
        long start = Stopwatch.GetTimestamp();
        using ManualResetEventSlim never = new();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"waited for {what}; {Said()}");
            }

            never.Wait(TimeSpan.FromMilliseconds(100));
        }
    }

    public void Dispose()
    {
        foreach (NodeProcess node in _nodes)
        {
            node.Dispose();
        }

        _system.Terminate().Wait(Patience);
        _root.Delete(recursive: true);
    }

    private NodeProcess Start(int node) => NodeProcess.Start(FolderOf(node), Secret, [], "node", "--config", "cluster.conf");

    private string FolderOf(int node) => Path.Combine(Folder, $"node-{node}");

    private string Said() => string.Join('\n', _nodes.Select((node, index) => $"node {index}:\n  {string.Join("\n  ", node.Lines.TakeLast(12))}"));
}
