using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;

namespace DistTrain.Dashboard.Live;

/// <summary>A fault that a page can ask for.</summary>
/// <param name="Name">The word for it in requests.</param>
/// <param name="Words">For people, with how long it lasts.</param>
/// <param name="NeedsPeer">Whether it is about a link, and so about a second actor.</param>
internal sealed record HandFault(string Name, string Words, bool NeedsPeer);

/// <summary>The faults of scenario files that a page has a button for, with lengths that somebody who looks can see.</summary>
internal static class HandFaults
{
    private const double SlowFactor = 10;
    private static readonly TimeSpan PauseFor = TimeSpan.FromSeconds(2), SlowFor = TimeSpan.FromSeconds(5), CutFor = TimeSpan.FromSeconds(2);

    /// <summary>All of them, in the order of their buttons.</summary>
    public static IReadOnlyList<HandFault> All { get; } =
    [
        new("crash", "Crash", NeedsPeer: false),
        new("pause", "Pause 2 s", NeedsPeer: false),
        new("slow", "Slow 10× for 5 s", NeedsPeer: false),
        new("suspect", "Suspect", NeedsPeer: false),
        new("cut", "Cut 2 s", NeedsPeer: true),
    ];

    /// <summary>The fault of a name; null where there is none of that name, or its second actor is missing.</summary>
    /// <param name="name">The word for it in requests.</param>
    /// <param name="actor">Whom it meets; of a link, the sender.</param>
    /// <param name="peer">Of a link, the receiver.</param>
    public static Fault? Of(string name, ActorId actor, ActorId? peer) => (name, peer) switch
    {
        ("crash", null) => new CrashFault(actor, RestartAfter: TimeSpan.Zero),
        ("pause", null) => new PauseFault(actor, PauseFor),
        ("slow", null) => new SlowFault(actor, SlowFactor, SlowFor),
        ("suspect", null) => new SuspicionFault(actor),
        ("cut", ActorId to) => new LinkFault(actor, to) { Drop = 1, For = CutFor },
        _ => null,
    };

    /// <summary>Why a run cannot bring a fault about; null when it can.</summary>
    public static string? Refuses(IRunControl control, HandFault fault, ActorId actor, ActorId other) =>
        control.Refuses(Of(fault.Name, actor, fault.NeedsPeer ? other : null)!);
}
