using System.Security.Cryptography;
using System.Text;

namespace DistTrain.Dashboard.Pages;

/// <summary>The script and the style that draw every page, as they were built into this library; none where Node.js was missing then.</summary>
internal sealed record FrontEndFiles(string Script, string Style)
{
    /// <summary>What to say where there are none.</summary>
    public const string Missing =
        "the pages were not built into this program, because that takes Node.js 20 or newer and the npm registry; where both are: "
        + "dotnet build -c Release src/DistTrain.Cli -p:FrontEnd=true, and then the same command again";

    /// <summary>The files; null where they are not built in.</summary>
    public static FrontEndFiles? Built { get; } = Read("app.js") is string script && Read("app.css") is string style ? new FrontEndFiles(script, style) : null;

    /// <summary>A content security policy's name for a piece of inline text.</summary>
    public static string HashOf(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    private static string? Read(string name)
    {
        using Stream? stream = typeof(FrontEndFiles).Assembly.GetManifestResourceStream(name);
        if (stream is null)
        {
            return null;
        }

        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
