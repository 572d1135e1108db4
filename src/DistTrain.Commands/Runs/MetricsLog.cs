using System.Text;
using System.Text.Json;
using DistTrain.Engines;

namespace DistTrain.Commands.Runs;

/// <summary>
/// Appends to <c>metrics.jsonl</c>: a line per epoch and per logged step, each flushed, so that a run can be watched and a crash
/// loses nothing that was reported. Thread-safe.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    // At most about this many step lines a run: enough for any plot, and the log never slows training down.
    private const int StepLines = 1000;
    private readonly FileStream _file;
    private readonly MemoryStream _line = new();
    private readonly Lock _lock = new();
    private readonly int? _restart;
    private readonly int _loggedEpoch;

    /// <summary>Opens the log at its end.</summary>
    /// <param name="path">The file; created where it does not exist.</param>
    /// <param name="restart">Number of the restart that the lines belong to; null where there is only one.</param>
    /// <param name="loggedEpoch">The last epoch that the log has already: a run that was killed behind its end reports it once more.</param>
    public MetricsLog(string path, int? restart, int loggedEpoch = 0)
    {
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        (_restart, _loggedEpoch) = (restart, loggedEpoch);
    }

    /// <summary>
    /// Drops what a resumed run will report again: lines of later steps or restarts, and a last line that a crash cut short.
    /// </summary>
    /// <returns>The last epoch of the restart that the log still has; 0 for none.</returns>
    public static int Truncate(string path, long step, int restart)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        StringBuilder kept = new();
        int epoch = 0;
        foreach (string line in File.ReadLines(path))
        {
            if (IsKept(line, step, restart, ref epoch))
            {
                kept.Append(line).Append('\n');
            }
        }

        RunFolder.WriteWhole(path, kept.ToString());
        return epoch;
    }

    /// <summary>Writes a committed step if it is one of those that are logged.</summary>
    public void Step(in StepProgress step)
    {
        long every = Math.Max(1, (step.TotalSteps + StepLines - 1) / StepLines);
        if (step.Step % every != 0 && step.Step != step.TotalSteps)
        {
            return;
        }

        lock (_lock)
        {
            using (Utf8JsonWriter json = Begin("step", step.Step))
            {
                json.WriteNumberOrNull("loss", step.Loss);
                json.WriteNumberOrNull("accuracy", step.Accuracy);
                json.WriteNumber("rows", step.Rows);
                json.WriteNumber("total_steps", step.TotalSteps);
                json.WriteNumberOrNull("learning_rate", step.LearningRate);
                End(json, step.Elapsed);
            }

            Flush();
        }
    }

    /// <summary>Writes an epoch.</summary>
    public void Epoch(EpochProgress epoch)
    {
        if (epoch.Epoch <= _loggedEpoch)
        {
            return;
        }

        lock (_lock)
        {
            using (Utf8JsonWriter json = Begin("epoch", epoch.Step))
            {
                json.WriteNumber("epoch", epoch.Epoch);
                json.WriteNumberOrNull("train_loss", epoch.TrainLoss);
                json.WriteNumberOrNull("train_accuracy", epoch.TrainAccuracy);
                json.WriteNumberOrNull("test_loss", epoch.TestLoss);
                json.WriteNumberOrNull("test_accuracy", epoch.TestAccuracy);
                End(json, epoch.Elapsed);
            }

            Flush();
        }
    }

    /// <summary>Writes the health of layers after a step.</summary>
    public void Health(long step, IEnumerable<LayerHealth> layers)
    {
        lock (_lock)
        {
            foreach (LayerHealth layer in layers)
            {
                using (Utf8JsonWriter json = Begin("health", step))
                {
                    json.WriteString("layer", layer.Layer);
                    json.WriteNumberOrNull("zero", layer.Zero);
                    json.WriteNumberOrNull("dead", layer.Dead);
                    json.WriteNumberOrNull("saturated", layer.Saturated);
                    json.WriteNumberOrNull("gradient_norm", layer.GradientNorm);
                    json.WriteNumberOrNull("update_ratio", layer.UpdateRatio);
                    json.WriteEndObject();
                }

                Flush();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _line.Dispose();
    }

    private static bool IsKept(string line, long step, int restart, ref int epoch)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            int ofRestart = root.TryGetProperty("restart", out JsonElement number) ? number.GetInt32() : 0;
            bool isKept = ofRestart < restart || (ofRestart == restart && root.GetProperty("step").GetInt64() <= step);
            if (isKept && ofRestart == restart && root.TryGetProperty("epoch", out JsonElement logged))
            {
                epoch = Math.Max(epoch, logged.GetInt32());
            }

            return isKept;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return false;
        }
    }

    private Utf8JsonWriter Begin(string type, long step)
    {
        _line.SetLength(0);
        Utf8JsonWriter json = new(_line);
        json.WriteStartObject();
        json.WriteString("type", type);
        if (_restart is int restart)
        {
            json.WriteNumber("restart", restart);
        }

        json.WriteNumber("step", step);
        return json;
    }

    private static void End(Utf8JsonWriter json, TimeSpan elapsed)
    {
        json.WriteNumber("elapsed_seconds", Math.Round(elapsed.TotalSeconds, 6));
        json.WriteEndObject();
    }

    private void Flush()
    {
        _line.WriteByte((byte)'\n');
        _file.Write(_line.GetBuffer(), 0, (int)_line.Length);
        _file.Flush();
    }
}
