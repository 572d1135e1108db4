using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;
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

    [Fact]
    public void MemoryThatIsTakenFromAPoolOutlivesItAndIsTakenOnce()
    {
        using BufferPool pool = new();
        BufferHandle buffer = pool.Rent(3);
        First.CopyTo(pool.Bytes(buffer));
        using KeptParameters kept = new(1), late = new(1);
        kept.TryTake(pool, buffer).ShouldBeTrue();
        late.TryTake(pool, buffer).ShouldBeFalse();
        kept.Place(0, pool.Bytes(buffer));
        pool.Release(buffer);
        pool.Live.ShouldBe(0);
        pool.Rent(3).Slot.ShouldNotBe(buffer.Slot, "the slot has no memory any more");
        pool.Dispose();
        kept.ValuesOf(0).ShouldBe(First);
    }

    [Fact]
    public void MemoryThatIsLentIsNotTaken()
    {
        using BufferPool pool = new();
        NoLender lender = new();
        unsafe
        {
            byte* memory = stackalloc byte[64];
            BufferHandle buffer = pool.Adopt((nint)memory, 64, lender, 7);
            using KeptParameters kept = new(1);
            kept.TryTake(pool, buffer).ShouldBeFalse();
            pool.Release(buffer);
        }

        lender.GivenBack.ShouldBe(7);
    }

    private sealed class NoLender : IBufferLender
    {
        public int GivenBack { get; private set; }

        public void GiveBack(int lentAs) => GivenBack = lentAs;
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
