using DistTrain.Numerics.Randomness;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Randomness;

/// <summary>Known answers from Random123's kat_vectors, philox4x32 with 10 rounds.</summary>
public sealed class PhiloxTests
{
    [Fact]
    public void ZerosGiveTheKnownAnswer() => Philox.Block(new PhiloxBlock(0, 0, 0, 0), 0)
        .ShouldBe(new PhiloxBlock(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));

    [Fact]
    public void OnesGiveTheKnownAnswer() => Philox.Block(new PhiloxBlock(~0u, ~0u, ~0u, ~0u), ~0ul)
        .ShouldBe(new PhiloxBlock(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));

    [Fact]
    public void DigitsOfPiGiveTheKnownAnswer() => Philox
        .Block(new PhiloxBlock(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), 0x299f31d0_a4093822ul)
        .ShouldBe(new PhiloxBlock(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}
