using System.Text.Json;
using System.Text.RegularExpressions;
using DistTrain.Dashboard.Pages;

namespace DistTrain.Dashboard.Tests;

public sealed partial class ReportTests : IDisposable
{
    private const string Hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
    private readonly RunFolders _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public void WhatARunFolderSaysNeverBecomesMarkup()
    {
        string folder = _runs.Add("one", $"name: {Hostile}\n", RunFolders.Steps(1, 3) + $"{{\"type\":\"health\",\"step\":1,\"layer\":{JsonSerializer.Serialize(Hostile)}}}\n");
        string page = ReportPage.Write(folder, new FrontEndFiles("const end = '</script>';", "p { color: red; }"));
        page.Split("<script").Length.ShouldBe(3, "the data and the program");
        page.Split("</script").Length.ShouldBe(3);
        page.ShouldNotContain("<img");
        string data = Data().Match(page).Groups[1].Value;
        using JsonDocument document = JsonDocument.Parse(data);
        document.RootElement.GetProperty("run").GetProperty("experiment").GetString().ShouldBe($"name: {Hostile}\n");
        document.RootElement.GetProperty("metrics").GetProperty("starts")[0].GetProperty("steps").GetProperty("step").GetArrayLength().ShouldBe(3);
    }

    [Fact]
    public void ThePolicyOfAReportNamesItsScriptAndStyleAndNothingElse()
    {
        string page = ReportPage.Write(_runs.Add("one"), new FrontEndFiles("let a = 1;", "p { color: red; }"));
        page.ShouldContain($"script-src {FrontEndFiles.HashOf("let a = 1;")};");
        page.ShouldContain($"style-src {FrontEndFiles.HashOf("p { color: red; }")};");
        page.ShouldContain("default-src 'none'");
        page.ShouldNotContain("http:");
        page.ShouldNotContain("https:");
        page.ShouldNotContain("unsafe");
    }

    [GeneratedRegex("<script type=\"application/json\" id=\"data\">(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Data();
}
