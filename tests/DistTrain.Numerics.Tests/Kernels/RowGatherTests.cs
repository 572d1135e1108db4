using DistTrain.Numerics.Kernels;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Kernels;

public sealed class RowGatherTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RowsOfEveryWidthArriveInOrder(bool streams)
    {
        int[] rows = [4, 0, 4, 3, 1];
        for (int columns = 1; columns <= 67; columns++)
        {
            // At places that are no cache line's begin too.
            foreach (int offset in (int[])[0, 1, 16])
            {
                float[] matrix = [.. Enumerable.Range(0, 5 * columns).Select(i => (float)i)], room = new float[(5 * columns) + 40];
                RowGather.Copy<float>(matrix, columns, rows, room.AsSpan(offset, 5 * columns), streams);
                room.AsSpan(offset, 5 * columns).ToArray().ShouldBe(rows.SelectMany(row => matrix.Skip(row * columns).Take(columns)));
                room[..offset].ShouldAllBe(value => value == 0);
                room[(offset + (5 * columns))..].ShouldAllBe(value => value == 0);
            }
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-1)]
    public void ARowThatIsNotThereIsRefused(int row) =>
        Should.Throw<ArgumentOutOfRangeException>(() => RowGather.Copy<double>(new double[15], 3, [0, row], new double[6]));

    [Fact]
    public void ADestinationOfAnotherLengthIsRefused() =>
        Should.Throw<ArgumentException>(() => RowGather.Copy<double>(new double[15], 3, [0, 1], new double[5]))
            .Message.ShouldStartWith("2 rows of 3 values need 6, not 5.");
}
