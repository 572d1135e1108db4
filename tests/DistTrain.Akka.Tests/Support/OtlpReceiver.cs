using System.Net;
using System.Text;

namespace DistTrain.Akka.Tests.Support;

/// <summary>Takes what OpenTelemetry sends by HTTP, and answers that it is well.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Lock _lock = new();
    private readonly List<(string Path, string Text)> _requests = [];

    public OtlpReceiver()
    {
        Endpoint = $"http://127.0.0.1:{TestCluster.FreePorts(1)[0]}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        new Thread(Serve) { IsBackground = true, Name = "telemetry" }.Start();
    }

    /// <summary>Where it listens.</summary>
    public string Endpoint { get; }

    /// <summary>Requests so far: the path, and the body, whose names are readable.</summary>
    public IReadOnlyList<(string Path, string Text)> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    public void Dispose() => _listener.Close();

    private void Serve()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = _listener.GetContext();
                using MemoryStream body = new();
                context.Request.InputStream.CopyTo(body);
                lock (_lock)
                {
                    _requests.Add((context.Request.Url!.AbsolutePath, Encoding.Latin1.GetString(body.ToArray())));
                }

                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }
        catch (Exception over) when (over is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }
}
