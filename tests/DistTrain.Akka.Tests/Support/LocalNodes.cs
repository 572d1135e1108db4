using Akka.Actor;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Akka.Verbs;
using DistTrain.Commands.Runs;
using DistTrain.Engines.Processes;

namespace DistTrain.Akka.Tests.Support;

/// <summary>Nodes in this process, whose insides a test can see and spoil; clients are processes of their own.</summary>
internal sealed class LocalNodes : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("disttrain-local-");
    private readonly List<ActorSystem> _systems = [];
    private readonly List<string> _lines = [];
    private readonly Lock _lock = new();
    private readonly int[] _ports;

    /// <param name="nodes">How many.</param>
    /// <param name="spoil">Changes what a node makes of an experiment.</param>
    public LocalNodes(int nodes, Func<int, ChildExperiment, ChildExperiment> spoil)
    {
        _ports = TestPorts.Take(nodes);
        for (int node = 0; node < nodes; node++)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_root.FullName, $"node-{node}")).FullName, file = Path.Combine(folder, "cluster.conf");
            File.WriteAllText(file, $$"""
                disttrain {
                  node { host = "127.0.0.1", port = {{_ports[node]}}, data-dir = "data", compute-threads = 1 }
                  cluster { seeds = ["127.0.0.1:{{_ports[0]}}"] }
                }
                {{TestCluster.Forgiving}}
                """);
            NodeSettings settings = ClusterFile.Read(file, "cluster.conf");
            SealSetup seal = new(ClusterSecret.Of(TestCluster.Secret), Log, Log);
            int number = node;
            NodeHost host = new(settings, seal, null, (text, datasets) => spoil(number, ClusterExperiment.Read(text, datasets)), Log);
            ActorSystem system = SystemConfig.Node(settings, seal, null);
            Hosts.Add(host);
            _systems.Add(system);
            NodeCommand.Start(system, host);
        }
    }

    /// <summary>The nodes.</summary>
    public List<NodeHost> Hosts { get; } = [];

    /// <summary>What they have said.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Begins training in a process of its own.</summary>
    public NodeProcess BeginTraining(string experiment)
    {
        string file = Path.Combine(_root.FullName, "experiment.yaml");
        File.WriteAllText(file, experiment);
        string addresses = string.Join(',', _ports.Select(port => $"127.0.0.1:{port}"));
        return NodeProcess.Start(_root.FullName, TestCluster.Secret, [], "train", file, "--cluster", addresses, "--json", "--out", file + ".run");
    }

    /// <summary>The same experiment on threads.</summary>
    public NodeProcess OnThreads(string experiment)
    {
        string file = Path.Combine(_root.FullName, "threads.yaml");
        File.WriteAllText(file, experiment);
        return NodeProcess.Start(_root.FullName, null, [], "train", file, "--json", "--out", file + ".run");
    }

    public void Dispose()
    {
        Hosts.ForEach(host => host.Dispose());
        _systems.ForEach(system => system.Terminate().Wait(TestCluster.Patience));
        _root.Delete(recursive: true);
    }

    private void Log(string line)
    {
        lock (_lock)
        {
            _lines.Add(line);
        }
    }
}
