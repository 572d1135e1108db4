using System.Diagnostics;

namespace DistTrain.Benchmarks;

/// <summary>Between one side's turn and the other's: threads that look for more work would do so on the core of whoever comes next.</summary>
internal static class Pause
{
    /// <summary>
    /// log₂ of the ticks that OpenBLAS's threads look for more work: some milliseconds on x86, longer than any pause within a turn of its own. Its default is a tenth of a
    /// second and more.
    /// </summary>
    public const string OpenBlasTimeout = "24";

    /// <summary>The environment variable that says so.</summary>
    public const string OpenBlasVariable = "OPENBLAS_THREAD_TIMEOUT";

    private const double Seconds = 0.04;

    /// <summary>Waits until the threads of whoever was last sleep.</summary>
    public static void UntilThreadsSleep()
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < Seconds)
        {
            // A thread that slept would wake up on a slower core.
        }
    }
}
