using DistTrain.Commands.Runs;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Experiments;

/// <summary>The section <c>simulation:</c>, read and written: the machines and the network that the simulated engine stands for.</summary>
internal static class SimulationSection
{
    /// <summary>Most nodes and slots: an actor each is as many as there is use for.</summary>
    private const int PlacesMax = 1_000_000;

    // The clock counts nanoseconds in 64 bits, 292 years. Slower machines and longer times than these, which nobody has, would let it overflow within a run.
    private static readonly NumberRange s_rate = NumberRange.AtLeast(1_000_000), s_bandwidth = NumberRange.ZeroOrAtLeast(1_000, "for no limit");
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(1);

    // What a measured machine says itself.
    private static readonly string[] s_idealised =
        ["flops-per-second", "backward-flops-per-second", "memory-bytes-per-second", "job-overhead", "message-overhead", "costs"];

    /// <summary>The machine that is measured when a run starts.</summary>
    private const string ThisMachine = "this";

    /// <summary>Reads the section; defaults where it is not there.</summary>
    /// <param name="root">The experiment.</param>
    /// <param name="baseFolder">Where a relative path of a profile starts.</param>
    /// <param name="measures">Whether the machine is this one, still to be measured.</param>
    public static SimulationSettings Read(MapReader root, string baseFolder, out bool measures)
    {
        measures = false;
        SimulationSettings defaults = new();
        if (root.Group("simulation", "settings such as { latency: 1ms, jitter: 200us }") is not MapReader reader)
        {
            return defaults;
        }

        SimulationSettings settings = new()
        {
            FlopsPerSecond = reader.Number("flops-per-second", s_rate) ?? defaults.FlopsPerSecond,
            BackwardFlopsPerSecond = reader.Number("backward-flops-per-second", s_rate),
            MemoryBytesPerSecond = reader.Number("memory-bytes-per-second", s_rate) ?? defaults.MemoryBytesPerSecond,
            JobOverhead = reader.DurationOrZero("job-overhead", s_longest) ?? defaults.JobOverhead,
            MessageOverhead = reader.DurationOrZero("message-overhead", s_longest) ?? defaults.MessageOverhead,
            Latency = reader.DurationOrZero("latency", s_longest) ?? defaults.Latency,
            BandwidthBytesPerSecond = reader.Number("bandwidth-bytes-per-second", s_bandwidth) ?? defaults.BandwidthBytesPerSecond,
            Jitter = reader.DurationOrZero("jitter", s_longest) ?? defaults.Jitter,
            Drop = reader.Number("drop", NumberRange.BelowOne) ?? defaults.Drop,
            Duplicate = reader.Number("duplicate", NumberRange.BelowOne) ?? defaults.Duplicate,
            Reorder = reader.Number("reorder", NumberRange.BelowOne) ?? defaults.Reorder,
            ReorderWindow = reader.DurationOrZero("reorder-window", s_longest) ?? defaults.ReorderWindow,
            SuspectAfter = reader.DurationOrZero("suspect-after", s_longest) ?? defaults.SuspectAfter,
            Persist = reader.DurationOrZero("persist", s_longest) ?? defaults.Persist,
            Nodes = reader.Whole("nodes", 0, PlacesMax) ?? defaults.Nodes,
            SlotsPerNode = reader.Whole("slots-per-node", 1, PlacesMax) ?? defaults.SlotsPerNode,
            TimingOnly = reader.Flag("timing-only", defaults.TimingOnly),
            Journal = reader.Has("journal") ? reader.Flag("journal", true) : null,
            Seed = reader.Has("seed") ? reader.Seed("seed", 1) : null,
            Costs = ReadCosts(reader),
            Machine = ReadMachine(reader, baseFolder, out measures),
        };

        // A key that was looked at only where it is given is known all the same.
        reader.Node("journal");
        reader.Node("seed");
        reader.Finish();
        return settings;
    }

    /// <summary>Writes the section.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="measures">Whether the machine is still to be measured.</param>
    public static void Write(YamlText yaml, SimulationSettings settings, bool measures)
    {
        WriteMachine(yaml, settings, measures);
        yaml.Key("latency", Durations.Format(settings.Latency))
            .Key("bandwidth-bytes-per-second", settings.BandwidthBytesPerSecond)
            .Key("jitter", Durations.Format(settings.Jitter))
            .Key("drop", settings.Drop)
            .Key("duplicate", settings.Duplicate)
            .Key("reorder", settings.Reorder)
            .Key("reorder-window", Durations.Format(settings.ReorderWindow))
            .Key("suspect-after", Durations.Format(settings.SuspectAfter))
            .Key("persist", Durations.Format(settings.Persist))
            .Key("nodes", settings.Nodes)
            .Key("slots-per-node", settings.SlotsPerNode)
            .Key("timing-only", settings.TimingOnly);
        if (settings.Journal is bool journal)
        {
            yaml.Key("journal", journal);
        }

        if (settings.Seed is ulong seed)
        {
            yaml.Key("seed", seed);
        }

        if (settings.Costs is DeclaredCosts costs)
        {
            yaml.Group("costs", group => group
                .Key("forward", Durations.Format(costs.Forward))
                .Key("backward", Durations.Format(costs.Backward))
                .Key("load", Durations.Format(costs.Load))
                .Key("loss", Durations.Format(costs.Loss))
                .Key("update", Durations.Format(costs.Update))
                .Key("other", Durations.Format(costs.Other)));
        }
    }

    private static void WriteMachine(YamlText yaml, SimulationSettings settings, bool measures)
    {
        if (measures || settings.Machine is not null)
        {
            // The numbers themselves: a run that is resumed elsewhere stands for the same machine.
            yaml.Key("machine", settings.Machine is null ? ThisMachine : MachineFile.Line(settings.Machine));
            return;
        }

        yaml.Key("flops-per-second", settings.FlopsPerSecond);
        if (settings.BackwardFlopsPerSecond is double backward)
        {
            yaml.Key("backward-flops-per-second", backward);
        }

        yaml.Key("memory-bytes-per-second", settings.MemoryBytesPerSecond)
            .Key("job-overhead", Durations.Format(settings.JobOverhead))
            .Key("message-overhead", Durations.Format(settings.MessageOverhead));
    }

    private static MachineProfile? ReadMachine(MapReader reader, string baseFolder, out bool measures)
    {
        measures = false;
        if (reader.Text("machine", "the file of a machine's profile, or 'this'") is not string given)
        {
            return null;
        }

        foreach (string key in s_idealised.Where(reader.Has))
        {
            reader.Problem(key, "a measured machine says this itself; expected either machine or settings of an idealised one");
        }

        if (given == ThisMachine)
        {
            measures = true;
            return null;
        }

        try
        {
            return given.StartsWith('{') ? MachineFile.Parse(given, "profile") : MachineFile.Read(Path.GetFullPath(given, baseFolder));
        }
        catch (InvalidInputException error)
        {
            reader.Problem("machine", error.Message);
            return null;
        }
    }

    private static DeclaredCosts? ReadCosts(MapReader reader)
    {
        const string expected = "a duration of at least 0 and at most 1h";
        if (reader.Group("costs", "{ forward: 1ms, backward: 2ms }") is not MapReader costs)
        {
            return null;
        }

        costs.Required("forward", expected);
        costs.Required("backward", expected);
        DeclaredCosts declared = new(costs.DurationOrZero("forward", s_longest) ?? TimeSpan.Zero, costs.DurationOrZero("backward", s_longest) ?? TimeSpan.Zero)
        {
            Load = costs.DurationOrZero("load", s_longest) ?? TimeSpan.Zero,
            Loss = costs.DurationOrZero("loss", s_longest) ?? TimeSpan.Zero,
            Update = costs.DurationOrZero("update", s_longest) ?? TimeSpan.Zero,
            Other = costs.DurationOrZero("other", s_longest) ?? TimeSpan.Zero,
        };
        costs.Finish();
        return declared;
    }
}
