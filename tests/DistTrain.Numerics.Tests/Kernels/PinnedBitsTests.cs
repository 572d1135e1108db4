using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Randomness;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

/// <summary>Checksums of results, so that another processor, runtime or edit that changes a bit is seen.</summary>
public sealed class PinnedBitsTests
{
    private delegate void Kernel(ReadOnlySpan<float> single, Span<float> singleResult, ReadOnlySpan<double> twice, Span<double> twiceResult);

    [Fact]
    public void ElementaryFunctionsNeverChangeABit()
    {
        Kernel[] kernels =
        [
            (x, y, u, v) => { Elementwise.Exp(x, y); Elementwise.Exp(u, v); },
            (x, y, u, v) => { Elementwise.Expm1(x, y); Elementwise.Expm1(u, v); },
            (x, y, u, v) => { Elementwise.Log(x, y); Elementwise.Log(u, v); },
            (x, y, u, v) => { Elementwise.Tanh(x, y); Elementwise.Tanh(u, v); },
            (x, y, u, v) => { Elementwise.Sigmoid(x, y); Elementwise.Sigmoid(u, v); },
            (x, y, u, v) => { Elementwise.Softplus(x, y); Elementwise.Softplus(u, v); },
            (x, y, u, v) => { Elementwise.SoftmaxRow(x, y); Elementwise.SoftmaxRow(u, v); },
        ];
        var stream = new RandomStream(21, RandomPurpose.GeneratedData);
        double[] twice = [.. Enumerable.Range(0, 5000).Select(i => stream.Uniform(i, 0.001, 30))];
        float[] single = [.. twice.Select(value => (float)value)];
        ulong[] checksums = [.. kernels.Select(kernel =>
        {
            float[] y = new float[single.Length];
            double[] v = new double[twice.Length];
            kernel(single, y, twice, v);
            return Checksum([.. Bits.Of<float>(y), .. Bits.Of<double>(v)]);
        })];
        checksums.ShouldBe(
        [
            7107017166839537882ul, 6392693186631050183ul, 13232758448503347004ul, 5872956191962777335ul,
            16259260191400038815ul, 13451665741407704248ul, 13247753197660505065ul,
        ]);
    }

    [Fact]
    public void ProductsNeverChangeABit()
    {
        using var single = new GemmOperands<float>(21, 43, 1100, false, true);
        using var twice = new GemmOperands<double>(43, 21, 1100, true, false);
        Checksum(Bits.Of<float>(single.Product(true, true))).ShouldBe(16953880001840762224ul);
        Checksum(Bits.Of<double>(twice.Product(true, true))).ShouldBe(10762799832037532635ul);
    }

    private static ulong Checksum(ulong[] values)
    {
        // FNV-1a over 64-bit words.
        ulong sum = 14695981039346656037ul;
        foreach (ulong value in values)
        {
            sum = unchecked((sum ^ value) * 1099511628211ul);
        }

        return sum;
    }
}
