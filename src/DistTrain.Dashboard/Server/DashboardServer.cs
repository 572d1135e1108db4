using System.Net;
using System.Security.Cryptography;
using DistTrain.Commands.Dashboards;
using DistTrain.Dashboard.Folders;
using DistTrain.Dashboard.Pages;
using DistTrain.Numerics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace DistTrain.Dashboard.Server;

/// <summary>The pages' web server.</summary>
internal sealed class DashboardServer : IDashboardServer
{
    private const int UsualPort = 5170, TokenBytes = 24, ConnectionsMax = 100, BodyBytesMax = 4096;
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(2);
    private readonly RunViews _views;
    private readonly CancellationTokenSource _stop = new();
    private readonly WebApplication _server;

    public DashboardServer(DashboardOptions options, FrontEndFiles files)
    {
        _views = new RunViews(new RunCatalog(options.Runs));
        string? token = options.Controls ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes)) : null;
        Routes routes = new(_views, new RequestGuard(options.Address, token), files, options.Controls, _stop.Token);
        _server = Start(options, routes);
        string bound = _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        UriBuilder shown = new(bound);
        if (options.Address.Equals(IPAddress.Any) || options.Address.Equals(IPAddress.IPv6Any))
        {
            shown.Host = "127.0.0.1";
        }

        // What follows # stays in the browser: it is in no request and no log.
        shown.Fragment = token is null ? "" : $"token={token}";
        Address = shown.Uri;
    }

    /// <inheritdoc/>
    public Uri Address { get; }

    /// <inheritdoc/>
    public ILiveRun Begin(string folder) => _views.Begin(folder);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        using (CancellationTokenSource patience = new(StopWithin))
        {
            _server.StopAsync(patience.Token).GetAwaiter().GetResult();
        }

        _server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _stop.Dispose();
    }

    private static WebApplication Start(DashboardOptions options, Routes routes)
    {
        try
        {
            return StartOn(options, routes, options.Port ?? UsualPort);
        }
        catch (IOException) when (options.Port is null)
        {
            return StartOn(options, routes, port: 0);
        }
        catch (IOException taken)
        {
            throw new InvalidInputException($"--port {options.Port}: cannot be listened on ({taken.Message}); expected a free port, or 0 for any", taken);
        }
    }

    private static WebApplication StartOn(DashboardOptions options, Routes routes, int port)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Listen(options.Address, port);
        });
        WebApplication server = builder.Build();
        server.Run(routes.Answer);
        try
        {
            server.StartAsync().GetAwaiter().GetResult();
            return server;
        }
        catch (Exception)
        {
            server.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }
    }
}
