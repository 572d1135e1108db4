using System.Diagnostics;
using System.Net;
using System.Text.Json;
using DistTrain.Akka.Nodes;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Support;

/// <summary>Three hosts in network namespaces of their own, and a fourth namespace for clients, all on one network.</summary>
internal sealed class Hosts : IDisposable
{
    private const int Count = 3, Port = 4711;
    private const string Hub = "disttrain-hub", HubAddress = "10.77.0.254", Device = "eth0";
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("disttrain-hosts-");
    private SlowNetwork? _slow;

    public List<NodeProcess> Nodes { get; } = [];

    private static string Addresses => string.Join(',', Enumerable.Range(0, Count).Select(host => $"{AddressOf(host)}:{Port}"));

    /// <summary>Packets that the user-space network has carried and dropped; null where the kernel's own network is used.</summary>
    public (long Carried, long Dropped)? Packets => _slow is null ? null : (_slow.Carried, _slow.Dropped);

    /// <summary>Hosts on a bridge, whose links are as fast as the machine.</summary>
    public static Hosts Create() => Create(hosts => hosts.MakeBridge());

    /// <summary>Hosts whose links have 20 ms delay each way and lose 1 % of the packets: by netem where the kernel has it, else by a network
    /// in user space.</summary>
    public static Hosts CreateSlow()
    {
        Hosts hosts = Create(_ => true);
        if (hosts.MakeBridge())
        {
            if (Enumerable.Range(0, Count).All(host =>
                In(NameOf(host), "tc", "qdisc", "add", "dev", Device, "root", "netem", "delay", "20ms", "loss", "1%")))
            {
                return hosts;
            }

            hosts.RemoveDevices();
        }

        if (!hosts.MakeSlowNetwork())
        {
            hosts.Dispose();
            Skip.If(true, "the kernel has neither netem nor TUN devices");
        }

        return hosts;
    }

    public void Begin()
    {
        for (int host = 0; host < Count; host++)
        {
            string folder = Path.Combine(_root.FullName, NameOf(host));
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "cluster.conf"), $$"""
                disttrain {
                  node { host = "{{AddressOf(host)}}", port = {{Port}}, data-dir = "data", compute-threads = 1 }
                  cluster { seeds = ["{{AddressOf(0)}}:{{Port}}", "{{AddressOf(1)}}:{{Port}}"] }
                }
                """);
            Nodes.Add(NodeProcess.Start(folder, TestCluster.Secret, Inside(NameOf(host)), "node", "--config", "cluster.conf"));
        }

        WaitFor(() => Status()?.Members.Count(member => member.State == "up") == Count, "three hosts");
    }

    /// <summary>Kills a host's node and deletes what it kept.</summary>
    public void Lose(int host)
    {
        Nodes[host].Kill();
        Directory.Delete(Path.Combine(_root.FullName, NameOf(host), "data"), recursive: true);
    }

    public NodeProcess Train(string experiment)
    {
        string file = Path.Combine(_root.FullName, "experiment.yaml");
        File.WriteAllText(file, experiment);
        return NodeProcess.Start(_root.FullName, TestCluster.Secret, Inside(Hub), "train", file, "--cluster", Addresses, "--json", "--out", file + ".run");
    }

    public JsonElement Finish(NodeProcess client)
    {
        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        string text = string.Join('\n', client.Lines);
        text.ShouldContain("{");
        return JsonDocument.Parse(text[text.IndexOf('{', StringComparison.Ordinal)..(text.LastIndexOf('}') + 1)]).RootElement;
    }

    public string OnThreads(string experiment)
    {
        string file = Path.Combine(_root.FullName, "threads.yaml");
        File.WriteAllText(file, experiment);
        using NodeProcess run = NodeProcess.Start(_root.FullName, null, [], "train", file, "--json", "--out", file + ".run");
        return TestCluster.Weights(Finish(run));
    }

    public int HostOf(string actor, long step)
    {
        StatusReport? status = null;
        WaitFor(() => (status = Status())?.Run?.Step >= step, $"step {step}");
        string address = status!.Members.First(member => member.Actors?.Contains(actor) ?? false).Address;
        return Enumerable.Range(0, Count).First(host => address.Contains($"@{AddressOf(host)}:", StringComparison.Ordinal));
    }

    public void Cut(int host) => In(Hub, "ip", "link", "set", $"v{host}", "down").ShouldBeTrue();

    public void Heal(int host) => In(Hub, "ip", "link", "set", $"v{host}", "up").ShouldBeTrue();

    public void Wait(TimeSpan time)
    {
        using ManualResetEventSlim never = new();
        never.Wait(time);
    }

    public void Dispose()
    {
        Nodes.ForEach(node => node.Dispose());
        Remove();
        _slow?.Dispose();
        _root.Delete(recursive: true);
    }

    private static Hosts Create(Func<Hosts, bool> connect)
    {
        Skip.IfNot(Environment.UserName == "root" && Run("ip", "netns", "list"), "network namespaces need root and ip");
        Hosts hosts = new();
        hosts.Remove();
        bool made = Names.All(name => Run("ip", "netns", "add", name) && In(name, "ip", "link", "set", "lo", "up")) && connect(hosts);
        if (!made)
        {
            hosts.Dispose();
        }

        Skip.IfNot(made, "namespaces, bridges or veth pairs cannot be made here");
        return hosts;
    }

    private bool MakeBridge() =>
        In(Hub, "ip", "link", "add", "bridge", "type", "bridge") && In(Hub, "ip", "addr", "add", $"{HubAddress}/24", "dev", "bridge")
        && In(Hub, "ip", "link", "set", "bridge", "up")
        && Enumerable.Range(0, Count).All(host =>
            In(Hub, "ip", "link", "add", $"v{host}", "type", "veth", "peer", "name", Device, "netns", NameOf(host))
            && In(Hub, "ip", "link", "set", $"v{host}", "master", "bridge", "up")
            && In(NameOf(host), "ip", "addr", "add", $"{AddressOf(host)}/24", "dev", Device)
            && In(NameOf(host), "ip", "link", "set", Device, "up"));

    private void RemoveDevices()
    {
        // The other end of a pair goes with it.
        foreach (string device in Enumerable.Range(0, Count).Select(host => $"v{host}").Append("bridge"))
        {
            In(Hub, "ip", "link", "del", device);
        }
    }

    /// <summary>Every namespace, that of clients too, on a network in user space.</summary>
    private bool MakeSlowNetwork()
    {
        string[] addresses = [.. Enumerable.Range(0, Count).Select(AddressOf), HubAddress];
        _slow = SlowNetwork.TryCreate([.. addresses.Select(IPAddress.Parse)], TimeSpan.FromMilliseconds(20), 0.01);
        return _slow is not null && Enumerable.Range(0, addresses.Length).All(place =>
        {
            string device = _slow.Devices[place], name = Names[place];
            return Run("ip", "link", "set", device, "netns", name)
                && In(name, "ip", "addr", "add", $"{addresses[place]}/24", "dev", device)
                && In(name, "ip", "link", "set", device, "up");
        });
    }

    private StatusReport? Status()
    {
        using NodeProcess status = NodeProcess.Start(_root.FullName, TestCluster.Secret, Inside(Hub), "status", "--json", "--cluster", Addresses);
        return status.WaitForExit(TestCluster.Patience) && status.ExitCode == 0
            ? JsonSerializer.Deserialize(status.Lines.First(line => line.StartsWith('{')), NodeJson.Default.StatusReport)
            : null;
    }

    private void WaitFor(Func<bool> holds, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!holds())
        {
            (Stopwatch.GetElapsedTime(start) < TestCluster.Patience).ShouldBeTrue(
                $"waited for {what}; {string.Join('\n', Nodes.SelectMany(node => node.Lines.TakeLast(8)))}");
            Wait(TimeSpan.FromMilliseconds(100));
        }
    }

    private void Remove()
    {
        foreach (string name in Names)
        {
            Run("ip", "netns", "del", name);
        }
    }

    private static string[] Names => [.. Enumerable.Range(0, Count).Select(NameOf), Hub];

    private static string NameOf(int host) => $"disttrain-host-{host}";

    private static string AddressOf(int host) => $"10.77.0.{host + 1}";

    private static string[] Inside(string name) => ["ip", "netns", "exec", name];

    private static bool In(string name, params IReadOnlyList<string> command) => Run([.. Inside(name), .. command]);

    private static bool Run(params IReadOnlyList<string> command)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
