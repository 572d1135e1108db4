using System.Text.RegularExpressions;
using System.Xml.Linq;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.ArchitectureTests;

public sealed class SourceTests
{
    /// <summary>What each project may refer to: imports point one way, and no engine knows another.</summary>
    private static readonly SortedDictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["DistTrain.Numerics"] = [],
        ["DistTrain.Data"] = ["DistTrain.Numerics"],
        ["DistTrain.Protocol"] = ["DistTrain.Numerics"],
        ["DistTrain.Engines"] = ["DistTrain.Protocol", "DistTrain.Data", "DistTrain.Numerics"],
        ["DistTrain.Commands"] = ["DistTrain.Engines", "DistTrain.Protocol", "DistTrain.Data", "DistTrain.Numerics"],
        ["DistTrain.Cli"] = ["DistTrain.Commands", "DistTrain.Engines", "DistTrain.Dashboard"],
        ["DistTrain.Dashboard"] = ["DistTrain.Engines", "DistTrain.Commands", "DistTrain.Protocol", "DistTrain.Data", "DistTrain.Numerics"],
        ["DistTrain.Akka"] = ["DistTrain.Commands", "DistTrain.Engines", "DistTrain.Dashboard", "DistTrain.Protocol", "DistTrain.Data", "DistTrain.Numerics"],
    };

    [Fact]
    public void ReferencesBetweenProjectsPointOneWay()
    {
        string[] projects = Directory.GetFiles(Path.Combine(Root(), "src"), "*.csproj", SearchOption.AllDirectories);
        projects.Length.ShouldBeGreaterThanOrEqualTo(6);
        foreach (string project in projects)
        {
            string name = Path.GetFileNameWithoutExtension(project);
            Allowed.ShouldContainKey(name);
            foreach (XElement reference in XDocument.Load(project).Descendants("ProjectReference"))
            {
                string target = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'));
                Allowed[name].ShouldContain(target, $"{name} refers to {target}");
            }
        }
    }

    [Fact]
    public void MachinesKnowNoTaskLockClockRandomSourceOrFile()
    {
        string[] folders = ["Actors", "Links", "Methods", "Schedules", "Planning", "Messages", "Effects", "Jobs"];
        Regex forbidden = new(
            @"\b(Task|ValueTask|async|await|Thread|Interlocked|Monitor|DateTime|DateTimeOffset|TimeProvider|Stopwatch|Environment|Random|ILogger)\b"
            + @"|\block \(|\bFile\.|\bDirectory\.|\bStream\b|\bConsole\.");
        int files = 0;
        foreach (string folder in folders)
        {
            foreach (string file in Directory.GetFiles(Path.Combine(Root(), "src", "DistTrain.Protocol", folder), "*.cs"))
            {
                files++;
                string code = Regex.Replace(File.ReadAllText(file), @"//[^\n]*|""[^""\n]*""", "");
                Match match = forbidden.Match(code);
                match.Success.ShouldBeFalse($"{Path.GetFileName(file)} says '{match.Value}'");
            }
        }

        files.ShouldBeGreaterThan(30);
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "DistTrain.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder.ShouldNotBeNull("the tests run inside the repository");
    }
}
