using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>Where front contribution stops paying: its first layer takes as many multiply-adds as backpropagation's, for all other layers cost the same, but for histories.</summary>
internal static class CostBreakEven
{
    // Far beyond any data set, and products of a few of these are still exact enough in float64.
    private const int Most = 1 << 30;

    /// <summary>The verdict on the forms that can serve, given what the other layers cost, and what histories add to that.</summary>
    public static CostVerdict Judge(CostFirstLayer first, IReadOnlyList<ContributionForm> forms, double others, CostHistories histories)
    {
        ContributionForm form = forms.MinBy(first.Of);
        bool Pays(CostFirstLayer layer) => forms.Min(layer.Of) + histories.Of(layer) < layer.Backprop;
        double perEpochs = first.Epochs / Math.Max(1, first.TestEvaluations);
        return new CostVerdict(
            form,
            (others + first.Backprop) / (others + histories.Of(first) + first.Of(form)),
            first.Backprop / first.LeastOf(form),
            Largest((int)first.Rows, rows => Pays(first with { Rows = rows })),
            Smallest((int)first.Inputs, inputs => Pays(first with { Inputs = inputs })),
            Smallest(
                (int)first.Epochs,
                epochs => Pays(first with { Epochs = epochs, TestEvaluations = first.TestEvaluations > 0 ? Math.Ceiling(epochs / perEpochs) : 0 })));
    }

    /// <summary>The smallest number that pays, found from one near it; null when none does. Larger ones pay too.</summary>
    private static int? Smallest(int near, Func<int, bool> pays)
    {
        int high = near;
        while (!pays(high))
        {
            if (high > Most / 2)
            {
                return null;
            }

            high *= 2;
        }

        int low = high == near ? 0 : high / 2;
        while (high - low > 1)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = pays(middle) ? (low, middle) : (middle, high);
        }

        return high;
    }

    /// <summary>The largest number up to which it pays, found from one near it; 0 when even a single one does not pay.</summary>
    private static int Largest(int near, Func<int, bool> pays)
    {
        int low = 0, high = near;
        while (high <= Most / 2 && pays(high))
        {
            (low, high) = (high, 2 * high);
        }

        while (high - low > 1)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = pays(middle) ? (middle, high) : (low, middle);
        }

        return low;
    }
}
