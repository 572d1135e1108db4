using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels.Simd;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// Cross-entropy of rows of a few classes, eight rows beside each other: a row's values are too few to fill vectors with, and where a row's largest value
/// stands is a branch that nobody can predict. Everything is computed in double precision and in the order of the columns, whatever the vector width.
/// </summary>
internal static unsafe class CrossEntropyKernel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Columns of the widest rows that are served.</summary>
    public const int ColumnsMax = 16;

    // As many as the widest vector has doubles.
    private const int RowsAtOnce = 8;
    private const int LineBytes = 64;

    /// <summary>Every row's loss Σ t·(ln Σ exp(s − max) + max − s), over targets other than 0.</summary>
    /// <param name="scores">s: rows × columns.</param>
    /// <param name="outputs">y = softmax(s).</param>
    /// <param name="targets">t.</param>
    /// <param name="losses">Receives the losses.</param>
    /// <param name="targetSums">Receives Σ t of each row.</param>
    /// <param name="width">Width of vectors.</param>
    /// <returns>How many rows have the first maximum of y and of t in the same place.</returns>
    public static int Rows(
        TensorView<T> scores, TensorView<T> outputs, TensorView<T> targets, Span<double> losses, Span<double> targetSums, VectorWidth width)
    {
        VectorWidths.RequireFloatOrDouble<T>();
        int rows = scores.Rows, columns = scores.Columns;
        if (columns is 0 or > ColumnsMax || outputs.Length != scores.Length || targets.Length != scores.Length
            || losses.Length != rows || targetSums.Length != rows)
        {
            throw new ArgumentException($"Rows of 1 to {ColumnsMax} columns, and as many outputs, targets, losses and sums.", nameof(scores));
        }

        fixed (double* loss = losses, sum = targetSums)
        {
            Work work = new(scores.Pointer, outputs.Pointer, targets.Pointer, loss, sum, rows, columns);
            return VectorWidths.Resolve(width) switch
            {
                VectorWidth.Bits512 => Run<Vector512<double>, Simd512<double>>(work),
                VectorWidth.Bits256 => Run<Vector256<double>, Simd256<double>>(work),
                VectorWidth.Bits128 => Run<Vector128<double>, Simd128<double>>(work),
                _ => Run<double, SimdScalar<double>>(work),
            };
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run<TVector, TSimd>(in Work work)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, double>
    {
        const int Values = ColumnsMax * RowsAtOnce;
        byte* memory = stackalloc byte[(((3 * Values) + (3 * RowsAtOnce)) * sizeof(double)) + LineBytes];
        double* s = (double*)(((nint)memory + LineBytes - 1) & -LineBytes), y = s + Values, t = y + Values;
        double* losses = t + Values, sums = losses + RowsAtOnce, same = sums + RowsAtOnce;
        int correct = 0;
        for (int first = 0; first < work.Rows; first += RowsAtOnce)
        {
            int count = Math.Min(RowsAtOnce, work.Rows - first);
            nint offset = (nint)first * work.Columns;
            TurnedRows.Turn(work.Scores + offset, count, work.Columns, s, RowsAtOnce);
            TurnedRows.Turn(work.Outputs + offset, count, work.Columns, y, RowsAtOnce);
            TurnedRows.Turn(work.Targets + offset, count, work.Columns, t, RowsAtOnce);
            for (int lane = 0; lane < RowsAtOnce; lane += TSimd.Count)
            {
                Losses<TVector, TSimd>(s + lane, t + lane, work.Columns, losses + lane, sums + lane);
                TVector place = FirstMaximum<TVector, TSimd>(y + lane, work.Columns), wanted = FirstMaximum<TVector, TSimd>(t + lane, work.Columns);
                TSimd.Store(TSimd.SelectEqual(place, wanted, TSimd.Broadcast(1), TSimd.Broadcast(0)), same + lane);
            }

            for (int row = 0; row < count; row++)
            {
                work.Losses[first + row] = losses[row];
                work.TargetSums[first + row] = sums[row];
                correct += (int)same[row];
            }
        }

        return correct;
    }

    // Softmax leaves a NaN out of the maximum, and here too the sum takes it in.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Losses<TVector, TSimd>(double* s, double* t, int columns, double* losses, double* sums)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, double>
    {
        TVector max = TSimd.Load(s), zero = TSimd.Broadcast(0), sum = zero, loss = zero, total = zero;
        for (int column = 1; column < columns; column++)
        {
            TVector score = TSimd.Load(s + (column * RowsAtOnce));
            max = TSimd.SelectLess(max, score, score, max);
        }

        for (int column = 0; column < columns; column++)
        {
            TVector shifted = TSimd.Subtract(TSimd.Load(s + (column * RowsAtOnce)), max);
            TSimd.Store(shifted, s + (column * RowsAtOnce));
            sum = TSimd.Add(sum, MathKernels.Exp<double, TVector, TSimd>(shifted));
        }

        TVector log = MathKernels.Log<double, TVector, TSimd>(sum);
        for (int column = 0; column < columns; column++)
        {
            TVector target = TSimd.Load(t + (column * RowsAtOnce));
            TVector term = TSimd.Multiply(target, TSimd.Subtract(log, TSimd.Load(s + (column * RowsAtOnce))));

            // A score of −∞ where nothing is wanted costs nothing.
            loss = TSimd.Add(loss, TSimd.SelectEqual(target, zero, zero, term));
            total = TSimd.Add(total, target);
        }

        TSimd.Store(loss, losses);
        TSimd.Store(total, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector FirstMaximum<TVector, TSimd>(double* values, int columns)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, double>
    {
        TVector largest = TSimd.Load(values), place = TSimd.Broadcast(0);
        for (int column = 1; column < columns; column++)
        {
            TVector value = TSimd.Load(values + (column * RowsAtOnce));
            place = TSimd.SelectLess(largest, value, TSimd.Broadcast(column), place);
            largest = TSimd.SelectLess(largest, value, value, largest);
        }

        return place;
    }

    /// <summary>What is read and written.</summary>
    private readonly struct Work(T* scores, T* outputs, T* targets, double* losses, double* targetSums, int rows, int columns)
    {
        public readonly T* Scores = scores, Outputs = outputs, Targets = targets;
        public readonly double* Losses = losses, TargetSums = targetSums;
        public readonly int Rows = rows, Columns = columns;
    }
}
