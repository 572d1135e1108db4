using System.Runtime.InteropServices;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Where a crew member is given its next turn or job, past the crew's queues and their lock. A single reference on a cache line of its own says all there is to say: to fetch a
/// line from another core takes as long as hundreds of instructions, and the lock, the queue and its array are one each.
/// </summary>
/// <remarks>Any thread gives. The owner takes, and so may a member that has nothing else to do, so that nothing waits for an owner that is busy or whose thread does not run.</remarks>
internal sealed class HandOverSlot
{
    // What the slot holds while its owner is away.
    private static readonly object s_away = new();

    private Place _place = new() { Item = s_away };

    /// <summary>Whether there is something to take; a hint.</summary>
    public bool IsFull => Volatile.Read(ref _place.Item) is object item && item != s_away;

    /// <summary>Gives the turn of an actor; false where the slot is full or its owner away.</summary>
    public bool TryGive(ActorCell turn) => TryGiveItem(turn);

    /// <summary>Gives a job, which says itself whose it is; false where the slot is full or its owner away.</summary>
    public bool TryGive(Job job) => TryGiveItem(job);

    /// <summary>Takes what the slot holds, an <see cref="ActorCell"/> or a <see cref="Job"/>; null for nothing.</summary>
    public object? Take()
    {
        object? item = Volatile.Read(ref _place.Item);
        return item is not null && item != s_away && Interlocked.CompareExchange(ref _place.Item, null, item) == item ? item : null;
    }

    /// <summary>The owner comes back.</summary>
    public void Open() => Volatile.Write(ref _place.Item, null);

    /// <summary>The owner goes away; false where there is something to take.</summary>
    public bool TryClose() => Interlocked.CompareExchange(ref _place.Item, s_away, null) is null;

    private bool TryGiveItem(object item) => Interlocked.CompareExchange(ref _place.Item, item, null) is null;

    /// <summary>With the line beside it, too, which processors fetch along with it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Place
    {
        [FieldOffset(128)]
        public object? Item;
    }
}
