namespace DistTrain.Engines.Checking;

/// <summary>A guarantee that did not hold.</summary>
/// <param name="Guarantee">Which: <c>once</c>, <c>committed</c>, <c>staleness</c>, <c>membership</c>, <c>progress</c>, <c>equal</c>, <c>buffers</c> or <c>invariant</c>.</param>
/// <param name="What">What was seen.</param>
public sealed record Finding(string Guarantee, string What);

/// <summary>What checkers have found in one run; the first thing counts, for the rest may follow from it.</summary>
internal sealed class Findings
{
    /// <summary>The first finding; null while everything holds.</summary>
    public Finding? First { get; private set; }

    /// <summary>Something did not hold.</summary>
    public void Add(string guarantee, string what) => First ??= new Finding(guarantee, what);

    /// <summary>Says so unless something holds.</summary>
    public void Require(bool holds, string guarantee, Func<string> what)
    {
        if (!holds)
        {
            Add(guarantee, what());
        }
    }
}
