namespace DistTrain.Commands.Papers.XorInit;

/// <summary>What became of a variant's seeds.</summary>
/// <param name="Variant">The variant.</param>
/// <param name="Endings">Of each seed: the start that learnt XOR, or the last one.</param>
internal sealed record XorResult(XorVariant Variant, IReadOnlyList<XorEnding> Endings)
{
    // Full gradients while something is still being learnt are some hundred times larger.
    private const double StuckGradient = 1e-3;

    /// <summary>Seeds that learnt XOR.</summary>
    public int Learnt => Endings.Count(ending => ending.Epochs is not null);

    /// <summary>Seeds that did not.</summary>
    public int Stalled => Endings.Count - Learnt;

    /// <summary>Stalled seeds with next to no gradient left.</summary>
    public int Stuck => Endings.Count(ending => ending is { Epochs: null, GradientNorm: < StuckGradient });

    /// <summary>Median epochs of the seeds that learnt; null where none did.</summary>
    public int? MedianEpochs => Endings.Select(ending => ending.Epochs).Where(epochs => epochs is not null).Order().ElementAtOrDefault((Learnt - 1) / 2);
}

/// <summary>Learns XOR from many starts with every variant, on plain threads that each take every n-th seed.</summary>
internal static class XorStudy
{
    /// <summary>Epochs after which a run that has not learnt XOR has stalled.</summary>
    public const int Epochs = 3_000;

    // Restarts take seeds that no other start uses.
    private const ulong SeedsApart = 1_000_000;
    private static readonly TimeSpan BetweenReports = TimeSpan.FromMilliseconds(200);

    /// <summary>Results in the order of the variants; they do not depend on the number of threads.</summary>
    public static IReadOnlyList<XorResult> Run(
        IReadOnlyList<XorVariant> variants, int seeds, int threads, Action<int, int> progress, CancellationToken stop)
    {
        XorEnding[][] endings = [.. variants.Select(_ => new XorEnding[seeds])];
        Exception?[] failures = new Exception?[threads];
        int done = 0;
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(worker => new Thread(() =>
        {
            try
            {
                Share(variants, endings, worker, threads, () => Interlocked.Increment(ref done), stop);
            }
            catch (Exception failure)
            {
                failures[worker] = failure;
            }
        })
        {
            IsBackground = true,
            Name = $"xor-{worker}",
        })];
        Array.ForEach(workers, worker => worker.Start());
        foreach (Thread worker in workers)
        {
            while (!worker.Join(BetweenReports))
            {
                progress(Volatile.Read(ref done), variants.Count * seeds);
            }
        }

        stop.ThrowIfCancellationRequested();
        return Array.Find(failures, failure => failure is not null) is Exception first
            ? throw new InvalidOperationException("A thread of the XOR study failed.", first)
            : [.. variants.Select((variant, i) => new XorResult(variant, endings[i]))];
    }

    private static void Share(
        IReadOnlyList<XorVariant> variants, XorEnding[][] endings, int worker, int threads, Action done, CancellationToken stop)
    {
        for (int i = 0; i < variants.Count; i++)
        {
            using XorTrainer trainer = new(variants[i]);
            for (int seed = worker; seed < endings[i].Length; seed += threads)
            {
                if (stop.IsCancellationRequested)
                {
                    return;
                }

                endings[i][seed] = Ending(trainer, (ulong)seed + 1, variants[i].Starts);
                done();
            }
        }
    }

    private static XorEnding Ending(XorTrainer trainer, ulong seed, int starts)
    {
        XorEnding ending = trainer.Train(seed, Epochs);
        for (int start = 1; start < starts && ending.Epochs is null; start++)
        {
            ending = trainer.Train(seed + ((ulong)start * SeedsApart), Epochs);
        }

        return ending;
    }
}
