using System.Diagnostics;
using System.Globalization;
using DistTrain.Engines.Checking;
using DistTrain.Engines.Faults;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Soaking;

/// <summary>What to soak.</summary>
/// <param name="FirstSeed">The first seed; the others follow it.</param>
/// <param name="Seeds">How many; null for as many as <paramref name="Limit"/> allows.</param>
/// <param name="Limit">Wall time after which no further seed is begun; null for no limit.</param>
/// <param name="Threads">Runs at once; at least 1.</param>
public sealed record SoakOptions(ulong FirstSeed, long? Seeds, TimeSpan? Limit, int Threads);

/// <summary>A seed that broke a guarantee.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Configuration">Its run in words.</param>
/// <param name="Finding">What did not hold, in the shrunk run.</param>
/// <param name="Faults">The fewest faults that were found to break it.</param>
/// <param name="FaultsDrawn">How many faults the seed draws.</param>
/// <param name="Epochs">Epochs of the shrunk run.</param>
/// <param name="Topology">The actors, for their names.</param>
public sealed record SoakFailure(
    ulong Seed, string Configuration, Finding Finding, IReadOnlyList<Fault> Faults, int FaultsDrawn, int Epochs, Topology Topology);

/// <summary>How far a soak has come.</summary>
/// <param name="Seeds">Seeds that were run.</param>
/// <param name="Failed">How many of them broke a guarantee.</param>
/// <param name="Elapsed">Wall time.</param>
/// <param name="Virtual">Virtual time of all runs among faults.</param>
/// <param name="FaultsByKind">Faults that began, by kind, in ordinal order.</param>
public sealed record SoakProgress(long Seeds, long Failed, TimeSpan Elapsed, TimeSpan Virtual, IReadOnlyList<KeyValuePair<string, long>> FaultsByKind);

/// <summary>
/// Draws whole runs and schedules of faults from seeds, runs them on the simulated engine, and holds the protocol's guarantees against what happened. A seed
/// gives the same run and the same verdict whenever and beside whatever it is run.
/// </summary>
public sealed class Soak
{
    private const int StopStream = 2_004;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, long> _kinds = new(StringComparer.Ordinal);
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly SoakOptions _options;
    private readonly CancellationToken _stop;
    private readonly Action<SoakProgress> _progress;
    private readonly Action<SoakFailure> _failed;
    private long _begun, _done, _failures;
    private TimeSpan _virtual;
    private Exception? _broken;

    private Soak(SoakOptions options, Action<SoakProgress> progress, Action<SoakFailure> failed, CancellationToken stop) =>
        (_options, _progress, _failed, _stop) = (options, progress, failed, stop);

    private SoakProgress Progress => new(_done, _failures, Stopwatch.GetElapsedTime(_startedAt), _virtual, [.. _kinds]);

    /// <summary>Soaks until all seeds are done, the time is over, or a stop is asked for.</summary>
    /// <param name="options">What.</param>
    /// <param name="progress">Hears of every seed that is done; one call at a time.</param>
    /// <param name="failed">Hears of every seed that broke a guarantee; one call at a time.</param>
    /// <param name="stop">Asks for a stop: runs under way are finished.</param>
    public static SoakProgress Run(SoakOptions options, Action<SoakProgress> progress, Action<SoakFailure> failed, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentNullException.ThrowIfNull(failed);
        Soak soak = new(options, progress, failed, stop);
        Thread[] threads = [.. Enumerable.Range(0, options.Threads).Select(_ => new Thread(soak.RunSeeds) { IsBackground = true })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        return soak._broken is null ? soak.Progress : throw new InvalidOperationException(soak._broken.Message, soak._broken);
    }

    /// <summary>A seed's run with its faults.</summary>
    internal static RunRequest RequestOf(ulong seed)
    {
        RunRequest calm = SoakConfiguration.Of(seed);
        return calm with { Faults = SoakFaults.Of(seed, new RunPlan(calm.Settings, calm.Data.TrainRows, calm.Data.TestRows)) };
    }

    /// <summary>After how many messages a seed's run is asked to stop; null for never.</summary>
    internal static long? StopOf(ulong seed)
    {
        Draws draws = new(seed, StopStream);
        return draws.Chance(0.1) ? draws.From(1, 2_000) : null;
    }

    /// <summary>Runs a seed and, where it breaks a guarantee, shrinks it; null when everything held.</summary>
    internal static SoakFailure? Check(ulong seed, Func<RunRequest, Finding?> check)
    {
        RunRequest request = RequestOf(seed);
        if (check(request) is not Finding finding)
        {
            return null;
        }

        (RunRequest small, Finding what) = new SoakShrinker(check).Shrink(request, finding);
        Topology topology = new RunPlan(small.Settings, small.Data.TrainRows, small.Data.TestRows).Topology;
        return new SoakFailure(
            seed, Configuration(seed, request), what, small.Faults, request.Faults.Count, small.Settings.Training.Epochs, topology);
    }

    private static string Configuration(ulong seed, RunRequest request) => StopOf(seed) is long messages
        ? string.Create(CultureInfo.InvariantCulture, $"{SoakConfiguration.Describe(request)}, stopped after {messages} messages")
        : SoakConfiguration.Describe(request);

    private void RunSeeds()
    {
        try
        {
            while (!IsOver() && Interlocked.Increment(ref _begun) is long number && (_options.Seeds is not long seeds || number <= seeds))
            {
                RunSeed(unchecked(_options.FirstSeed + (ulong)(number - 1)));
            }
        }
        catch (Exception broken)
        {
            // A mistake of the soak itself: the command says so instead of the process ending here.
            lock (_lock)
            {
                _broken ??= broken;
            }
        }
    }

    private bool IsOver()
    {
        lock (_lock)
        {
            return _stop.IsCancellationRequested || _broken is not null || (_options.Limit is TimeSpan limit && Stopwatch.GetElapsedTime(_startedAt) >= limit);
        }
    }

    private void RunSeed(ulong seed)
    {
        List<Fault> begun = [];
        TimeSpan time = default;
        bool first = true;
        SoakFailure? failure = Check(seed, request =>
        {
            // Only the seed's own run counts, not those that shrink it.
            (Finding? finding, TimeSpan took) = SoakRun.Check(request, first ? begun.Add : null, stopAfterMessages: StopOf(seed));
            time = first ? took : time;
            first = false;
            return finding;
        });
        lock (_lock)
        {
            foreach (Fault fault in begun)
            {
                string kind = fault is CrashFault { DuringSnapshot: true } ? "crash during snapshot" : fault.Name;
                _kinds[kind] = _kinds.GetValueOrDefault(kind) + 1;
            }

            _done++;
            _virtual += time;
            if (failure is not null)
            {
                _failures++;
                _failed(failure);
            }

            _progress(Progress);
        }
    }
}
