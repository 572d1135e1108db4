using System.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tests.Layers;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tests.Kernels;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Optimizers;

public sealed class OptimizerTests
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(0.01, false)]
    [InlineData(0.01, true)]
    public void GradientDescentInOnePassIsItsFormulaElementByElement(double decay, bool nesterov)
    {
        const int Length = 1003;
        const float Momentum = 0.9f, Rate = 0.1f, Scale = 0.7f;
        var optimizer = new Optimizer<float>(new OptimizerSpec(OptimizerKind.Sgd, Rate) { Momentum = Momentum, WeightDecay = decay, Nesterov = nesterov });
        var random = new RandomStream(1, RandomPurpose.GeneratedData);
        float[] w = Draw(0), g = Draw(1), v = Draw(2), nextW = new float[Length], nextV = new float[Length];
        optimizer.Apply(Rate, 1, Scale, w, g, v, nextW, nextV).ShouldBeTrue();
        for (int i = 0; i < Length; i++)
        {
            float gradient = g[i] * Scale;
            gradient = decay == 0 ? gradient : MathF.FusedMultiplyAdd(w[i], (float)decay, gradient);
            float velocity = MathF.FusedMultiplyAdd(v[i], Momentum, gradient);
            nextV[i].ShouldBe(velocity);
            float direction = nesterov ? MathF.FusedMultiplyAdd(velocity, Momentum, gradient) : velocity;
            nextW[i].ShouldBe(MathF.FusedMultiplyAdd(direction, -Rate, w[i]));
        }

        foreach (int bad in (int[])[0, 500, Length - 1])
        {
            float[] broken = [.. g];
            broken[bad] = float.PositiveInfinity;
            optimizer.Apply(Rate, 1, Scale, w, broken, v, nextW, nextV).ShouldBeFalse();
        }

        float[] Draw(int part) => [.. Enumerable.Range(0, Length).Select(i => (float)random.Uniform((part * Length) + i, -1, 1))];
    }

    private static readonly OptimizerSpec[] Specs =
    [
        new(OptimizerKind.Sgd, 0.1),
        new(OptimizerKind.Sgd, 0.1) { WeightDecay = 0.02 },
        new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, WeightDecay = 0.02 },
        new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, Nesterov = true, WeightDecay = 0.02 },
        new(OptimizerKind.Adam, 0.1) { WeightDecay = 0.02 },
        OptimizerDefaults.For(OptimizerKind.AdamW, 0.1),
        OptimizerDefaults.For(OptimizerKind.RmsProp, 0.1) with { WeightDecay = 0.02 },
        OptimizerDefaults.For(OptimizerKind.RmsProp, 0.1) with { Momentum = 0.8 },
        OptimizerDefaults.For(OptimizerKind.AdaGrad, 0.1) with { WeightDecay = 0.02 },
        OptimizerDefaults.For(OptimizerKind.AdaDelta, 1.0) with { WeightDecay = 0.02 },
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Specs.Length)];

    public static TheoryData<int> InOnePass =>
        [.. Enumerable.Range(0, Specs.Length).Where(index => Specs[index].Kind is OptimizerKind.Sgd or OptimizerKind.Adam or OptimizerKind.AdamW)];

    [Theory]
    [MemberData(nameof(InOnePass))]
    public void OnePassGivesTheBitsOfTheRuleWhateverTheLength(int index)
    {
        for (int length = 0; length <= 67; length++)
        {
            OnePassIsTheRule<float>(Specs[index], length);
            OnePassIsTheRule<double>(Specs[index], length);
        }
    }

    private static void OnePassIsTheRule<T>(OptimizerSpec spec, int length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        UpdateRule<T> rule = UpdateRule<T>.For(spec);
        T scale = T.CreateChecked(0.7);
        RandomStream random = new(2, RandomPurpose.GeneratedData);
        T[] w = Draw(0, length), g = Draw(1, length), state = [.. Draw(2, rule.StateCount * length).Select(T.Abs)];
        T[] nextW = new T[length], nextState = new T[state.Length], byBlockW = new T[length], byBlockState = new T[state.Length];
        Coefficients<T> coefficients = rule.At(0.1, 3);
        BlockRule<T> plain = spec.Kind == OptimizerKind.Sgd ? new PlainSgd<T>(spec) : new PlainAdam<T>(spec);
        bool finite = rule.Apply(Arrays(nextW, nextState), coefficients, 0, length);
        plain.Apply(Arrays(byBlockW, byBlockState), coefficients, 0, length).ShouldBe(finite);
        finite.ShouldBeTrue();
        nextW.ShouldBe(byBlockW, $"{spec}, {length} values");
        nextState.ShouldBe(byBlockState, $"{spec}, {length} values");

        UpdateArrays<T> Arrays(T[] nextWeights, T[] next) => new()
        {
            Weights = w, Gradient = g, GradientScale = scale, State = state, NextWeights = nextWeights, NextState = next,
        };

        T[] Draw(int part, int count) => [.. Enumerable.Range(0, count).Select(i => T.CreateChecked(random.Uniform((part * 1_000L) + i, -1, 1)))];
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void ALargeParameterSplitOverThreadsHasTheSameBits(int index)
    {
        int length = UpdateWork<float>.LengthMin + 1_003;
        Optimizer<float> optimizer = new(Specs[index]);
        RandomStream random = new(3, RandomPurpose.GeneratedData);
        float[] w = Draw(0, length), g = Draw(1, length), state = [.. Draw(2, optimizer.StateCount * length).Select(MathF.Abs)];
        float[] nextW = new float[length], nextState = new float[state.Length], splitW = new float[length], splitState = new float[state.Length];
        optimizer.Apply(0.1, 3, 0.7, w, g, state, nextW, nextState).ShouldBeTrue();
        optimizer.Apply(0.1, 3, 0.7, w, g, state, splitW, splitState, new ReverseForkJoin(2)).ShouldBeTrue();
        splitW.ShouldBe(nextW);
        splitState.ShouldBe(nextState);
        w[length - 5] = float.NaN;
        optimizer.Apply(0.1, 3, 0.7, w, g, state, splitW, splitState, new ReverseForkJoin(2)).ShouldBeFalse();
        splitW[..(length - 5)].ShouldBe(nextW[..(length - 5)]);

        float[] Draw(int part, int count) => [.. Enumerable.Range(0, count).Select(i => (float)random.Uniform((part * 1_000_000L) + i, -1, 1))];
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void TheRuleIsTheTextbooks(int index)
    {
        OptimizerSpec spec = Specs[index];
        var optimizer = new Optimizer<double>(spec);
        double[] w = [0.7, -0.3, 0.0], state = new double[3 * optimizer.StateCount];
        double[] expected = [.. w];
        var memory = new double[3, 2];
        for (int update = 1; update <= 20; update++)
        {
            double[] g = expected.Select((x, i) => Math.Sin((update * 1.3) + i) + x).ToArray();
            const double scale = 0.5;
            optimizer.Apply(spec.LearningRate, update, scale, w, g, state, w, state);
            for (int i = 0; i < 3; i++)
            {
                expected[i] = Textbook(spec, update, expected[i], g[i] * scale, ref memory[i, 0], ref memory[i, 1]);
                w[i].ShouldBe(expected[i], 1e-12, $"update {update}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void InPlaceAndOutOfPlaceGiveTheSameBits(int index)
    {
        SameBits<double>(Specs[index]);
        SameBits<float>(Specs[index]);
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void AnElementsBitsDoNotDependOnItsPositionOrOnTheLength(int index)
    {
        var optimizer = new Optimizer<float>(Specs[index]);
        const int length = 1300;
        (float[] w, float[] g, float[] state) = Inputs<float>(length, optimizer.StateCount);
        float[] whole = [.. w], wholeState = [.. state];
        optimizer.Apply(0.01, 3, 0.7, whole, g, wholeState, whole, wholeState);
        for (int i = 0; i < length; i += 7)
        {
            float[] one = [w[i]];
            float[] oneState = Enumerable.Range(0, optimizer.StateCount).Select(s => state[(s * length) + i]).ToArray();
            optimizer.Apply(0.01, 3, 0.7, one, [g[i]], oneState, one, oneState);
            TestValues.Bits<float>(one).ShouldBe(TestValues.Bits<float>([whole[i]]), $"element {i}");
        }
    }

    [Theory]
    [MemberData(nameof(InOnePass))]
    public void AWeightThatIsNotFiniteIsFoundAtEveryPlaceOfEveryLength(int index)
    {
        var optimizer = new Optimizer<float>(Specs[index]);
        for (int length = 1; length <= 50; length++)
        {
            (float[] w, float[] g, float[] state) = Inputs<float>(length, optimizer.StateCount);
            float[] next = new float[length], nextState = new float[state.Length];
            optimizer.Apply(0.01, 2, 1, w, g, state, next, nextState).ShouldBeTrue();
            for (int bad = 0; bad < length; bad++)
            {
                float[] broken = [.. w];
                broken[bad] = float.NaN;
                optimizer.Apply(0.01, 2, 1, broken, g, state, next, nextState).ShouldBeFalse($"{bad} of {length}");
            }
        }
    }

    [Fact]
    public void AParameterWithoutValuesIsFine()
        => Should.NotThrow(
            () => new Optimizer<float>(new OptimizerSpec(OptimizerKind.Adam, 1)).Apply(1, 1, 1, [], [], [], [], []));

    [Fact]
    public void AStateOfTheWrongLengthIsRefused()
        => Should.Throw<ArgumentOutOfRangeException>(
            () => new Optimizer<float>(new OptimizerSpec(OptimizerKind.Adam, 1))
                .Apply(1, 1, 1, [1f], [1f], [1f], new float[1], new float[1]));

    [Fact]
    public void UpdatesAllocateNothing()
    {
        foreach (OptimizerSpec spec in Specs)
        {
            var optimizer = new Optimizer<double>(spec);
            (double[] w, double[] g, double[] state) = Inputs<double>(2000, optimizer.StateCount);
            for (int i = 1; i < 50; i++)
            {
                optimizer.Apply(0.01, i, 1, w, g, state, w, state);
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            optimizer.Apply(0.01, 51, 1, w, g, state, w, state);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            allocated.ShouldBe(0, $"{spec.Kind}");
        }
    }

    private static void SameBits<T>(OptimizerSpec spec)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var optimizer = new Optimizer<T>(spec);
        (T[] w, T[] g, T[] state) = Inputs<T>(1111, optimizer.StateCount);
        T[] gradient = [.. g], nextWeights = new T[w.Length], nextState = new T[state.Length];
        optimizer.Apply(0.01, 2, 0.3, w, g, state, nextWeights, nextState);
        optimizer.Apply(0.01, 2, 0.3, w, g, state, w, state);
        TestValues.Bits<T>(w).ShouldBe(TestValues.Bits<T>(nextWeights));
        TestValues.Bits<T>(state).ShouldBe(TestValues.Bits<T>(nextState));
        g.ShouldBe(gradient);
    }

    private static (T[] Weights, T[] Gradient, T[] State) Inputs<T>(int length, int states)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] w = new T[length], g = new T[length], state = new T[length * states];
        TestValues.Fill<T>(w, 1);
        TestValues.Fill<T>(g, 2);
        TestValues.Fill<T>(state, 3, 0.1);
        return (w, g, state);
    }

    // torch.optim of PyTorch 1.13, one element, as its documentation states the algorithms.
    private static double Textbook(OptimizerSpec o, int t, double w, double g, ref double a, ref double b)
    {
        double rate = o.LearningRate;
        if (o.Kind == OptimizerKind.AdamW)
        {
            w -= rate * o.WeightDecay * w;
        }
        else
        {
            g += o.WeightDecay * w;
        }

        switch (o.Kind)
        {
            case OptimizerKind.Sgd:
                a = t == 1 ? g : (o.Momentum * a) + g;
                return w - (rate * (o.Nesterov ? g + (o.Momentum * a) : a));
            case OptimizerKind.Adam or OptimizerKind.AdamW:
                a = (o.Beta1 * a) + ((1 - o.Beta1) * g);
                b = (o.Beta2 * b) + ((1 - o.Beta2) * g * g);
                return w - (rate * (a / (1 - Math.Pow(o.Beta1, t))) / (Math.Sqrt(b / (1 - Math.Pow(o.Beta2, t))) + o.Epsilon));
            case OptimizerKind.RmsProp:
                a = (o.Smoothing * a) + ((1 - o.Smoothing) * g * g);
                b = (o.Momentum * b) + (g / (Math.Sqrt(a) + o.Epsilon));
                return w - (rate * b);
            case OptimizerKind.AdaGrad:
                a += g * g;
                return w - (rate * g / (Math.Sqrt(a) + o.Epsilon));
            default:
                a = (o.Smoothing * a) + ((1 - o.Smoothing) * g * g);
                double delta = Math.Sqrt(b + o.Epsilon) / Math.Sqrt(a + o.Epsilon) * g;
                b = (o.Smoothing * b) + ((1 - o.Smoothing) * delta * delta);
                return w - (rate * delta);
        }
    }
}
