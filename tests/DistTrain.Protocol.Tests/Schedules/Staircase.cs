using DistTrain.Protocol.Schedules;

namespace DistTrain.Protocol.Tests.Schedules;

/// <summary>Runs a step's passes at unit cost: a pass takes one slot, and what it makes is at the next stage in the slot
/// after.</summary>
internal sealed class Staircase
{
    private readonly List<Pass?[]> _slots = [];

    public Staircase(Schedule schedule, int stages, int microBatches)
    {
        IReadOnlyList<Pass>[] passes = [.. Enumerable.Range(0, stages).Select(stage => schedule.Passes(stages, microBatches, stage))];
        int[] next = new int[stages];
        int[,] ended = new int[stages, 2 * microBatches];
        while (Enumerable.Range(0, stages).Any(stage => next[stage] < passes[stage].Count))
        {
            int now = _slots.Count + 1;
            var slot = new Pass?[stages];
            for (int stage = 0; stage < stages; stage++)
            {
                if (next[stage] < passes[stage].Count && IsReady(passes[stage][next[stage]], stage, stages, microBatches, ended, now))
                {
                    Pass pass = passes[stage][next[stage]++];
                    slot[stage] = pass;
                    ended[stage, Column(pass, microBatches)] = now;
                }
            }

            if (slot.All(pass => pass is null))
            {
                throw new InvalidOperationException($"{schedule.Name} waits for ever with {stages} stages and {microBatches} micro-batches.");
            }

            _slots.Add(slot);
        }
    }

    public int Slots => _slots.Count;

    /// <summary>One line per stage, one column per slot.</summary>
    public override string ToString() => string.Join('\n', Enumerable.Range(0, _slots[0].Length)
        .Select(stage => string.Concat(_slots.Select(slot => $"{slot[stage]?.ToString() ?? "."} ".PadRight(3))).TrimEnd()));

    private static bool IsReady(Pass pass, int stage, int stages, int microBatches, int[,] ended, int now)
    {
        int needs = pass.Kind == PassKind.Forward
            ? stage == 0 ? -1 : stage - 1
            : stage == stages - 1 ? stage : stage + 1;
        Pass needed = needs == stage ? new Pass(PassKind.Forward, pass.MicroBatch) : pass;
        return needs < 0 || (ended[needs, Column(needed, microBatches)] is > 0 and int slot && slot < now);
    }

    private static int Column(Pass pass, int microBatches) => pass.MicroBatch + (pass.Kind == PassKind.Forward ? 0 : microBatches);
}
