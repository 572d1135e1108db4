using System.Runtime.InteropServices;

namespace DistTrain.Engines.Tracing;

/// <summary>When each step's jobs at layer actors began and ended, and how long they took together.</summary>
internal sealed class PassTimes
{
    private readonly Dictionary<long, (long First, long Last)> _steps = [];

    /// <summary>Nanoseconds of all jobs.</summary>
    public long Busy { get; private set; }

    /// <summary>A step's job ended.</summary>
    public void Add(in TraceSpan span)
    {
        Busy += span.EndNanoseconds - span.StartNanoseconds;
        ref (long First, long Last) step = ref CollectionsMarshal.GetValueRefOrAddDefault(_steps, span.Step, out bool exists);
        step = exists
            ? (Math.Min(step.First, span.StartNanoseconds), Math.Max(step.Last, span.EndNanoseconds))
            : (span.StartNanoseconds, span.EndNanoseconds);
    }

    /// <summary>Nanoseconds in which at least one step was between its first and its last job.</summary>
    public long Covered()
    {
        long covered = 0, until = long.MinValue;
        foreach ((long first, long last) in _steps.Values.Order())
        {
            covered += Math.Max(0, last - Math.Max(first, until));
            until = Math.Max(until, last);
        }

        return covered;
    }
}
