using DistTrain.Numerics.Randomness;

namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>A hidden unit at the start: two weights from the input and one to the output (w₁, w₂, w₅ of the paper, or w₃,
/// w₄, w₆).</summary>
internal readonly record struct UnitWeights(double Left, double Right, double Out)
{
    /// <summary>The unit's output for an input: v = ReLU(s).</summary>
    public double Activation(in Sample x) => Math.Max(0, (Left * x.X1) + (Right * x.X2));
}

/// <summary>Initial weights of a 2-2-1 network without biases.</summary>
internal readonly record struct Start(UnitWeights First, UnitWeights Second)
{
    /// <summary>Six weights from U(−1, 1), a function of the seed and the number of the draw.</summary>
    public static Start Draw(ulong seed, int draw)
    {
        RandomStream stream = new(seed, RandomPurpose.Initialization, step: draw);
        return new Start(Unit(stream, 0), Unit(stream, 3));
    }

    /// <summary>A row of XOR that is not (0, 0), drawn with the weights.</summary>
    public static Sample DrawSample(ulong seed, int draw) =>
        Sample.Xor[1 + new RandomStream(seed, RandomPurpose.Initialization, layer: 1, step: draw).Below(0, 3)];

    private static UnitWeights Unit(RandomStream stream, long at) =>
        new(stream.Uniform(at, -1, 1), stream.Uniform(at + 1, -1, 1), stream.Uniform(at + 2, -1, 1));
}
