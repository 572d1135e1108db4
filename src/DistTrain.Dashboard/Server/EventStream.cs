using System.Text;
using Microsoft.AspNetCore.Http;

namespace DistTrain.Dashboard.Server;

/// <summary>Server-sent events (HTML Living Standard, section 9.2): sends the views that a page shows, each whenever it has changed.</summary>
internal sealed class EventStream(RunViews views, TimeProvider time)
{
    // What is read from within a run costs that run more than curves do, and nobody reads a timeline faster.
    private const int SlowEvery = 3;
    private static readonly string[] Slow = ["pipeline", "actors"];
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(400), Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>Sends until the reader or the server goes.</summary>
    public async Task Send(HttpContext context, string folder, string[] names, CancellationToken stop)
    {
        using CancellationTokenSource gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stop);
        context.Response.ContentType = "text/event-stream";
        string?[] versions = new string?[names.Length];
        using PeriodicTimer timer = new(Between, time);
        long spoke = time.GetTimestamp();
        try
        {
            for (int turn = 0; turn == 0 || await timer.WaitForNextTickAsync(gone.Token).ConfigureAwait(false); turn++)
            {
                bool changed = false;
                for (int index = 0; index < names.Length; index++)
                {
                    if (turn % SlowEvery != 0 && Slow.Contains(names[index]))
                    {
                        continue;
                    }

                    if (views.View(names[index], folder) is not (Func<byte[]> json, string version) || version == versions[index])
                    {
                        continue;
                    }

                    versions[index] = version;
                    changed = true;
                    await context.Response.WriteAsync($"event: {names[index]}\ndata: ", gone.Token).ConfigureAwait(false);
                    await context.Response.Body.WriteAsync(json(), gone.Token).ConfigureAwait(false);
                    await context.Response.WriteAsync("\n\n", gone.Token).ConfigureAwait(false);
                }

                if (changed || time.GetElapsedTime(spoke) > Heartbeat)
                {
                    spoke = time.GetTimestamp();
                    await context.Response.WriteAsync(":\n\n", Encoding.UTF8, gone.Token).ConfigureAwait(false);
                    await context.Response.Body.FlushAsync(gone.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException)
        {
            // The reader went, or the server ends.
        }
    }
}
