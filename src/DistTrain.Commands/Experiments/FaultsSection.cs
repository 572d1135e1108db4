using System.Globalization;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Experiments;

/// <summary>The section <c>faults:</c>, read: what goes wrong in a run, in one form for all engines.</summary>
internal sealed class FaultsSection(Topology topology, ProblemList problems)
{
    private const string Example = "a fault such as { at: step 120, crash: layer-2, restart-after: 2s }";
    private const string Everybody = "*";
    private static readonly string[] Kinds = ["crash", "pause", "suspect", "partition", "link", "slow", "byzantine", "disk", "lose-node", "join-nodes", "leave-node"];

    private readonly string[] _names = [.. Enumerable.Range(0, topology.Count).Select(index => topology.NameOf(new ActorId(index)))];
    private readonly List<Fault> _faults = [];
    private readonly List<ByzantineReplica> _byzantine = [];

    /// <summary>Reads the section; empty where it is not there.</summary>
    public (IReadOnlyList<Fault> Faults, IReadOnlyList<ByzantineReplica> Byzantine) Read(MapReader root)
    {
        switch (root.Node("faults"))
        {
            case null:
                break;
            case ConfigList list:
                for (int item = 0; item < list.Items.Count; item++)
                {
                    ReadItem(list.Items[item], item);
                }

                break;
            case ConfigNode other:
                root.Problem("faults", $"{other.Description} is not a list; expected a list of faults, each {Example}");
                break;
        }

        return (_faults, _byzantine);
    }

    private void ReadItem(ConfigNode node, int item)
    {
        string path = KeyPath.Item("faults", item);
        if (node is not ConfigMap map)
        {
            problems.Add(node.Mark, path, $"{node.Description} is not a fault; expected {Example}");
            return;
        }

        ConfigEntry[] kinds = [.. map.Entries.Where(entry => Kinds.Contains(entry.Key))];
        if (kinds.Length != 1)
        {
            string given = string.Join(" and ", kinds.Select(kind => $"'{kind.Key}'"));
            string? near = map.Entries.Select(entry => Nearest.To(entry.Key, Kinds)).FirstOrDefault(name => name is not null);
            string what = kinds.Length > 1 ? $"{given} are two faults in one item" : "nothing here says what goes wrong";
            string hint = kinds.Length == 0 && near is not null ? $"; did you mean '{near}'?" : "";
            problems.Add(map.Mark, path, $"{what}; expected exactly one of {MapReader.OneOf(Kinds)}{hint}");
            return;
        }

        MapReader reader = new(map, path, problems);
        FaultTime at = kinds[0].Key == "byzantine" ? default : ReadTime(reader);
        foreach (Fault fault in ReadKind(kinds[0].Key, reader))
        {
            _faults.Add(fault with { At = at, Item = item });
        }

        reader.Finish();
    }

    private IReadOnlyList<Fault> ReadKind(string kind, MapReader reader)
    {
        switch (kind)
        {
            case "crash":
                TimeSpan? restart = ReadRestart(reader);
                bool snapshot = reader.Word("during", ["snapshot"]) is not null;
                return [.. ReadActors(reader, kind).Select(actor => new CrashFault(actor, restart) { DuringSnapshot = snapshot })];
            case "pause":
                reader.Required("for", "a duration such as 5s");
                TimeSpan? pause = reader.Duration("for");
                return [.. ReadActors(reader, kind).Where(_ => pause is not null).Select(actor => new PauseFault(actor, pause!.Value))];
            case "lose-node":
                TimeSpan? again = ReadRestart(reader);
                return [.. ReadActors(reader, kind).Select(actor => new NodeLossFault(actor, again))];
            case "leave-node":
                return [.. ReadActors(reader, kind).Select(actor => new NodeLeaveFault(actor))];
            case "join-nodes":
                reader.Required("join-nodes", "a number of nodes");
                return reader.Whole("join-nodes", 1, 10_000) is int count ? [new NodeJoinFault(count)] : [];
            case "suspect":
                // Of everybody all but the coordinator are meant; by its name it is a mistake, which the checks tell.
                IReadOnlyList<ActorId> suspected = ReadActors(reader, kind);
                return [.. suspected.Where(actor => actor != ActorId.Coordinator || suspected.Count == 1).Select(actor => new SuspicionFault(actor))];
            case "slow":
                double factor = reader.RequiredNumber("factor", NumberRange.SlowFactor);
                TimeSpan? length = reader.Duration("for");
                bool untilReplaced = reader.Flag("until-replaced", false);
                return [.. ReadActors(reader, kind).Select(actor => new SlowFault(actor, factor, length) { UntilReplaced = untilReplaced })];
            case "partition":
                return ReadPartition(reader);
            case "link":
                return ReadLink(reader);
            case "disk":
                return ReadDisk(reader);
            default:
                ReadByzantine(reader);
                return [];
        }
    }

    private static FaultTime ReadTime(MapReader reader)
    {
        const string expected = "a step such as `step 120`, or a time such as 3s";
        if (reader.Text("at", expected) is not string text)
        {
            return default;
        }

        if (text.StartsWith("step ", StringComparison.Ordinal)
            && long.TryParse(text.AsSpan(5).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long step) && step >= 1)
        {
            return FaultTime.AtStep(step);
        }

        if (Durations.TryParse(text, out TimeSpan after) || Durations.IsZero(text))
        {
            return FaultTime.AfterTime(after);
        }

        reader.Problem("at", $"'{text}' is not a moment of the run; expected {expected}");
        return default;
    }

    /// <summary>How long nothing may take the place; at once unless given, and null for ever.</summary>
    private static TimeSpan? ReadRestart(MapReader reader)
    {
        const string expected = "a duration such as 2s, or never";
        string? text = reader.Text("restart-after", expected);
        if (text is null || Durations.IsZero(text))
        {
            return TimeSpan.Zero;
        }

        if (text == "never")
        {
            return null;
        }

        if (!Durations.TryParse(text, out TimeSpan span))
        {
            reader.Problem("restart-after", $"'{text}' is not a duration; expected {expected}");
        }

        return span;
    }

    private IReadOnlyList<ActorId> ReadActors(MapReader reader, string key)
    {
        if (reader.Required(key, "an actor's name, or *") is null || reader.Text(key, "an actor's name, or *") is not string name)
        {
            return [];
        }

        return name == Everybody
            ? [.. Enumerable.Range(0, topology.Count).Select(index => new ActorId(index))]
            : Find(name, reader.MarkOf(key), reader.At(key)) is ActorId actor ? [actor] : [];
    }

    private ActorId? Find(string name, SourceMark mark, string path)
    {
        int index = Array.IndexOf(_names, name);
        if (index >= 0)
        {
            return new ActorId(index);
        }

        const int shown = 8;
        string[] ranked = [.. Nearest.Ranked(name, _names).Take(shown)];
        string expected = _names.Length > shown ? $"an actor such as {MapReader.OneOf(ranked)}" : MapReader.OneOf(ranked);
        problems.Add(mark, path, $"'{name}' is no actor of this run; expected {expected}{Nearest.Hint(name, _names)}");
        return null;
    }

    private IReadOnlyList<Fault> ReadPartition(MapReader reader)
    {
        const string expected = "at least two groups of actors, such as [[coordinator, layer-1], [layer-2]]";
        reader.Required("for", "a duration such as 5s");
        TimeSpan? length = reader.Duration("for");
        if (reader.Node("partition") is not ConfigList { Items.Count: >= 2 } list || list.Items.Any(group => group is not ConfigList { Items.Count: > 0 }))
        {
            reader.Problem("partition", $"this is no partition; expected {expected}");
            return [];
        }

        List<ActorId> seen = [];
        List<IReadOnlyList<ActorId>> groups = [];
        foreach (ConfigList group in list.Items.Cast<ConfigList>())
        {
            List<ActorId> members = [];
            foreach (ConfigNode member in group.Items)
            {
                string name = member is ConfigScalar scalar ? scalar.Text : member.Description;
                if (Find(name, member.Mark, reader.At("partition")) is not ActorId actor)
                {
                    return [];
                }

                if (seen.Contains(actor))
                {
                    problems.Add(member.Mark, reader.At("partition"), $"{name} is named twice; expected each actor in one group at most");
                }

                seen.Add(actor);
                members.Add(actor);
            }

            groups.Add(members);
        }

        return length is TimeSpan span ? [new PartitionFault(groups, span)] : [];
    }

    private IReadOnlyList<Fault> ReadLink(MapReader reader)
    {
        const string expected = "two actors, such as \"layer-0 -> layer-1\" or \"* -> layer-1\"";
        double drop = ReadShare(reader, "drop"), duplicate = ReadShare(reader, "duplicate");
        bool reorder = reader.Flag("reorder", false);
        (TimeSpan low, TimeSpan high) = ReadDelay(reader);
        TimeSpan? length = reader.Duration("for");
        string[] ends = (reader.Text("link", expected) ?? "").Split("->", StringSplitOptions.TrimEntries);
        if (ends.Length != 2 || ends.Any(end => end.Length == 0))
        {
            reader.Problem("link", $"this is no link; expected {expected}");
            return [];
        }

        ActorId?[] found = [.. ends.Select(end => end == Everybody ? null : Find(end, reader.MarkOf("link"), reader.At("link")))];
        return Enumerable.Range(0, 2).Any(i => found[i] is null && ends[i] != Everybody)
            ? []
            : [new LinkFault(found[0], found[1]) { Drop = drop, Duplicate = duplicate, DelayMin = low, DelayMax = high, Reorder = reorder, For = length }];
    }

    private static double ReadShare(MapReader reader, string key)
    {
        const string expected = "a share such as 1% or 0.01, from 0 to 1";
        if (reader.Text(key, expected) is not string text)
        {
            return 0;
        }

        (string number, double scale) = text.EndsWith('%') ? (text[..^1], 100) : (text, 1);
        if (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value / scale is >= 0 and <= 1)
        {
            return value / scale;
        }

        reader.Problem(key, $"'{text}' is no share of messages; expected {expected}");
        return 0;
    }

    private static (TimeSpan Low, TimeSpan High) ReadDelay(MapReader reader)
    {
        const string expected = "a delay such as 5ms, or a range such as 5ms..50ms, of at most 1h";
        if (reader.Text("delay", expected) is not string text)
        {
            return default;
        }

        string[] ends = text.Split("..");
        TimeSpan[] spans = new TimeSpan[ends.Length];
        bool all = ends.Length <= 2 && Enumerable.Range(0, ends.Length)
            .All(i => Durations.TryParse(ends[i].Trim(), out spans[i]) || Durations.IsZero(ends[i].Trim()));
        if (all && spans[0] <= spans[^1] && spans[^1] <= FaultChecks.DelayMax)
        {
            return (spans[0], spans[^1]);
        }

        reader.Problem("delay", $"'{text}' is no delay; expected {expected}");
        return default;
    }

    private IReadOnlyList<Fault> ReadDisk(MapReader reader)
    {
        bool torn = reader.Flag("torn-write", false), full = reader.Flag("full", false);
        if (torn == full)
        {
            reader.Problem("disk", "nothing, or too much, is wrong with this disk; expected torn-write: true or full: true");
        }

        return [.. ReadActors(reader, "disk").Select(actor => new DiskFault(actor, full ? DiskProblem.Full : DiskProblem.TornWrite))];
    }

    private void ReadByzantine(MapReader reader)
    {
        int replica = reader.Required("replica", "a replica's 0-based number") is null
            ? 0
            : reader.Whole("replica", 0, topology.Replicas - 1) ?? 0;
        reader.Required("byzantine", "sign-flip");
        reader.Word("byzantine", ["sign-flip"]);
        _byzantine.Add(new ByzantineReplica(replica, -(reader.Number("factor", NumberRange.Positive) ?? 1)));
    }
}
