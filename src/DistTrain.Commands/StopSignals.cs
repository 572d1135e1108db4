using System.Globalization;
using System.Runtime.InteropServices;

namespace DistTrain.Commands;

/// <summary>
/// Asks a command to stop at the first Ctrl-C, SIGTERM or loss of its terminal (SIGHUP); the second one ends the process at once. A program that was started to outlive its
/// terminal, as by <c>nohup</c>, does.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private const string Status = "/proc/self/status", IgnoredField = "SigIgn:";
    private const long HangUpBit = 1;

    private readonly CancellationTokenSource _stop;
    private readonly Action _tell;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _asked;

    /// <param name="stop">Is cancelled at the first signal.</param>
    /// <param name="tell">Tells the user what happens next; called once.</param>
    public StopSignals(CancellationTokenSource stop, Action tell)
    {
        (_stop, _tell) = (stop, tell);
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal));
        if (!IgnoresHangUp())
        {
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private static bool IgnoresHangUp()
    {
        if (!OperatingSystem.IsLinux())
        {
            // There the registration alone would end what nohup means.
            return true;
        }

        string? mask = File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(IgnoredField, StringComparison.Ordinal))?[IgnoredField.Length..];
        return long.TryParse(mask?.Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out long ignored) && (ignored & HangUpBit) != 0;
    }

    private void OnSignal(PosixSignalContext signal)
    {
        if (Interlocked.Exchange(ref _asked, 1) != 0)
        {
            return;
        }

        signal.Cancel = true;
        _tell();

        // What is stopped may wait for others, and this thread is needed for the second signal.
        ThreadPool.QueueUserWorkItem(_ => _stop.Cancel());
    }
}
