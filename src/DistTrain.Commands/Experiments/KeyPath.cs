using System.Buffers;
using System.Globalization;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>Paths of keys such as <c>network[0].dense.units</c>; <c>network.0.dense.units</c> means the same.</summary>
internal static class KeyPath
{
    private static readonly SearchValues<char> KeyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.[]");

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

    /// <summary>
    /// Divides a message such as <c>data: scale: 0 is not above 0</c> into its key path and what it says; the key is empty where
    /// the message does not begin with a key of experiments (it may begin with a file's name).
    /// </summary>
    public static SettingsProblem Split(string message)
    {
        (string path, string rest) = ("", message);
        while (rest.IndexOf(": ", StringComparison.Ordinal) is > 0 and int end
            && !char.IsAsciiDigit(rest[0])
            && rest.AsSpan(0, end).IndexOfAnyExcept(KeyCharacters) < 0
            && (path.Length > 0 || ExperimentReader.Sections.Contains(Section(rest[..end]))))
        {
            (path, rest) = (Join(path, rest[..end]), rest[(end + 2)..]);
        }

        return new SettingsProblem(path, rest);
    }

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
            else if (node is ConfigList list
                && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < list.Items.Count)
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
