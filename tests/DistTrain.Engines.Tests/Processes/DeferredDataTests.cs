using DistTrain.Conformance.Support;
using DistTrain.Numerics;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Processes;

public sealed class DeferredDataTests
{
    private static readonly RunData Rows = SmallData.Classes(Precision.Float32, 8, 3, 4, 2);

    [Fact]
    public void RowsAreLoadedOnceAndOnlyWhenSomebodyAsks()
    {
        int loads = 0;
        RunData deferred = RunData.Deferred(Precision.Float32, Rows.Facts, () => Loaded(ref loads));
        (deferred.TrainRows, deferred.TestRows, deferred.Inputs, deferred.TargetsAreClasses).ShouldBe((8, 3, 4, true));
        loads.ShouldBe(0);
        deferred.As<float>().ShouldBeSameAs(Rows.As<float>());
        deferred.Load();
        loads.ShouldBe(1);
    }

    [Fact]
    public void DataThatChangedDuringARunIsRefused()
    {
        RunData deferred = RunData.Deferred(Precision.Float32, Rows.Facts with { TrainRows = 9 }, () => Rows);
        Should.Throw<InvalidInputException>(deferred.Load).Message.ShouldContain("8 training and 3 test rows");
    }

    private static RunData Loaded(ref int loads)
    {
        loads++;
        return Rows;
    }
}
