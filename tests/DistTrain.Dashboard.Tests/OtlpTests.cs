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
        using HttpListener collector = Collect(out string address);
        StringBuilder metrics = new(), traces = new();
        Task listening = Listen(collector, metrics, traces);
        (int code, string error) = Run("--otlp", address);
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

    private static HttpListener Collect(out string address)
    {
        for (int tries = 1; ; tries++)
        {
            // An HttpListener takes no port 0; between the probe's end and its start somebody else may have got the port.
            using TcpListener probe = new(IPAddress.Loopback, 0);
            probe.Start();
            address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
            probe.Stop();
            HttpListener collector = new();
            collector.Prefixes.Add(address + "/");
            try
            {
                collector.Start();
                return collector;
            }
            catch (HttpListenerException) when (tries < 8)
            {
                collector.Close();
            }
        }
    }

    private (int Code, string Error) Run(params string[] more)
    {
        using StringWriter output = new(), error = new();
        IEngine[] engines = [new ThreadsEngine()];
        int code = CommandApp.Run(["train", "blobs", "--out", "run", .. more], engines, new CommandHost { Out = output, Error = error, WorkingFolder = _runs.Root });
        return (code, error.ToString());
    }
}
