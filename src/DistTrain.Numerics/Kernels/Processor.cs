using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>What is known of the processor beside the instructions that it has. It decides on speed and on no bit of a result.</summary>
internal static class Processor
{
    // "AuthenticAMD", the first four letters.
    private const int Amd = 0x68747541;

    private const int Family19H = 0x19;

    /// <summary>
    /// Whether a vector of 512 bits takes its units two cycles, as on Zen 4, which is the only one of its family that has such vectors (AMD, "Software Optimization Guide for the AMD Zen4 Microarchitecture",
    /// publication 57647). A multiplication then takes as long as two reads.
    /// </summary>
    public static bool HalvesWideVectors { get; } = Avx512F.IsSupported && X86Base.CpuId(0, 0).Ebx == Amd && Family(X86Base.CpuId(1, 0).Eax) == Family19H;

    // The family and what is added to it, bits 8 to 11 and 20 to 27.
    private static int Family(int signature) => ((signature >> 8) & 0xF) + ((signature >> 20) & 0xFF);
}
