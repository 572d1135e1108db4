using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Storage;

/// <summary>What the records of a log amount to.</summary>
internal sealed class LogIndex
{
    private readonly SortedDictionary<int, List<LogEntry>> _slices = [];
    private readonly SortedDictionary<string, long> _lastSteps = new(StringComparer.Ordinal);

    /// <summary>What was known at the last committed step; null when no record commits one.</summary>
    public CoordinatorProgress? Committed { get; private set; }

    /// <summary>The newest membership; null for none.</summary>
    public MembershipRecord? Membership { get; private set; }

    /// <summary>The epoch below which no copy of a shard listens any more; 0 for none.</summary>
    public int Promised { get; private set; }

    /// <summary>
    /// The newest membership, with the epoch that whoever goes on has to be above: a coordinator that took over may have had the copies promise one, and have been lost
    /// before it kept its members.
    /// </summary>
    public MembershipRecord? Before => Membership is MembershipRecord newest && newest.Epoch < Promised ? newest with { Epoch = Promised } : Membership;

    /// <summary>The last step that an update was made for; 0 for none.</summary>
    public long LastStep => _slices.Values.SelectMany(entries => entries).Select(entry => entry.Step).DefaultIfEmpty(0).Max();

    /// <summary>The last step that a segment says anything about; 0 for none.</summary>
    public long LastStepIn(string file) => _lastSteps.GetValueOrDefault(file);

    public void Add(LogEntry entry)
    {
        if (!_slices.TryGetValue(entry.Slice, out List<LogEntry>? entries))
        {
            _slices.Add(entry.Slice, entries = []);
        }

        // A step that was taken back is done again; what came of it the first time counts no more.
        if (entry.Replica < 0)
        {
            while (entries.Count > 0 && entries[^1].Step >= entry.Step)
            {
                entries.RemoveAt(entries.Count - 1);
            }
        }

        entries.Add(entry);
        Saw(entry.File, entry.Step);
    }

    public void Add(CommittedRecord record, string file)
    {
        // A commit that a new epoch overtook was never heard of.
        if (record.Epoch == (Membership?.Epoch ?? record.Epoch))
        {
            Committed = record.Progress;
        }

        Saw(file, record.Step);
    }

    public void Add(MembershipRecord record)
    {
        if (record.Epoch >= (Membership?.Epoch ?? 0))
        {
            Membership = record;
        }
    }

    /// <summary>Copies of shards have promised to refuse every epoch below.</summary>
    public void AddPromise(int epoch) => Promised = Math.Max(Promised, epoch);

    /// <summary>A slice's updates in the order of their making.</summary>
    public IReadOnlyList<LogEntry> UpdatesOf(int slice) => _slices.TryGetValue(slice, out List<LogEntry>? entries) ? entries : [];

    /// <summary>Forgets what stood in a segment.</summary>
    public void Forget(string file)
    {
        _lastSteps.Remove(file);
        foreach (List<LogEntry> entries in _slices.Values)
        {
            entries.RemoveAll(entry => entry.File == file);
        }
    }

    private void Saw(string file, long step) => _lastSteps[file] = Math.Max(step, _lastSteps.GetValueOrDefault(file));
}
