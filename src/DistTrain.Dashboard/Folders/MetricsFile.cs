using System.Text.Json;

namespace DistTrain.Dashboard.Folders;

/// <summary>
/// Reads a metrics log as it grows: each line once, in bounded memory. A log that was cut back, as a resumed run does, is read anew. Thread-safe.
/// </summary>
internal sealed class MetricsFile(string path)
{
    private const int BlockBytes = 1 << 20, TailBytes = 64, StartsMax = 16, LayersMax = 256, EpochsMax = 512, HealthMax = 256;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, Start> _starts = [];
    private readonly List<(string Layer, ThinnedList<HealthRow> Rows)> _health = [];
    private byte[] _block = [];
    private byte[] _tail = [];
    private long _offset, _rows, _unreadable, _version, _totalSteps;
    private MetricsView? _view;

    /// <summary>Reads what is new and returns everything so far.</summary>
    public MetricsView Read()
    {
        lock (_lock)
        {
            try
            {
                ReadOn();
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // What was read before still stands.
            }

            return _view ??= View();
        }
    }

    private void ReadOn()
    {
        if (!File.Exists(path))
        {
            return;
        }

        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        if (!ContinuesTheSame(file))
        {
            Forget();
        }

        if (file.Length == _offset)
        {
            return;
        }

        if (_block.Length == 0)
        {
            _block = new byte[BlockBytes];
        }

        file.Position = _offset;
        int held = 0;
        long before = _offset;
        while (file.Read(_block, held, _block.Length - held) is > 0 and int read)
        {
            held += read;
            int used = ReadLines(_block.AsSpan(0, held));
            if (used == 0 && held == _block.Length)
            {
                // No metrics line is that long; what it holds is skipped.
                (used, _unreadable) = (held, _unreadable + 1);
            }

            if (used > 0)
            {
                _tail = _block.AsSpan(Math.Max(0, used - TailBytes), Math.Min(used, TailBytes)).ToArray();
            }

            _offset += used;
            held -= used;
            _block.AsSpan(used, held).CopyTo(_block);
        }

        _block = [];
        if (_offset > before)
        {
            // What a line that is not whole yet says is not known.
            _version++;
            _view = null;
        }
    }

    private bool ContinuesTheSame(FileStream file)
    {
        if (file.Length < _offset)
        {
            return false;
        }

        byte[] before = new byte[_tail.Length];
        file.Position = _offset - _tail.Length;
        file.ReadExactly(before);
        return before.AsSpan().SequenceEqual(_tail);
    }

    private void Forget()
    {
        _starts.Clear();
        _health.Clear();
        (_tail, _offset, _rows, _unreadable, _totalSteps, _view) = ([], 0, 0, 0, 0, null);
        _version++;
    }

    private int ReadLines(ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        for (int length; (length = bytes[used..].IndexOf((byte)'\n')) >= 0; used += length + 1)
        {
            _rows++;
            MetricsLine line = default;
            try
            {
                line = MetricsLine.Parse(bytes.Slice(used, length));
            }
            catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
            {
                // Counted below: a line of no type.
            }

            Take(line);
        }

        return used;
    }

    private void Take(in MetricsLine line)
    {
        switch (line.Type)
        {
            case MetricsLineType.Step:
                _totalSteps = line.TotalSteps;
                StartOf(line.Restart)?.Steps.Add(new StepRow(line.Step, line.Elapsed, line.Loss, line.Accuracy, line.LearningRate));
                break;
            case MetricsLineType.Epoch:
                StartOf(line.Restart)?.Epochs.Add(
                    new EpochRow(line.Step, line.Epoch, line.Elapsed, line.TrainLoss, line.TrainAccuracy, line.TestLoss, line.TestAccuracy));
                break;
            case MetricsLineType.Health:
                HealthOf(line.Layer ?? "")?.Add(new HealthRow(line.Step, line.Zero, line.Dead, line.Saturated, line.GradientNorm, line.UpdateRatio));
                break;
            default:
                _unreadable++;
                break;
        }
    }

    private Start? StartOf(int restart)
    {
        if (!_starts.TryGetValue(restart, out Start? start) && _starts.Count < StartsMax)
        {
            _starts.Add(restart, start = new Start());
        }

        return start;
    }

    private ThinnedList<HealthRow>? HealthOf(string layer)
    {
        int index = _health.FindIndex(known => known.Layer == layer);
        if (index < 0 && _health.Count < LayersMax)
        {
            index = _health.Count;
            _health.Add((layer, new ThinnedList<HealthRow>(HealthMax)));
        }

        return index < 0 ? null : _health[index].Rows;
    }

    private MetricsView View() => new(
        _version,
        _rows,
        _unreadable,
        _totalSteps,
        [.. _starts.Select(start => new StartCurves(start.Key, start.Value.Steps.Columns(), start.Value.Epochs.Items()))],
        [.. _health.Select(layer => new LayerHealth(layer.Layer, layer.Rows.Items()))]);

    private sealed class Start
    {
        public DecimatedCurve Steps { get; } = new();

        public ThinnedList<EpochRow> Epochs { get; } = new(EpochsMax);
    }
}
