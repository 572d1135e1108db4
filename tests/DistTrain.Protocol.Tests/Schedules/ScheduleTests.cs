using DistTrain.Protocol.Schedules;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Schedules;

public sealed class ScheduleTests
{
    public static TheoryData<string> Names => [.. ScheduleCatalog.Names];

    [Theory]
    [InlineData("sequential", """
        F0 .  .  .  .  .  .  B0 F1 .  .  .  .  .  .  B1 F2 .  .  .  .  .  .  B2 F3 .  .  .  .  .  .  B3
        .  F0 .  .  .  .  B0 .  .  F1 .  .  .  .  B1 .  .  F2 .  .  .  .  B2 .  .  F3 .  .  .  .  B3 .
        .  .  F0 .  .  B0 .  .  .  .  F1 .  .  B1 .  .  .  .  F2 .  .  B2 .  .  .  .  F3 .  .  B3 .  .
        .  .  .  F0 B0 .  .  .  .  .  .  F1 B1 .  .  .  .  .  .  F2 B2 .  .  .  .  .  .  F3 B3 .  .  .
        """)]
    [InlineData("fill-drain", """
        F0 F1 F2 F3 .  .  .  .  .  .  B0 B1 B2 B3
        .  F0 F1 F2 F3 .  .  .  .  B0 B1 B2 B3 .
        .  .  F0 F1 F2 F3 .  .  B0 B1 B2 B3 .  .
        .  .  .  F0 F1 F2 F3 B0 B1 B2 B3 .  .  .
        """)]
    [InlineData("1f1b", """
        F0 F1 F2 F3 .  .  .  B0 .  B1 .  B2 .  B3
        .  F0 F1 F2 .  .  B0 F3 B1 .  B2 .  B3 .
        .  .  F0 F1 .  B0 F2 B1 F3 B2 .  B3 .  .
        .  .  .  F0 B0 F1 B1 F2 B2 F3 B3 .  .  .
        """)]
    public void ASchedulesStaircaseIsTheOneOfItsPaper(string name, string drawing) =>
        new Staircase(ScheduleCatalog.Find(name)!, 4, 4).ToString().ShouldBe(drawing.ReplaceLineEndings("\n"));

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryMicroBatchPassesForwardThenBackwardOnceAndBackwardInIndexOrder(string name)
    {
        ForEachShape((stages, microBatches, stage) =>
        {
            IReadOnlyList<Pass> passes = ScheduleCatalog.Find(name)!.Passes(stages, microBatches, stage);
            passes.Count.ShouldBe(2 * microBatches);
            int[] all = [.. Enumerable.Range(0, microBatches)];
            passes.Where(pass => pass.Kind == PassKind.Forward).Select(pass => pass.MicroBatch).ShouldBe(all);
            passes.Where(pass => pass.Kind == PassKind.Backward).Select(pass => pass.MicroBatch).ShouldBe(all);
            all.ShouldAllBe(one => Position(passes, PassKind.Forward, one) < Position(passes, PassKind.Backward, one));
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AStageStoresAsManyActivationsAsItsScheduleSays(string name)
    {
        ForEachShape((stages, microBatches, stage) =>
        {
            int expected = name switch
            {
                "sequential" => 1,
                "fill-drain" => microBatches,
                _ => Math.Min(stages - stage, microBatches),
            };
            ScheduleCatalog.Find(name)!.StoredActivationsMax(stages, microBatches, stage).ShouldBe(expected);
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NoScheduleWaitsForEverAndTheBubbleIsTheKnownOne(string name)
    {
        for (int stages = 1; stages <= 8; stages++)
        {
            for (int microBatches = 1; microBatches <= 32; microBatches++)
            {
                int expected = name == "sequential" ? 2 * stages * microBatches : 2 * (microBatches + stages - 1);
                new Staircase(ScheduleCatalog.Find(name)!, stages, microBatches).Slots.ShouldBe(expected);
            }
        }
    }

    private static int Position(IReadOnlyList<Pass> passes, PassKind kind, int microBatch)
    {
        int position = 0;
        while (passes[position] != new Pass(kind, microBatch))
        {
            position++;
        }

        return position;
    }

    private static void ForEachShape(Action<int, int, int> check)
    {
        for (int stages = 1; stages <= 8; stages++)
        {
            for (int microBatches = 1; microBatches <= 32; microBatches++)
            {
                for (int stage = 0; stage < stages; stage++)
                {
                    check(stages, microBatches, stage);
                }
            }
        }
    }
}
