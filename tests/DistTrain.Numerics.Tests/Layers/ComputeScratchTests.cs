using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Layers;

public sealed class ComputeScratchTests
{
    [Fact]
    public void ViewsStayApartWhileTheScratchGrows()
    {
        using var scratch = new ComputeScratch();
        TensorView<int>[] views = Enumerable.Range(1, 12).Select(i => scratch.Take<int>(i, 5000 * i)).ToArray();
        for (int i = 0; i < views.Length; i++)
        {
            views[i].Span.Fill(i);
        }

        for (int i = 0; i < views.Length; i++)
        {
            views[i].Span.ToArray().ShouldAllBe(v => v == i);
        }
    }

    [Fact]
    public unsafe void MemoryIsAlignedAndReusedAfterARelease()
    {
        using var scratch = new ComputeScratch();
        scratch.Take<byte>(1, 3);
        long mark = scratch.Mark;
        TensorView<double> first = scratch.Take<double>(2, 3);
        scratch.Release(mark);
        TensorView<double> second = scratch.Take<double>(3, 2);
        fixed (double* a = first.Span, b = second.Span)
        {
            ((nint)a % 64).ShouldBe(0);
            ((nint)a).ShouldBe((nint)b);
        }
    }

    [Fact]
    public void AfterTheFirstRoundTheSameWorkNeedsNoMoreMemory()
    {
        using var scratch = new ComputeScratch();
        for (int round = 0; round < 5; round++)
        {
            long before = scratch.CapacityBytes;
            for (int i = 0; i < 10; i++)
            {
                scratch.Take<float>(100, 100 * (i + 1)).Span.Fill(i);
            }

            scratch.Release(0);
            if (round > 0)
            {
                scratch.CapacityBytes.ShouldBe(before);
            }
        }
    }

    [Fact]
    public void ReleasingWhatWasNotTakenIsRefused()
    {
        using var scratch = new ComputeScratch();
        Should.Throw<ArgumentOutOfRangeException>(() => scratch.Release(64));
    }

    [Fact]
    public void ADisposedScratchIsRefused()
    {
        var scratch = new ComputeScratch();
        scratch.Dispose();
        Should.Throw<ObjectDisposedException>(() => scratch.Take<int>(1, 1));
    }
}
