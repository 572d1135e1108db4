using DistTrain.Commands.Terminal;
using DistTrain.Numerics.Networks;

namespace DistTrain.Commands.Papers.XorInit;

/// <summary>What the counts say about the question and about the remedies that its answer names.</summary>
internal sealed class XorFindings(IReadOnlyList<XorResult> results)
{
    // A remedy helps when it leaves fewer stalls than this share of the plain runs'.
    private const double Helps = 0.9, Cures = 0.05;

    /// <summary>
    /// Whether some plain runs learn and some stall for both activations, as the question says, and more units and restarts help
    /// both, as the answer says.
    /// </summary>
    public bool Hold => Both.All(activation =>
        Plain(activation) is { Learnt: > 0, Stalled: > 0 } && Share(activation, "8 units") < Helps && Share(activation, "up to 5 starts") < Helps);

    private static ActivationKind[] Both => [ActivationKind.Sigmoid, ActivationKind.Relu];

    /// <summary>The answer, from the counts.</summary>
    public IEnumerable<string> Answer()
    {
        XorResult sigmoid = Plain(ActivationKind.Sigmoid), relu = Plain(ActivationKind.Relu);
        yield return $"Answer: {Rate(sigmoid)} of the sigmoid starts and {Rate(relu)} of the ReLU starts stall; in {Words.Count(sigmoid.Stuck + relu.Stuck)} of these {Words.Count(sigmoid.Stalled + relu.Stalled)} runs hardly any gradient is left: they sit in a local minimum or on a plateau. It is not chaos: the same start always ends the same way.";
        foreach (ActivationKind activation in Both)
        {
            string[] verdicts = [.. results.Where(result => result.Variant.Activation == activation && result.Variant.Remedy.Length > 0)
                .Select(result => $"{result.Variant.Remedy} {Verdict(activation, result.Variant.Remedy)}")];
            yield return $"  {(activation == ActivationKind.Relu ? "ReLU" : "sigmoid")}: {string.Join(", ", verdicts)}.";
        }

        yield return Hold
            ? "Result: some starts learn and some never do, and more units and restarts help, as the question and its answer say."
            : "Result: NOT reproduced with these seeds; see the counts.";
    }

    private string Verdict(ActivationKind activation, string remedy)
    {
        double share = Share(activation, remedy);
        return share <= Cures ? "cures it" : share < Helps ? $"helps (stalls down to {Words.Percent(share)} of plain)" : share <= 1 / Helps ? "changes little" : "makes it worse";
    }

    /// <summary>Stalls beside those of the plain runs.</summary>
    private double Share(ActivationKind activation, string remedy) =>
        (double)Of(activation, remedy).Stalled / Math.Max(1, Plain(activation).Stalled);

    private XorResult Plain(ActivationKind activation) => Of(activation, "");

    private XorResult Of(ActivationKind activation, string remedy) =>
        results.Single(result => result.Variant.Activation == activation && result.Variant.Remedy == remedy);

    private static string Rate(XorResult result) => Words.Percent((double)result.Stalled / result.Endings.Count);
}
