using System.Net;
using System.Security.Cryptography;
using System.Text;
using DistTrain.Dashboard.Pages;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace DistTrain.Dashboard.Server;

/// <summary>
/// Refuses what pages of other sites could send: a name in the Host header that is not this server's (DNS rebinding), a foreign Origin, and control
/// without the token. A browser sends both headers by itself, and no page can forge them.
/// </summary>
internal sealed class RequestGuard(IPAddress address, string? token)
{
    /// <summary>The header that carries the token.</summary>
    public const string TokenHeader = "X-DistTrain-Token";

    /// <summary>Sets what every answer carries, and says why a request is refused; null when it is not.</summary>
    public string? Refuses(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = PageShell.ServedPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";

        HttpRequest request = context.Request;
        if (!IsOwnName(request.Host.Host))
        {
            return "this name is not this server's; open it by its address";
        }

        if (request.Headers.Origin is { Count: > 0 } origin && origin != $"http://{request.Host.Value}")
        {
            return "requests from other sites are refused";
        }

        return request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site" && request.Headers["Sec-Fetch-Mode"] != "navigate"
            ? "requests from other sites are refused"
            : null;
    }

    /// <summary>Why a request must not control a run; null when it may.</summary>
    public string? RefusesControl(HttpRequest request)
    {
        if (token is null)
        {
            return "controls are off; disttrain train --dashboard --controls turns them on";
        }

        if (request.ContentType?.StartsWith("application/json", StringComparison.Ordinal) != true)
        {
            return "expected application/json";
        }

        StringValues given = request.Headers[TokenHeader];
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given.ToString()), Encoding.UTF8.GetBytes(token))
            ? null
            : "the token is missing or wrong; open the address that disttrain printed";
    }

    private bool IsOwnName(string host)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return IPAddress.IsLoopback(address);
        }

        // A rebound name is a name: whoever listens on more than loopback is reached by any of its addresses, but by address.
        return IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? literal) && (!IPAddress.IsLoopback(address) || IPAddress.IsLoopback(literal));
    }
}
