namespace DistTrain.Engines.Shared;

/// <summary>
/// What a start leaves in the young generations. The first collection during a run promotes some 0.6 MB of it (plans, machines, what the runtime keeps of types), which is more
/// than the budget of generation 1, so that the next one is a collection of that generation, and generation 2 may follow: of no use to anybody, for what steps allocate
/// does not survive. Two collections of the young generations before the first step put it where no step's collection looks; they take time by what survives there, about
/// a millisecond, whatever lies in generation 2 and among the large arrays.
/// </summary>
internal static class YoungHeap
{
    private const int Older = 1;

    // A shorter run ends within a few collections, and may take no longer than these two.
    private const long StepsMin = 1000;

    /// <summary>Moves what is alive now out of the young generations, before a run of some length.</summary>
    public static void Settle(long steps)
    {
        if (steps < StepsMin)
        {
            return;
        }

        GC.Collect(Older);
        GC.Collect(Older);
    }
}
