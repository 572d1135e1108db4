using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DistTrain.Benchmarks;

/// <summary>
/// How long a cache line takes from one thread to another and back. Virtual processors move from one physical core to another as their host likes: where two share a last-level
/// cache it is a quarter of what it is where they do not, and all that threads do together follows it.
/// </summary>
internal static class CoreDistance
{
    private const double Seconds = 0.02;

    // Both threads may get one processor at first, and then each waits for the other's time slice to end.
    private const int Tries = 3;

    /// <summary>Nanoseconds there and back, now.</summary>
    public static double Nanoseconds() => Enumerable.Range(0, Tries).Min(_ => Measured());

    private static double Measured()
    {
        Ball ball = new();
        Thread other = new(() => Answer(ball)) { IsBackground = true };
        other.Start();
        long start = Stopwatch.GetTimestamp(), first = start, trips = 0;
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < Seconds)
        {
            Volatile.Write(ref ball.Value, ball.Value + 1);
            while ((Volatile.Read(ref ball.Value) & 1) == 1)
            {
            }

            // The first one waits until the thread is there.
            (first, trips) = trips == 0 ? (Stopwatch.GetTimestamp(), 1) : (first, trips + 1);
        }

        double nanoseconds = Stopwatch.GetElapsedTime(first).TotalNanoseconds / Math.Max(1, trips - 1);
        Volatile.Write(ref ball.Value, -1);
        other.Join();
        return nanoseconds;
    }

    /// <summary>Prints it.</summary>
    public static void Print(string when) => Console.WriteLine($"between cores {when}: {Nanoseconds():F0} ns for a cache line there and back");

    private static void Answer(Ball ball)
    {
        long value;
        while ((value = Volatile.Read(ref ball.Value)) >= 0)
        {
            if ((value & 1) == 1)
            {
                Volatile.Write(ref ball.Value, value + 1);
            }
        }
    }

    /// <summary>On a cache line of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private sealed class Ball
    {
        [FieldOffset(128)]
        public long Value;
    }
}
