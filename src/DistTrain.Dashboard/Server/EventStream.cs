using System.Text;
using Microsoft.AspNetCore.Http;

namespace DistTrain.Dashboard.Server;

/// <summary>Server-sent events (HTML Living Standard, section 9.2): sends the views that a page shows, each whenever it has changed.</summary>
internal sealed class EventStream(RunViews views, TimeProvider time)
{
    // Whenever the server wakes it takes a core from the run for a moment, so views go together. Nobody reads a curve faster than once a second, or a timeline than
    // every other one. Each is due a little before its tick, which may come early.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500), Early = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    private static readonly byte[] EventEnd = "\n\n"u8.ToArray(), Alive = ":\n\n"u8.ToArray();

    private int _readers;

    /// <summary>Sends until the reader or the server goes.</summary>
    public async Task Send(HttpContext context, string folder, string[] names, CancellationToken stop)
    {
        using CancellationTokenSource gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stop);
        context.Response.ContentType = "text/event-stream";
        Shown[] shown = [.. names.Select(name => new Shown(name, new ViewPace(time, (TicksOf(name) * Tick) - Early, Tick - Early)))];
        Interlocked.Increment(ref _readers);
        try
        {
            await Send(context.Response, folder, shown, gone.Token).ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException)
        {
            // The reader went, or the server ends.
        }
        finally
        {
            Interlocked.Decrement(ref _readers);
        }
    }

    private static int TicksOf(string view) => view switch
    {
        "run" => 1,
        "metrics" => 2,
        _ => 4,
    };

    private async Task Send(HttpResponse response, string folder, Shown[] shown, CancellationToken gone)
    {
        using PeriodicTimer timer = new(Tick, time);
        long spoke = time.GetTimestamp();
        bool isFirst = true;
        do
        {
            bool changed = false;
            foreach (Shown view in shown)
            {
                if (view.Pace.IsDue && Look(view, folder) is byte[] json)
                {
                    changed = true;
                    await response.Body.WriteAsync(Encoding.UTF8.GetBytes($"event: {view.Name}\ndata: "), gone).ConfigureAwait(false);
                    await response.Body.WriteAsync(json, gone).ConfigureAwait(false);
                    await response.Body.WriteAsync(EventEnd, gone).ConfigureAwait(false);
                }
            }

            if (isFirst || changed || time.GetElapsedTime(spoke) > Heartbeat)
            {
                (isFirst, spoke) = (false, time.GetTimestamp());
                await response.Body.WriteAsync(Alive, gone).ConfigureAwait(false);
                await response.Body.FlushAsync(gone).ConfigureAwait(false);
            }
        }
        while (await timer.WaitForNextTickAsync(gone).ConfigureAwait(false));
    }

    /// <summary>A view's JSON; null where it has not changed.</summary>
    private byte[]? Look(Shown view, string folder)
    {
        long start = time.GetTimestamp();
        byte[]? json = null;
        if (views.View(view.Name, folder) is (Func<byte[]> make, string version) && version != view.Version)
        {
            view.Version = version;
            json = make();
        }

        view.Pace.Looked(time.GetElapsedTime(start), Volatile.Read(ref _readers));
        return json;
    }

    /// <summary>What one reader sees of a view.</summary>
    private sealed class Shown(string name, ViewPace pace)
    {
        public string Name => name;

        public ViewPace Pace => pace;

        public string? Version { get; set; }
    }
}
