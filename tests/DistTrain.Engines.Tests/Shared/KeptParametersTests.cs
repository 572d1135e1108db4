using DistTrain.Engines.Shared;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

public sealed class KeptParametersTests
{
    private static readonly byte[] First = [1, 2, 3], Last = [4, 5];

    [Fact]
    public void ValuesAreCopiedOnceAndStayWhenTheMemoryIsGivenBack()
    {
        using KeptParameters kept = Kept();
        byte[] values = kept.ValuesOf(0);
        values.ShouldBe(First);
        kept.ValuesOf(0).ShouldBeSameAs(values);
        kept.ValuesOf(1).ShouldBeEmpty();
        kept.Dispose();
        kept.ValuesOf(0).ShouldBeSameAs(values);
        kept.ValuesOf(1).ShouldBeEmpty();
        Should.Throw<ObjectDisposedException>(() => kept.ValuesOf(2)).ObjectName.ShouldBe(typeof(RunOutcome).FullName);
    }

    [Fact]
    public void TheNextRunGetsTheMemoryOfADisposedOne()
    {
        // A size that nobody else asks for.
        const int Bytes = 1_234_567;
        nint block = NativeBlocks.Take(Bytes);
        NativeBlocks.Give(block, Bytes);
        using KeptParameters kept = new(1);
        kept.Keep(0, new byte[Bytes]);
        kept.Dispose();
        kept.Dispose();
        NativeBlocks.Take(Bytes).ShouldBe(block);
        NativeBlocks.Take(Bytes).ShouldNotBe(block);
    }

    private static KeptParameters Kept()
    {
        KeptParameters kept = new(3);
        kept.Keep(0, First);
        kept.Keep(1, []);
        kept.Keep(2, Last);
        return kept;
    }
}
