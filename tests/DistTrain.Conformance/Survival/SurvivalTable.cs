using DistTrain.Protocol.Settings;

namespace DistTrain.Conformance.Survival;

/// <summary>
/// What a run survives: engine × what is lost × copies × durability. Each cell is a test, and the table in the README is this one: a row that is added here is added
/// there.
/// </summary>
internal static class SurvivalTable
{
    public static readonly Durability[] Durabilities = [Durability.Memory, Durability.Step, Durability.Power];

    /// <summary>The rows, in the order of the README.</summary>
    public static IReadOnlyList<SurvivalRow> Rows { get; } =
    [
        new(Loss.LayerActor, ["simulated", "threads", "processes"], 1, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.LayerActorForGood, ["simulated", "threads", "processes"], 1, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
        new(Loss.Shard, ["simulated", "threads", "processes"], 1, [Fate.GoesBack, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.Coordinator, ["simulated", "processes"], 1, [Fate.GoesBack, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.Everything, ["simulated", "threads", "processes"], 1, [Fate.ResumesBack, Fate.Resumes, Fate.Resumes]),
        new(Loss.Power, ["simulated"], 1, [Fate.ResumesBack, Fate.NotPromised, Fate.Resumes]),
        new(Loss.Room, ["simulated"], 1, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
        new(Loss.Write, ["simulated"], 1, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
    ];

    /// <summary>The lines of the table in the README.</summary>
    public static IEnumerable<string> Lines() =>
    [
        "| what is lost | engine | copies | `memory` | `step` | `power` |",
        "|---|---|---|---|---|---|",
        .. Rows.Select(row =>
            $"| {Words(row.Loss)} | {string.Join(", ", row.Engines.Select(engine => $"`{engine}`"))} | {row.Copies} | {string.Join(" | ", row.Fates.Select(Words))} |"),
    ];

    private static string Words(Loss loss) => loss switch
    {
        Loss.LayerActor => "a layer actor, or the worker with it",
        Loss.LayerActorForGood => "the same, and nothing can take its place",
        Loss.Shard => "a shard of the parameter server",
        Loss.Coordinator => "the coordinator",
        Loss.Everything => "everything at once (SIGKILL)",
        Loss.Power => "power",
        Loss.Room => "room on a shard's disk",
        Loss.Write => "a part of a shard's write",
        _ => throw new ArgumentOutOfRangeException(nameof(loss)),
    };

    private static string Words(Fate fate) => fate switch
    {
        Fate.LosesNothing => "survives, no committed step lost",
        Fate.GoesBack => "survives, from the last snapshot on",
        Fate.Resumes => "`--resume`, no committed step lost",
        Fate.ResumesBack => "`--resume`, from the last snapshot on",
        Fate.StopsAndResumes => "exit 3; `--resume`, no committed step lost",
        Fate.StopsAndResumesBack => "exit 3; `--resume`, from the last snapshot on",
        Fate.NotPromised => "not promised",
        _ => throw new ArgumentOutOfRangeException(nameof(fate)),
    };
}

/// <summary>A row.</summary>
/// <param name="Loss">What is lost.</param>
/// <param name="Engines">On which engines this holds.</param>
/// <param name="Copies">Copies of a shard.</param>
/// <param name="Fates">By durability.</param>
internal sealed record SurvivalRow(Loss Loss, string[] Engines, int Copies, Fate[] Fates);
