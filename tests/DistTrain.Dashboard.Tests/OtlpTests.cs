using System.Net;
using System.Net.Sockets;
using System.Text;
using DistTrain.Commands;
using DistTrain.Engines;
using DistTrain.Engines.Threads;

namespace DistTrain.Dashboard.Tests;

public sealed class OtlpTests : IDisposable
{
    private readonly RunFolders _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task ACollectorGetsMetricsAndSpansUnderTheFieldsNames()
    {
        int port = FreePort();
        using HttpListener collector = new();
        collector.Prefixes.Add($"http://127.0.0.1:{port}/");
        collector.Start();
        StringBuilder metrics = new(), traces = new();
        Task listening = Listen(collector, metrics, traces);
        (int code, string error) = Run("--otlp", $"http://127.0.0.1:{port}");
        code.ShouldBe(0, error);
        collector.Stop();
        await listening;
        foreach (string name in (string[])["disttrain.steps", "disttrain.loss", "disttrain.test.accuracy", "disttrain.job.duration", "disttrain.messages", "issue-step"])
        {
            metrics.ToString().ShouldContain(name);
        }

        foreach (string name in (string[])["forward", "backward", "update", "disttrain.actor", "layer-1", "parameter-server", "disttrain.weight_version"])
        {
            traces.ToString().ShouldContain(name);
        }
    }

    [Theory]
    [InlineData("localhost:4318")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("nothing")]
    public void AnAddressThatIsNoneIsNamedBeforeAnythingStarts(string address)
    {
        (int code, string error) = Run("--otlp", address);
        code.ShouldBe(2);
        error.ShouldContain($"--otlp {address}: expected the address of a collector");
        Directory.Exists(Path.Combine(_runs.Root, "run")).ShouldBeFalse();
    }

    private static async Task Listen(HttpListener collector, StringBuilder metrics, StringBuilder traces)
    {
        try
        {
            for (; ; )
            {
                HttpListenerContext context = await collector.GetContextAsync();
                using MemoryStream body = new();
                await context.Request.InputStream.CopyToAsync(body);
                (context.Request.Url!.AbsolutePath == "/v1/metrics" ? metrics : traces).Append(Encoding.Latin1.GetString(body.ToArray()));
                context.Response.Close();
            }
        }
        catch (Exception stopped) when (stopped is HttpListenerException or ObjectDisposedException)
        {
            // The run is over.
        }
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private (int Code, string Error) Run(params string[] more)
    {
        using StringWriter output = new(), error = new();
        IEngine[] engines = [new ThreadsEngine()];
        int code = CommandApp.Run(["train", "blobs", "--out", "run", .. more], engines, new CommandHost { Out = output, Error = error, WorkingFolder = _runs.Root });
        return (code, error.ToString());
    }
}
