namespace DistTrain.Commands.Experiments;

/// <summary>Finds what a mistyped word was meant to be.</summary>
internal static class Nearest
{
    /// <summary>
    /// The candidate that is nearest to <paramref name="word"/>, if it is near enough to be a slip; the first wins ties.
    /// </summary>
    public static string? To(string word, IEnumerable<string> candidates)
    {
        (string? best, int bestDistance) = (null, int.MaxValue);
        foreach (string candidate in candidates)
        {
            int distance = Distance(Fold(word), Fold(candidate));
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        int longest = Math.Max(word.Length, best?.Length ?? 0);
        return bestDistance <= Math.Max(1, longest / 3) ? best : null;
    }

    /// <summary>The candidates, nearest first; ties keep their order.</summary>
    public static IEnumerable<string> Ranked(string word, IEnumerable<string> candidates) =>
        candidates.OrderBy(candidate => Distance(Fold(word), Fold(candidate)));

    /// <summary>"; did you mean 'x'?" or nothing.</summary>
    public static string Hint(string word, IEnumerable<string> candidates) =>
        To(word, candidates) is string near ? $"; did you mean '{near}'?" : "";

    /// <summary>
    /// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours count 1 each.
    /// </summary>
    public static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            d[i, 0] = i;
        }

        for (int j = 0; j <= b.Length; j++)
        {
            d[0, j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }

    // learningRate, learning_rate and learning-rate are the same word to a person.
    private static string Fold(string word) =>
        string.Concat(word.Where(char.IsLetterOrDigit).Select(char.ToLowerInvariant));
}
