namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>What is asked of the experiment.</summary>
/// <param name="Iterations">Updates of each run.</param>
/// <param name="Seeds">Starts of each setting, from seeds 1, 2, ….</param>
/// <param name="LearningRates">Values of η.</param>
internal sealed record Figure3Settings(int Iterations, int Seeds, IReadOnlyList<double> LearningRates);

/// <summary>One setting's runs, one for each seed.</summary>
internal sealed record Figure3Row(Scheme Scheme, Transition Transition, double LearningRate, IReadOnlyList<Comparison> Runs, IReadOnlyList<bool> TargetIsOne)
{
    /// <summary>Rounding error over 10,000 updates of numbers near 1 stays below this; a wrong formula does not.</summary>
    public const double Tolerance = 1e-12;

    /// <summary>The bound that the paper states.</summary>
    public const double PaperBound = 1e-15;

    /// <summary>Whether every run is backpropagation's to rounding error.</summary>
    public bool Exact => Runs.All(run => run.LargestRelative <= Tolerance);

    /// <summary>Largest error of all runs.</summary>
    public double Largest => Runs.Max(run => run.Largest);

    /// <summary>Median over the runs of each one's largest error; the lower one of two.</summary>
    public double Median => Runs.Select(run => run.Largest).Order().ElementAt((Runs.Count - 1) / 2);

    /// <summary>Largest error of all runs before the first update.</summary>
    public double AtStart => Runs.Max(run => run.AtStart);

    /// <summary>Runs that meet the paper's bound.</summary>
    public int WithinPaperBound => Runs.Count(run => run.Largest < PaperBound);

    /// <summary>Runs with label 1, and how many of them meet the paper's bound; none where a run has several labels.</summary>
    public (int Runs, int WithinPaperBound) WithTargetOne => Scheme.AllInputs
        ? (0, 0)
        : (TargetIsOne.Count(one => one), Runs.Where((run, i) => TargetIsOne[i] && run.Largest < PaperBound).Count());

    /// <summary>The largest error of all runs over their course.</summary>
    public IReadOnlyList<double> Curve => [.. Enumerable.Range(0, Comparison.Points).Select(point => Runs.Max(run => run.Curve[point]))];
}

/// <summary>Figure 3 of Mishra and Arunkumar, "Front Contribution instead of Back Propagation", over many starts.</summary>
internal static class Figure3
{
    /// <summary>Runs every scheme from every start; rows in the order of scheme, transition, learning rate.</summary>
    public static IReadOnlyList<Figure3Row> Run(Figure3Settings settings, Action<int, int> progress, CancellationToken stop)
    {
        Dictionary<(bool AllInputs, Transition Transition), (Start Start, Sample Input)[]> starts = [];
        (int done, int all) = (0, 4 * settings.Seeds);
        foreach ((bool allInputs, Transition transition) in Kinds())
        {
            List<(Start, Sample)> found = [];
            for (ulong seed = 1; seed <= (ulong)settings.Seeds; seed++)
            {
                found.Add(StartSearch.Find(seed, transition, allInputs, settings.LearningRates, settings.Iterations, stop));
                progress(++done, all);
            }

            starts[(allInputs, transition)] = [.. found];
        }

        return [.. from scheme in Scheme.All
                   from transition in Enum.GetValues<Transition>()
                   from rate in settings.LearningRates
                   select Row(scheme, transition, rate, settings.Iterations, starts[(scheme.AllInputs, transition)], stop)];
    }

    /// <summary>Whether every scheme that must be exact is.</summary>
    public static bool Holds(IEnumerable<Figure3Row> rows) => rows.All(row => row.Exact || !row.Scheme.MustBeExact);

    private static IEnumerable<(bool AllInputs, Transition Transition)> Kinds() =>
        from allInputs in (bool[])[false, true]
        from transition in Enum.GetValues<Transition>()
        select (allInputs, transition);

    private static Figure3Row Row(
        Scheme scheme, Transition transition, double rate, int iterations, (Start Start, Sample Input)[] starts, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        Comparison[] runs = [.. starts.Select(start => Comparison.Run(scheme, start.Start, start.Input, rate, iterations))];
        return new Figure3Row(scheme, transition, rate, runs, [.. starts.Select(start => start.Input.Target == 1)]);
    }
}
