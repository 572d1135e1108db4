using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <summary>A matrix product by pointers: c (m×n) = [c +] op(a) (m×k) · op(b) (k×n) [+ bias in every row].</summary>
internal unsafe struct GemmProblem<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public T* A, B, C, Bias;
    public nint StrideA, StrideB, StrideC;
    public int M, N, K;
    public bool TransposeA, TransposeB, Accumulate;

    /// <summary>Whether c is written transposed: element (i, j) of the product is at c[j·<see cref="StrideC"/> + i], and the bias goes with i.</summary>
    public bool TurnC;

    /// <summary>Only c[i, j] with j ≤ i + this is asked for; <see cref="WholeProduct"/> for all of c.</summary>
    public int Diagonal;

    /// <summary>Takes the product in place of c; null for c. For products of at most <see cref="GemmReference.BlockK"/> terms that no other way than blocks computes.</summary>
    public IProductSink<T>? Sink;

    /// <summary>Whether this is a part that one of several threads computes, whose operands another core may have written.</summary>
    public bool IsShared;

    /// <summary>The row of the whole product that this part of it begins with.</summary>
    public int FirstRow;

    /// <summary>No diagonal bounds c.</summary>
    public const int WholeProduct = int.MaxValue / 2;

    /// <summary>Checks the shapes. Throws <see cref="ArgumentException"/> where they do not agree.</summary>
    public static void Create(
        TensorView<T> a, bool transposeA, TensorView<T> b, bool transposeB, TensorView<T> c, bool accumulate, TensorView<T> rowBias, out GemmProblem<T> problem)
    {
        Create(a, transposeA, b, transposeB, out problem);
        if (c.Rows != problem.M || c.Columns != problem.N || (!rowBias.IsNone && rowBias.Length != problem.N))
        {
            throw new ArgumentException(
                $"Shapes do not agree: op(a)·op(b) is {problem.M}×{problem.N}, c {c.Rows}×{c.Columns}, bias {rowBias.Length}.");
        }

        problem.C = c.Pointer;
        problem.Bias = rowBias.Pointer;
        problem.StrideC = c.Columns;
        problem.Accumulate = accumulate;
    }

    /// <summary>A product that goes nowhere yet. Throws <see cref="ArgumentException"/> where the shapes do not agree.</summary>
    public static void Create(TensorView<T> a, bool transposeA, TensorView<T> b, bool transposeB, out GemmProblem<T> problem)
    {
        (int m, int k) = transposeA ? (a.Columns, a.Rows) : (a.Rows, a.Columns);
        (int innerOfB, int n) = transposeB ? (b.Columns, b.Rows) : (b.Rows, b.Columns);
        if (innerOfB != k)
        {
            throw new ArgumentException($"Shapes do not agree: op(a) is {m}×{k}, op(b) {innerOfB}×{n}.");
        }

        // Field by field, here and in what follows: a copy reads several fields at once, and a small product would wait for what has just been written one by one.
        problem = default;
        problem.A = a.Pointer;
        problem.B = b.Pointer;
        problem.StrideA = a.Columns;
        problem.StrideB = b.Columns;
        problem.M = m;
        problem.N = n;
        problem.K = k;
        problem.TransposeA = transposeA;
        problem.TransposeB = transposeB;
        problem.Diagonal = WholeProduct;
    }

    /// <summary>The part of the product with rows [first, end) of c.</summary>
    public readonly GemmProblem<T> Rows(int first, int end) => this with
    {
        A = A + (first * (TransposeA ? 1 : StrideA)),
        C = C + (first * StrideC),
        M = end - first,
        FirstRow = FirstRow + first,
        Diagonal = Diagonal == WholeProduct ? WholeProduct : Diagonal + first,
    };

    /// <summary>The part of the product with columns [first, end) of c.</summary>
    public readonly GemmProblem<T> Columns(int first, int end) => this with
    {
        B = B + (first * (TransposeB ? StrideB : 1)),
        C = C + first,
        Bias = Bias == null ? null : Bias + first,
        N = end - first,
        Diagonal = Diagonal == WholeProduct ? WholeProduct : Diagonal - first,
    };

    /// <summary>The same product as cᵀ = op(b)ᵀ·op(a)ᵀ: what was the left operand is the right one. Not for a part of c.</summary>
    public readonly void Turn(out GemmProblem<T> turned)
    {
        turned = default;
        turned.A = B;
        turned.B = A;
        turned.C = C;
        turned.Bias = Bias;
        turned.StrideA = StrideB;
        turned.StrideB = StrideA;
        turned.StrideC = StrideC;
        turned.M = N;
        turned.N = M;
        turned.K = K;
        turned.TransposeA = !TransposeB;
        turned.TransposeB = !TransposeA;
        turned.Accumulate = Accumulate;
        turned.TurnC = !TurnC;
        turned.Diagonal = Diagonal;
        turned.IsShared = IsShared;
        turned.FirstRow = FirstRow;
    }
}
