namespace DistTrain.Numerics.Kernels.Simd;

/// <summary>
/// The operations that kernels are written in, over a vector type of some width or one scalar. Every operation is defined
/// lane by lane and rounds once as IEEE 754 says, so a kernel gives the same bits whichever implementation it runs on.
/// </summary>
/// <typeparam name="TVector">The vector, or T itself.</typeparam>
/// <typeparam name="T">float or double.</typeparam>
internal unsafe interface ISimd<TVector, T>
    where TVector : unmanaged
    where T : unmanaged
{
    /// <summary>Number of lanes.</summary>
    static abstract int Count { get; }

    /// <summary>The same value in every lane.</summary>
    static abstract TVector Broadcast(T value);

    /// <summary>Loads from unaligned memory.</summary>
    static abstract TVector Load(T* source);

    /// <summary>Stores to unaligned memory.</summary>
    static abstract void Store(TVector value, T* target);

    /// <summary>a + b.</summary>
    static abstract TVector Add(TVector a, TVector b);

    /// <summary>a − b.</summary>
    static abstract TVector Subtract(TVector a, TVector b);

    /// <summary>a · b.</summary>
    static abstract TVector Multiply(TVector a, TVector b);

    /// <summary>a / b.</summary>
    static abstract TVector Divide(TVector a, TVector b);

    /// <summary>√a, correctly rounded.</summary>
    static abstract TVector Sqrt(TVector a);

    /// <summary>a · b + c, rounded once.</summary>
    static abstract TVector Fma(TVector a, TVector b, TVector c);

    /// <summary>a &lt; b ? then : otherwise; a NaN is never less.</summary>
    static abstract TVector SelectLess(TVector a, TVector b, TVector then, TVector otherwise);

    /// <summary>a = b ? then : otherwise; a NaN is never equal.</summary>
    static abstract TVector SelectEqual(TVector a, TVector b, TVector then, TVector otherwise);

    /// <summary>Sum of the lanes' bits as integers, without carry between lanes.</summary>
    static abstract TVector AddBits(TVector a, TVector b);

    /// <summary>Difference of the lanes' bits as integers.</summary>
    static abstract TVector SubtractBits(TVector a, TVector b);

    /// <summary>Bits shifted left.</summary>
    static abstract TVector ShiftLeft(TVector a, int count);

    /// <summary>Bits shifted right, zeros coming in.</summary>
    static abstract TVector ShiftRight(TVector a, int count);

    /// <summary>Bitwise and.</summary>
    static abstract TVector And(TVector a, TVector b);

    /// <summary>Bitwise or.</summary>
    static abstract TVector Or(TVector a, TVector b);
}
