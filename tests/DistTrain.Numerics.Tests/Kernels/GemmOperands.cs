using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Tests.Kernels;

/// <summary>Operands of one product, drawn from (−1, 1); c starts with numbers of its own.</summary>
internal sealed class GemmOperands<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Tensor<T> _start;

    public GemmOperands(int m, int n, int k, bool transposeA, bool transposeB)
    {
        (TransposeA, TransposeB) = (transposeA, transposeB);
        A = transposeA ? Draw(k, m, 1) : Draw(m, k, 1);
        B = transposeB ? Draw(n, k, 2) : Draw(k, n, 2);
        Bias = Draw(1, n, 3);
        _start = Draw(m, n, 4);
        C = new Tensor<T>(m, n);
    }

    public bool TransposeA { get; }

    public bool TransposeB { get; }

    public Tensor<T> A { get; }

    public Tensor<T> B { get; }

    public Tensor<T> Bias { get; }

    public Tensor<T> C { get; }

    /// <summary>The product by one path; what c held before is always the same.</summary>
    public T[] Product(
        bool accumulate = false, bool bias = false, GemmPath path = GemmPath.Best, VectorWidth width = VectorWidth.Best, IForkJoin? fork = null)
    {
        _start.Span.CopyTo(C.Span);
        GemmProblem<T>.Create(A.View, TransposeA, B.View, TransposeB, C.View, accumulate, bias ? Bias.View : default, out GemmProblem<T> problem);
        Gemm.Multiply(problem, fork, path, width);
        return C.Span.ToArray();
    }

    /// <summary>The same in the way of few columns, a vector of rows at a time or two; null where it is not such a product.</summary>
    public T[]? NarrowProduct(bool accumulate, bool bias, bool one)
    {
        _start.Span.CopyTo(C.Span);
        GemmProblem<T>.Create(A.View, TransposeA, B.View, TransposeB, C.View, accumulate, bias ? Bias.View : default, out GemmProblem<T> problem);
        if (!GemmNarrow<T>.Serves(problem))
        {
            return null;
        }

        GemmNarrow<T>.Run(problem, one);
        return C.Span.ToArray();
    }

    public T[] Start() => _start.Span.ToArray();

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        Bias.Dispose();
        _start.Dispose();
        C.Dispose();
    }

    private static Tensor<T> Draw(int rows, int columns, int layer)
    {
        var stream = new RandomStream(7, RandomPurpose.GeneratedData, layer);
        var tensor = new Tensor<T>(rows, columns);
        for (int i = 0; i < tensor.Span.Length; i++)
        {
            tensor.Span[i] = T.CreateTruncating(stream.Uniform(i, -1, 1));
        }

        return tensor;
    }
}
