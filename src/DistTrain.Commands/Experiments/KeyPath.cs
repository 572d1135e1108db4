using System.Globalization;

namespace DistTrain.Commands.Experiments;

/// <summary>Paths of keys such as <c>network[0].dense.units</c>; <c>network.0.dense.units</c> means the same.</summary>
internal static class KeyPath
{
    /// <summary>A key below a path.</summary>
    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    /// <summary>An item of a list.</summary>
    public static string Item(string path, int index) => $"{path}[{index}]";

    /// <summary>The first key of a path.</summary>
    public static string Section(string path)
    {
        int end = path.AsSpan().IndexOfAny('.', '[');
        return end < 0 ? path : path[..end];
    }

    /// <summary>The parts of a path, list indices as digits.</summary>
    public static string[] Parts(string path) =>
        path.Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.');

    /// <summary>The place that comes nearest to a path: the key itself, or the innermost group or list around it.</summary>
    public static SourceMark Locate(ConfigNode root, string path)
    {
        SourceMark nearest = root.Mark;
        ConfigNode node = root;
        foreach (string part in Parts(path))
        {
            if (node is ConfigMap map && map.TryFind(part, out ConfigEntry? entry))
            {
                (nearest, node) = (entry.Mark, entry.Value);
            }
            else if (node is ConfigList list && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < list.Items.Count)
            {
                node = list.Items[index];
                nearest = node.Mark;
            }
            else
            {
                break;
            }
        }

        return nearest;
    }
}
