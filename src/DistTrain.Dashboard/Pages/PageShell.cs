using System.Text;

namespace DistTrain.Dashboard.Pages;

/// <summary>The HTML around the script. All text of runs reaches it as JSON and is put on the page as text, never as markup.</summary>
internal static class PageShell
{
    /// <summary>What the server lets the page do: load its own files, talk to itself.</summary>
    public const string ServedPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>The page that the server sends.</summary>
    public const string Served =
        Head + "<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"app.css\"></head><body><div id=\"app\"></div>"
        + "<noscript>The pages need JavaScript.</noscript><script src=\"app.js\" defer></script></body></html>\n";

    private const string Head =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        + "<meta name=\"color-scheme\" content=\"light dark\"><title>DistTrain</title>";

    /// <summary>One file with everything: script, style and data; its policy lets nothing be loaded.</summary>
    public static string Whole(FrontEndFiles files, byte[] data)
    {
        // The end tag of a script must not occur inside of one; the bundler escapes it in strings, and the data has no markup.
        string script = files.Script.Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase);
        string policy = $"default-src 'none'; script-src {FrontEndFiles.HashOf(script)}; style-src {FrontEndFiles.HashOf(files.Style)}; img-src data:; base-uri 'none'; form-action 'none'";
        return new StringBuilder()
            .Append(Head)
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"").Append(policy).Append("\"><link rel=\"icon\" href=\"data:,\">")
            .Append("<style>").Append(files.Style).Append("</style></head><body><div id=\"app\"></div><noscript>The page needs JavaScript.</noscript>")
            .Append("<script type=\"application/json\" id=\"data\">").Append(Encoding.UTF8.GetString(data)).Append("</script>")
            .Append("<script>").Append(script).Append("</script></body></html>\n")
            .ToString();
    }
}
