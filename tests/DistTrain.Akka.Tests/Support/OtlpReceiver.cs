using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DistTrain.Akka.Tests.Support;

/// <summary>Takes what OpenTelemetry sends, by HTTP or by gRPC, and answers that it is well.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    /// <summary>A message of gRPC without content: not compressed, of length 0.</summary>
    private static readonly byte[] EmptyMessage = new byte[5];

    private readonly WebApplication _application;
    private readonly bool _byGrpc;
    private readonly Lock _lock = new();
    private readonly List<(string Path, string Text)> _requests = [];

    /// <param name="byGrpc">Whether it speaks gRPC, which is HTTP/2 and has names of its own.</param>
    public OtlpReceiver(bool byGrpc)
    {
        _byGrpc = byGrpc;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
            options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = byGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        _application = builder.Build();
        _application.Run(TakeAsync);
        _application.Start();
        Endpoint = _application.Urls.Single();
    }

    /// <summary>Where it listens.</summary>
    public string Endpoint { get; }

    /// <summary>The bodies that came for a signal, one after the other; names in them are readable.</summary>
    public string Text(string signal)
    {
        string path = !_byGrpc ? $"/v1/{signal}" : signal == "metrics"
            ? "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
            : "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        lock (_lock)
        {
            return string.Concat(_requests.Where(request => request.Path == path).Select(request => request.Text));
        }
    }

    public void Dispose() => ((IDisposable)_application).Dispose();

    private async Task TakeAsync(HttpContext context)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body);
        lock (_lock)
        {
            _requests.Add((context.Request.Path.Value!, Encoding.Latin1.GetString(body.ToArray())));
        }

        context.Response.ContentType = _byGrpc ? "application/grpc" : "application/x-protobuf";
        if (_byGrpc)
        {
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.Body.WriteAsync(EmptyMessage);
            context.Response.AppendTrailer("grpc-status", "0");
        }
    }
}
