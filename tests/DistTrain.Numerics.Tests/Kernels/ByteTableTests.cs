using System.Numerics;
using DistTrain.Numerics.Kernels;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

public sealed class ByteTableTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryByteHasItsValueWhateverTheWidthOfARow(bool streams)
    {
        for (int columns = 0; columns <= 67; columns++)
        {
            ShouldMap<float>(columns, streams);
            ShouldMap<double>(columns, streams);
        }

        ShouldMap<float>(784, streams);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-1)]
    public void ARowThatIsNotThereIsRefused(int row) =>
        Should.Throw<ArgumentOutOfRangeException>(() => ByteTable.Map<float>(new byte[15], 3, [0, row], new float[256], new float[6]));

    [Fact]
    public void LengthsThatDoNotAgreeAreRefused()
    {
        Should.Throw<ArgumentException>(() => ByteTable.Map<float>(new byte[15], 3, [0], new float[255], new float[3]))
            .Message.ShouldStartWith("A byte has 256 values, not 255.");
        Should.Throw<ArgumentException>(() => ByteTable.Map<float>(new byte[15], 3, [0, 1], new float[256], new float[5]))
            .Message.ShouldStartWith("2 rows of 3 values need 6, not 5.");
    }

    private static void ShouldMap<T>(int columns, bool streams)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // Every byte comes about once in each row of 256 places, and the values are in no order.
        byte[] matrix = [.. Enumerable.Range(0, 5 * columns).Select(i => (byte)((i * 7) + (i / 256)))];
        T[] table = [.. Enumerable.Range(0, 256).Select(i => T.CreateTruncating(Math.Sin(i * 12.9898) * 43758.5453))];
        table[3] = T.NegativeZero;
        table[200] = T.NaN;
        int[] rows = columns == 0 ? [] : [4, 0, 4, 3, 1];
        foreach (int offset in (int[])[0, 1, 16])
        {
            T[] room = new T[(rows.Length * columns) + 40];
            ByteTable.Map<T>(matrix, columns, rows, table, room.AsSpan(offset, rows.Length * columns), streams);
            T[] expected = [.. rows.SelectMany(row => matrix.Skip(row * columns).Take(columns)).Select(value => table[value])];
            Bits.Of<T>(room.AsSpan(offset, expected.Length)).ShouldBe(Bits.Of<T>(expected));
            Bits.Of<T>(room.AsSpan(0, offset)).ShouldAllBe(bits => bits == 0);
            Bits.Of<T>(room.AsSpan(offset + expected.Length)).ShouldAllBe(bits => bits == 0);
        }
    }
}
