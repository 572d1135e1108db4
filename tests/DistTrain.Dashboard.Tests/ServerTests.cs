using System.Net;
using System.Text;
using DistTrain.Commands.Dashboards;
using DistTrain.Dashboard.Pages;
using DistTrain.Dashboard.Server;
using DistTrain.Numerics;

namespace DistTrain.Dashboard.Tests;

public sealed class ServerTests : IDisposable
{
    private readonly RunFolders _runs = new();
    private readonly HttpClient _client = new();

    public void Dispose()
    {
        _client.Dispose();
        _runs.Dispose();
    }

    [Fact]
    public async Task PagesAndViewsAreServedWithAPolicyThatLoadsNothingFromElsewhere()
    {
        _runs.Add("one", metrics: RunFolders.Steps(1, 5));
        using DashboardServer server = Serve(controls: false);
        HttpResponseMessage page = await _client.GetAsync(server.Address);
        (await page.Content.ReadAsStringAsync()).ShouldContain("<script src=\"app.js\"");
        string policy = page.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("default-src 'none'");
        policy.ShouldNotContain("unsafe");
        policy.ShouldNotContain("http");
        (await _client.GetStringAsync(new Uri(server.Address, "app.js"))).ShouldBe("script");
        (await _client.GetStringAsync(new Uri(server.Address, "api/runs"))).ShouldContain("\"id\":\"one\"");
        (await _client.GetStringAsync(new Uri(server.Address, "api/metrics?id=one"))).ShouldContain("\"step\":[1,2,3,4,5]");
        (await _client.GetStringAsync(new Uri(server.Address, "api/find?id=one"))).ShouldContain("\"kind\":\"run\"");

        // A page asks this first, and a browser would log an answer of 404 as an error.
        (await _client.GetStringAsync(new Uri(server.Address, "api/find?id=nothing"))).ShouldBe("null");
        (await Status(HttpMethod.Get, server, "api/metrics?id=..%2Fone")).ShouldBe(HttpStatusCode.NotFound);
        (await Status(HttpMethod.Get, server, "api/nothing?id=one")).ShouldBe(HttpStatusCode.NotFound);
        (await Status(HttpMethod.Get, server, "etc/passwd")).ShouldBe(HttpStatusCode.NotFound);
        (await Status(HttpMethod.Delete, server, "api/runs")).ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Host", "192.0.2.1")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task RequestsThatPagesOfOtherSitesCauseAreRefused(string header, string value)
    {
        using DashboardServer server = Serve(controls: true);
        (await Status(HttpMethod.Get, server, "api/runs")).ShouldBe(HttpStatusCode.OK);
        (await Status(HttpMethod.Get, server, "api/runs", (header, value))).ShouldBe(HttpStatusCode.Forbidden);
        (await Status(HttpMethod.Post, server, "api/control?id=one", (header, value))).ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task ControlTakesTheTokenOfTheAddressAndNothingLess()
    {
        using DashboardServer server = Serve(controls: true);
        string token = server.Address.Fragment["#token=".Length..];
        token.Length.ShouldBe(48);
        (await Control(server, null)).ShouldBe(HttpStatusCode.Forbidden);
        (await Control(server, token[..^1])).ShouldBe(HttpStatusCode.Forbidden);
        (await Control(server, new string('0', 48))).ShouldBe(HttpStatusCode.Forbidden);

        // With the token it is heard, and there is no such run.
        (await Control(server, token)).ShouldBe(HttpStatusCode.Conflict);
        (await Control(server, token, "text/plain")).ShouldBe(HttpStatusCode.Forbidden);
        (await Control(server, token, body: "{")).ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task ControlIsOffUnlessAskedFor()
    {
        using DashboardServer server = Serve(controls: false);
        server.Address.Fragment.ShouldBe("");
        (await Control(server, null)).ShouldBe(HttpStatusCode.Forbidden);
        (await Control(server, "")).ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task AStreamSendsAViewNowAndAgainWhenItHasChanged()
    {
        string folder = _runs.Add("one", metrics: RunFolders.Steps(1, 2));
        using DashboardServer server = Serve(controls: false);
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        using Stream stream = await _client.GetStreamAsync(new Uri(server.Address, "api/events?id=one&views=metrics"), patience.Token);
        using StreamReader reader = new(stream, Encoding.UTF8);
        (await Next(reader, patience.Token)).ShouldContain("\"step\":[1,2]");
        await File.AppendAllTextAsync(Path.Combine(folder, "metrics.jsonl"), RunFolders.Steps(3, 1), patience.Token);
        (await Next(reader, patience.Token)).ShouldContain("\"step\":[1,2,3]");
    }

    [Fact]
    public void APortThatIsTakenIsNamed()
    {
        using DashboardServer server = Serve(controls: false);
        Should.Throw<InvalidInputException>(() => new DashboardServer(
            new DashboardOptions(_runs.Root, IPAddress.Loopback, server.Address.Port, Controls: false), Files)).Message.ShouldContain($"--port {server.Address.Port}");
    }

    private static FrontEndFiles Files => new("script", "style");

    private static async Task<string> Next(StreamReader reader, CancellationToken patience)
    {
        for (; ; )
        {
            string line = await reader.ReadLineAsync(patience) ?? throw new EndOfStreamException();
            if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                return line;
            }
        }
    }

    private DashboardServer Serve(bool controls) => new(new DashboardOptions(_runs.Root, IPAddress.Loopback, Port: 0, controls), Files);

    private async Task<HttpStatusCode> Status(HttpMethod method, DashboardServer server, string path, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = new(method, new Uri(server.Address, path));
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage answer = await _client.SendAsync(request);
        return answer.StatusCode;
    }

    private async Task<HttpStatusCode> Control(DashboardServer server, string? token, string type = "application/json", string body = "{\"actor\":1,\"fault\":\"crash\"}")
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(server.Address, "api/control?id=one"))
        {
            Content = new StringContent(body, Encoding.UTF8, type),
        };
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation(RequestGuard.TokenHeader, token);
        }

        using HttpResponseMessage answer = await _client.SendAsync(request);
        return answer.StatusCode;
    }
}
