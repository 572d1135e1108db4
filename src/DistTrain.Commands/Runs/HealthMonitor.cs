using DistTrain.Data;
using DistTrain.Engines;

namespace DistTrain.Commands.Runs;

/// <summary>
/// Measures the health of layers at snapshots, on a thread of its own beside the run; a snapshot that comes while it still measures is passed over,
/// as the ends of very short epochs are.
/// </summary>
internal sealed class HealthMonitor(HealthProbe probe, string journal, MetricsLog log) : IDisposable
{
    private Thread? _measuring;

    /// <summary>A snapshot of a step is complete.</summary>
    public void Look(long step)
    {
        if (_measuring is { IsAlive: true })
        {
            return;
        }

        _measuring = new Thread(() => Measure(step)) { IsBackground = true, Name = "health" };
        _measuring.Start();
    }

    /// <summary>The run is over: waits for the measurement under way and measures the final parameters.</summary>
    public void End(long step, IReadOnlyDictionary<string, byte[]> parameters)
    {
        _measuring?.Join();
        if (parameters.Count > 0 && step != probe.LastStep)
        {
            log.Health(step, probe.Measure(step, name => parameters[name]));
        }
    }

    /// <summary>Waits for the measurement under way, which writes to the log.</summary>
    public void Dispose() => _measuring?.Join();

    private void Measure(long step)
    {
        try
        {
            IReadOnlyDictionary<string, SafetensorsTensor> tensors = Journal.ReadParameters(journal, step);
            if (probe.Parameters.All(tensors.ContainsKey))
            {
                log.Health(step, probe.Measure(step, name => tensors[name].Data));
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or Numerics.InvalidInputException)
        {
            // A newer snapshot has taken its place, or the disk fails, of which the run itself tells. The next snapshot is measured.
        }
    }
}
