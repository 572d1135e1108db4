using DistTrain.Numerics.Randomness;

namespace DistTrain.Conformance.Support;

/// <summary>Random choices one after the other, repeatable from the seed.</summary>
internal sealed class Draw(ulong seed, int stream = 0)
{
    private readonly RandomStream _stream = new(seed, RandomPurpose.Faults, stream);
    private long _next;

    /// <summary>Uniform over 0 … bound − 1.</summary>
    public int Below(int bound) => _stream.Below(_next++, bound);

    /// <summary>Uniform over low … high.</summary>
    public int From(int low, int high) => low + Below(high - low + 1);

    public bool Chance(double probability) => _stream.Uniform(_next++) < probability;

    public double Uniform(double low, double high) => _stream.Uniform(_next++, low, high);

    public T Of<T>(params IReadOnlyList<T> choices) => choices[Below(choices.Count)];
}
