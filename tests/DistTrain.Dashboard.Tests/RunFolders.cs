using System.Globalization;
using System.Text;

namespace DistTrain.Dashboard.Tests;

/// <summary>A folder of run folders; deleted at the end.</summary>
public sealed class RunFolders : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("disttrain-dash-").FullName;

    /// <summary>Makes a run folder and returns its path.</summary>
    public string Add(string name, string? experiment = null, string? metrics = null, string? summary = null)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Root, name)).FullName;
        File.WriteAllText(Path.Combine(folder, "experiment.yaml"), experiment ?? "name: small\nmethod:\n  name: backprop\nengine: threads\n");
        if (metrics is not null)
        {
            File.WriteAllText(Path.Combine(folder, "metrics.jsonl"), metrics);
        }

        if (summary is not null)
        {
            File.WriteAllText(Path.Combine(folder, "summary.json"), summary);
        }

        return folder;
    }

    /// <summary>Lines of steps, as a run writes them; the loss of step n is 1/n.</summary>
    public static string Steps(long first, long count)
    {
        StringBuilder text = new();
        for (long step = first; step < first + count; step++)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{{\"type\":\"step\",\"step\":{step},\"loss\":{1.0 / step:R},\"accuracy\":0.5,\"rows\":8,\"total_steps\":100,\"learning_rate\":0.1,\"elapsed_seconds\":{step / 100.0:R}}}\n");
        }

        return text.ToString();
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
