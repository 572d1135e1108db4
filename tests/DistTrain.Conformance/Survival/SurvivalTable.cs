using DistTrain.Protocol.Settings;

namespace DistTrain.Conformance.Survival;

/// <summary>
/// What a run survives: engine × what is lost × copies × durability. Each cell is a test, and the table in the README is this one: a row that is added here is added
/// there.
/// </summary>
internal static class SurvivalTable
{
    public static readonly Durability[] Durabilities = [Durability.Memory, Durability.Step, Durability.Power];

    private static readonly string[] All = ["simulated", "threads", "processes"], InOne = ["simulated", "threads"], Simulated = ["simulated"], Processes = ["processes"];

    /// <summary>The rows, in the order of the README.</summary>
    public static IReadOnlyList<SurvivalRow> Rows { get; } =
    [
        new(Loss.LayerActor, All, 1, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.LayerActorForGood, All, 1, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
        new(Loss.Shard, All, 1, [Fate.GoesBack, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.Coordinator, All, 1, [Fate.GoesBack, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.CoordinatorAndShard, All, 1, [Fate.GoesBack, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.Everything, All, 1, [Fate.ResumesBack, Fate.Resumes, Fate.Resumes]),
        new(Loss.NodeOfLayerActor, Simulated, 1, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.NodeOfShard, Simulated, 1, [Fate.Stops, Fate.Stops, Fate.Stops]),
        new(Loss.NodeOfCoordinator, Simulated, 1, [Fate.Stops, Fate.Stops, Fate.Stops]),
        new(Loss.Power, Simulated, 1, [Fate.ResumesBack, Fate.NotPromised, Fate.Resumes]),
        new(Loss.Room, Simulated, 1, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
        new(Loss.Write, Simulated, 1, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
        new(Loss.LayerActor, InOne, 2, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.LayerActorForGood, InOne, 2, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
        new(Loss.Shard, InOne, 2, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.EveryCopy, InOne, 2, [Fate.GoesBack, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.Coordinator, InOne, 2, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.CoordinatorAndShard, InOne, 2, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.Everything, InOne, 2, [Fate.ResumesBack, Fate.Resumes, Fate.Resumes]),
        new(Loss.NodeOfLayerActor, Simulated, 2, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.NodeOfShard, Simulated, 2, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.NodeOfCoordinator, Simulated, 2, [Fate.LosesNothing, Fate.LosesNothing, Fate.LosesNothing]),
        new(Loss.NodesOfEveryCopy, Simulated, 2, [Fate.Stops, Fate.Stops, Fate.Stops]),
        new(Loss.Power, Simulated, 2, [Fate.ResumesBack, Fate.NotPromised, Fate.Resumes]),
        new(Loss.Room, Simulated, 2, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
        new(Loss.Write, Simulated, 2, [Fate.StopsAndResumesBack, Fate.StopsAndResumes, Fate.StopsAndResumes]),
        new(Loss.LayerActor, Processes, 2, [Fate.LosesNothing, Fate.Refused, Fate.Refused]),
        new(Loss.LayerActorForGood, Processes, 2, [Fate.StopsAndResumesBack, Fate.Refused, Fate.Refused]),
        new(Loss.Shard, Processes, 2, [Fate.LosesNothing, Fate.Refused, Fate.Refused]),
        new(Loss.EveryCopy, Processes, 2, [Fate.GoesBack, Fate.Refused, Fate.Refused]),
        new(Loss.Coordinator, Processes, 2, [Fate.LosesNothing, Fate.Refused, Fate.Refused]),
        new(Loss.CoordinatorAndShard, Processes, 2, [Fate.LosesNothing, Fate.Refused, Fate.Refused]),
        new(Loss.Everything, Processes, 2, [Fate.ResumesBack, Fate.Refused, Fate.Refused]),
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
        Loss.LayerActorForGood => "a layer actor, and nothing can take its place",
        Loss.Shard => "a copy of a shard of the parameter server",
        Loss.EveryCopy => "both copies of a shard",
        Loss.Coordinator => "the coordinator",
        Loss.CoordinatorAndShard => "the coordinator and a copy of a shard",
        Loss.NodeOfLayerActor => "a layer actor's node, memory and disk, for good",
        Loss.NodeOfShard => "the node of a copy of a shard, memory and disk, for good",
        Loss.NodeOfCoordinator => "the coordinator's node, memory and disk, for good",
        Loss.NodesOfEveryCopy => "the nodes of both copies of a shard, memory and disk, for good",
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
        Fate.Stops => "exit 3",
        Fate.Refused => "refused",
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
