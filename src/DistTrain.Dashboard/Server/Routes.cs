using System.Text.Json;
using DistTrain.Dashboard.Folders;
using DistTrain.Dashboard.Live;
using DistTrain.Dashboard.Pages;
using Microsoft.AspNetCore.Http;

namespace DistTrain.Dashboard.Server;

/// <summary>What the server answers: three files, views of runs as JSON, a stream of their changes, and controls.</summary>
internal sealed class Routes(RunViews views, RequestGuard guard, FrontEndFiles files, bool controls, CancellationToken stop)
{
    private static readonly string[] Streamed = ["run", "metrics", "pipeline", "actors"];
    private readonly EventStream _events = new(views, TimeProvider.System);

    /// <summary>Answers a request.</summary>
    public Task Answer(HttpContext context)
    {
        if (guard.Refuses(context) is string refusal)
        {
            return Refuse(context, StatusCodes.Status403Forbidden, refusal);
        }

        string path = context.Request.Path.Value ?? "/";
        if (path == "/api/control")
        {
            return HttpMethods.IsPost(context.Request.Method) ? Control(context) : Refuse(context, StatusCodes.Status405MethodNotAllowed, "expected POST");
        }

        return HttpMethods.IsGet(context.Request.Method)
            ? Get(context, path)
            : Refuse(context, StatusCodes.Status405MethodNotAllowed, "expected GET");
    }

    private static Task Refuse(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        return Send(context, "application/json", JsonPages.Write(new { error = reason }));
    }

    private static Task Send(HttpContext context, string type, byte[] body)
    {
        context.Response.ContentType = $"{type}; charset=utf-8";
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static Task Send(HttpContext context, string type, string body) => Send(context, type, System.Text.Encoding.UTF8.GetBytes(body));

    private Task Get(HttpContext context, string path)
    {
        switch (path)
        {
            case "/":
                return Send(context, "text/html", PageShell.Served);
            case "/app.js":
                return Send(context, "text/javascript", files.Script);
            case "/app.css":
                return Send(context, "text/css", files.Style);
            case "/api/runs":
                RunEntries list = views.Catalog.List();
                return Send(context, "application/json", JsonPages.Write(new { folder = views.Catalog.Root, controls, count = list.Count, runs = list.Entries }));
            case "/api/find":
                // A page asks before it asks for more: a browser logs an answer of 404 as an error of the page.
                string? found = views.Catalog.Find(context.Request.Query["id"].ToString());
                return Send(context, "application/json", JsonPages.Write(found is null ? null : RunCatalog.Entry(new DirectoryInfo(found))));
            default:
                return Folder(context, path);
        }
    }

    private Task Folder(HttpContext context, string path)
    {
        const string Prefix = "/api/";
        if (!path.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return Refuse(context, StatusCodes.Status404NotFound, "there is no such page");
        }

        if (views.Catalog.Find(context.Request.Query["id"].ToString()) is not string folder)
        {
            return Refuse(context, StatusCodes.Status404NotFound, "there is no run folder of that name");
        }

        string name = path[Prefix.Length..];
        if (name == "events")
        {
            string[] wanted = context.Request.Query["views"].ToString().Split(',');
            return _events.Send(context, folder, [.. Streamed.Where(wanted.Contains)], stop);
        }

        return views.View(name, folder) is (Func<byte[]> json, _)
            ? Send(context, "application/json", json())
            : Refuse(context, StatusCodes.Status404NotFound, "there is no such view");
    }

    private async Task Control(HttpContext context)
    {
        if (guard.RefusesControl(context.Request) is string refusal)
        {
            await Refuse(context, StatusCodes.Status403Forbidden, refusal).ConfigureAwait(false);
            return;
        }

        ControlRequest? asked = null;
        try
        {
            asked = await JsonSerializer.DeserializeAsync<ControlRequest>(
                context.Request.Body, JsonSerializerOptions.Web, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            // Said below.
        }

        if (asked?.Fault is null)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, "expected { \"actor\": number, \"fault\": \"crash\" }, with \"peer\": number for a link").ConfigureAwait(false);
            return;
        }

        LiveRun? run = views.Catalog.Find(context.Request.Query["id"].ToString()) is string folder ? views.Live(folder) : null;
        string? problem = run is null ? "this run is not under way in this process" : run.Begin(asked.Fault, asked.Actor, asked.Peer);
        if (problem is not null)
        {
            await Refuse(context, StatusCodes.Status409Conflict, problem).ConfigureAwait(false);
            return;
        }

        await Send(context, "application/json", JsonPages.Write(new { begun = true })).ConfigureAwait(false);
    }
}

/// <summary>A fault that a page asks for.</summary>
/// <param name="Actor">Index of whom it meets; of a link, of the sender.</param>
/// <param name="Fault">Its name.</param>
/// <param name="Peer">Of a link, index of the receiver.</param>
internal sealed record ControlRequest(int Actor, string? Fault, int? Peer);
