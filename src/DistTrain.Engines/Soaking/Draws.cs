using DistTrain.Numerics.Randomness;

namespace DistTrain.Engines.Soaking;

/// <summary>Random choices one after the other, repeatable from a seed and a stream.</summary>
internal sealed class Draws(ulong seed, int stream)
{
    private readonly RandomStream _random = new(seed, RandomPurpose.Faults, layer: stream, replica: 1);
    private long _next;

    /// <summary>Uniform over low … high.</summary>
    public int From(int low, int high) => low + _random.Below(_next++, high - low + 1);

    /// <summary>Uniform over low … high.</summary>
    public double Between(double low, double high) => _random.Uniform(_next++, low, high);

    public bool Chance(double probability) => _random.Uniform(_next++) < probability;

    public T Of<T>(params ReadOnlySpan<T> choices) => choices[_random.Below(_next++, choices.Length)];

    /// <summary>A time, all orders of magnitude alike, for what matters may happen within a message or over a recovery.</summary>
    public TimeSpan Time(TimeSpan low, TimeSpan high) =>
        TimeSpan.FromMicroseconds(Math.Round(Math.Exp(Between(Math.Log(low.TotalMicroseconds), Math.Log(high.TotalMicroseconds)))));
}
