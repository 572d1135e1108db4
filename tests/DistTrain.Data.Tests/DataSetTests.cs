using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class DataSetTests
{
    [Fact]
    public void GivenRowsOfClassesBecomeOneHotTargets()
    {
        DataSet<double> set = DataSet<double>.FromLabels("own", 2, [1, 2, 3, 4], [2, 0], 3);

        (set.Rows, set.Inputs, set.Targets, set.TargetsAreClasses, set.HasLabels).ShouldBe((2, 2, 3, true, true));
        set.Inputs(1, 0).ShouldBe([3, 4, 1, 2]);
        set.TargetsOf().ShouldBe([0, 0, 1, 1, 0, 0]);
    }

    [Fact]
    public void GivenRowsMayHaveTargetVectors()
    {
        DataSet<double> set = DataSet<double>.FromVectors("own", 1, [1, 2], 2, [5, 6, 7, 8]);

        (set.Rows, set.Inputs, set.Targets, set.TargetsAreClasses, set.HasLabels).ShouldBe((2, 1, 2, false, false));
        set.TargetsOf(1).ShouldBe([7, 8]);
    }

    [Fact]
    public void GivenArraysMustFitEachOther()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => DataSet<double>.FromLabels("own", 2, [1, 2, 3], [0, 0], 1));
        Should.Throw<ArgumentOutOfRangeException>(() => DataSet<double>.FromLabels("own", 1, [1, 2], [0, 2], 2));
        Should.Throw<ArgumentOutOfRangeException>(() => DataSet<double>.FromVectors("own", 1, [1, 2], 2, [5, 6, 7]));
    }

    [Fact]
    public void ACancelledLoadEnds()
    {
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();

        Should.Throw<OperationCanceledException>(
            () => DataLoader.Load<double>(new GeneratedSpec(GeneratedKind.Glyphs), "", 1, cancelled.Token));
    }
}
