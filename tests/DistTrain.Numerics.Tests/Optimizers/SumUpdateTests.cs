using System.Numerics;
using DistTrain.Numerics.Aggregation;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Kernels;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Optimizers;

public sealed class SumUpdateTests
{
    // None, less than a vector, a block and something, and enough for threads with a ragged end.
    private static readonly int[] Lengths = [0, 1, 3, 17, 1_024, 1_029, 50_000, 65_537];

    private static readonly OptimizerSpec[] Specs =
    [
        new(OptimizerKind.Sgd, 0.1),
        new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, Nesterov = true, WeightDecay = 0.02 },
        new(OptimizerKind.Adam, 0.1) { WeightDecay = 0.02 },
        OptimizerDefaults.For(OptimizerKind.AdaDelta, 1.0),
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Specs.Length)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void SumAndUpdateInOnePassGiveTheBitsOfOneAfterTheOther(int index)
    {
        foreach (int length in Lengths)
        {
            foreach (int replicas in (int[])[2, 3, 5])
            {
                OnePassIsTwo<float>(Specs[index], length, replicas);
                OnePassIsTwo<double>(Specs[index], length, replicas);
            }
        }
    }

    [Fact]
    public void AWeightThatIsNotFiniteIsToldWhereverItIs()
    {
        const int Length = 65_537;
        foreach (int at in (int[])[0, 1_023, 1_024, Length - 1])
        {
            using Tensor<float> weights = new(1, Length), first = new(1, Length), second = new(1, Length), next = new(1, Length);
            first.Span[at] = second.Span[at] = float.MaxValue;
            foreach (IForkJoin? fork in (IForkJoin?[])[null, new ReverseForkJoin(2)])
            {
                new Optimizer<float>(Specs[0]).ApplySum(0.1, 1, 1, weights.View, [first.View, second.View], [], next.View, [], fork).ShouldBeFalse();
            }

            first.Span[at] = 1;
            second.Span[at] = 1;
            new Optimizer<float>(Specs[0]).ApplySum(0.1, 1, 1, weights.View, [first.View, second.View], [], next.View, []).ShouldBeTrue();
        }
    }

    [Fact]
    public void OneGradientIsNoSumAndNeitherAreSomeOfOtherLengths()
    {
        using Tensor<float> weights = new(1, 8), same = new(1, 8), other = new(1, 9), next = new(1, 8);
        Optimizer<float> optimizer = new(Specs[0]);
        Should.Throw<ArgumentOutOfRangeException>(() => optimizer.ApplySum(0.1, 1, 1, weights.View, [same.View], [], next.View, []));
        Should.Throw<ArgumentOutOfRangeException>(() => optimizer.ApplySum(0.1, 1, 1, weights.View, [same.View, other.View], [], next.View, []));
    }

    private static void OnePassIsTwo<T>(OptimizerSpec spec, int length, int replicas)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Optimizer<T> optimizer = new(spec);
        RandomStream random = new(3, RandomPurpose.GeneratedData);
        Tensor<T>[] gradients = [.. Enumerable.Range(0, replicas).Select(replica => Filled<T>(length, random, replica))];
        TensorView<T>[] views = [.. gradients.Select(gradient => gradient.View)];
        using Tensor<T> weights = Filled<T>(length, random, 10), sum = new(1, length), next = new(1, length), expected = new(1, length);
        T[] state = new T[length * optimizer.StateCount], nextState = new T[state.Length], expectedState = new T[state.Length];
        state.AsSpan().Fill(T.CreateChecked(0.25));
        GradientAggregation.Sum<T>(views, sum.View);
        optimizer.Apply(0.05, 3, 0.7, weights.Span, sum.Span, state, expected.Span, expectedState);
        foreach (IForkJoin? fork in (IForkJoin?[])[null, new ReverseForkJoin(2), new TwoThreadForkJoin()])
        {
            next.Span.Clear();
            optimizer.ApplySum(0.05, 3, 0.7, weights.View, views, state, next.View, nextState, fork).ShouldBeTrue();
            next.Span.SequenceEqual(expected.Span).ShouldBeTrue($"{spec.Kind}, {length} values of {replicas} replicas");
            nextState.AsSpan().SequenceEqual(expectedState).ShouldBeTrue();
        }

        foreach (Tensor<T> gradient in gradients)
        {
            gradient.Dispose();
        }
    }

    private static Tensor<T> Filled<T>(int length, RandomStream random, int of)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> tensor = new(1, length);
        for (int i = 0; i < length; i++)
        {
            tensor.Span[i] = T.CreateChecked((random.Below((of * 1_000_000L) + i, 2_001) - 1_000) / 777.0);
        }

        return tensor;
    }
}
