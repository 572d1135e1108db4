namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>A way of running the 2-2-1 network that is held against backpropagation.</summary>
/// <param name="Name">As in tables.</param>
/// <param name="Key">As in JSON.</param>
/// <param name="AllInputs">Whether it is run on the four XOR inputs in turn; otherwise on one input over and over, as in the
/// paper.</param>
/// <param name="MustBeExact">Whether the command fails when it differs from backpropagation by more than rounding.</param>
/// <param name="Create">A hidden unit from its initial weights; the sample counts for single-input schemes only.</param>
internal sealed record Scheme(string Name, string Key, bool AllInputs, bool MustBeExact, Func<UnitWeights, Sample, IHiddenUnit> Create)
{
    /// <summary>The three of Figure 3, the closed forms, and eq. (5) as it is printed.</summary>
    public static IReadOnlyList<Scheme> All { get; } =
    [
        new("top: w5 + p, w6 + q", "top", false, true, (start, input) => new AppendedUnit(start, input)),
        new("middle: p, q only", "middle", false, true, (start, input) => new FixedWeightUnit(start, input)),
        new("bottom: states s, S", "bottom", true, true, (start, _) => new StatesUnit(start)),
        new("our closed form", "closed-form-conserved", false, false, (start, input) => new ConservedClosedFormUnit(start, input)),
        new("printed form, eq. 29", "closed-form-printed", false, false, (start, input) => new PrintedClosedFormUnit(start, input)),
        new("printed chain, eq. 5", "chain-printed", true, false, (start, _) => new ChainedStatesUnit(start)),
    ];

    /// <summary>The inputs of a run: the given one, or all of XOR.</summary>
    public IReadOnlyList<Sample> Inputs(Sample single) => AllInputs ? Sample.Xor : [single];

    /// <summary>The whole network.</summary>
    public TwoUnits Build(Start start, Sample input) => new(Create(start.First, input), Create(start.Second, input));
}
