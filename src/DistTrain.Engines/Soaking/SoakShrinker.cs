using DistTrain.Engines.Checking;
using DistTrain.Engines.Faults;

namespace DistTrain.Engines.Soaking;

/// <summary>Makes a failing run small: first the fewest faults that break the same guarantee, by delta debugging (Zeller and Hildebrandt 2002), then fewer epochs.</summary>
internal sealed class SoakShrinker(Func<RunRequest, Finding?> check)
{
    private const int RunsMax = 400;
    private int _runs;

    /// <summary>The smallest failing run that was found, with what fails in it.</summary>
    public (RunRequest Request, Finding Finding) Shrink(RunRequest request, Finding finding)
    {
        (request, finding) = FewerFaults(request, finding);
        for (int epochs = 1; epochs < request.Settings.Training.Epochs; epochs++)
        {
            RunRequest shorter = request with
            {
                Settings = request.Settings with { Training = request.Settings.Training with { Epochs = epochs } },
            };
            if (Fails(shorter, finding) is Finding same)
            {
                return FewerFaults(shorter, same);
            }
        }

        return (request, finding);
    }

    private (RunRequest Request, Finding Finding) FewerFaults(RunRequest request, Finding finding)
    {
        int parts = 2;
        while (request.Faults.Count > 0)
        {
            int size = Math.Max(1, (request.Faults.Count + parts - 1) / parts);
            bool removed = false;
            for (int first = 0; first < request.Faults.Count && !removed; first += size)
            {
                Fault[] rest = [.. request.Faults.Where((_, index) => index < first || index >= first + size)];
                RunRequest smaller = request with { Faults = rest };
                if (Fails(smaller, finding) is Finding same)
                {
                    (request, finding, removed) = (smaller, same, true);
                }
            }

            if (!removed && size == 1)
            {
                break;
            }

            parts = removed ? Math.Max(2, parts - 1) : Math.Min(request.Faults.Count, parts * 2);
        }

        return (request, finding);
    }

    private Finding? Fails(RunRequest request, Finding finding) =>
        _runs++ < RunsMax && check(request) is Finding same && same.Guarantee == finding.Guarantee ? same : null;
}
