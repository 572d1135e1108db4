namespace DistTrain.Dashboard.Folders;

/// <summary>The few words of a resolved experiment that a list shows while there is no summary. They are found by the lines that the program itself writes.</summary>
internal sealed record ExperimentNames(string Name, string Method, string Engine)
{
    private const int LinesMax = 1000;

    /// <summary>Reads a file; null where it cannot be read.</summary>
    public static ExperimentNames? Read(string path)
    {
        (string name, string method, string engine, string section) = ("", "", "", "");
        try
        {
            foreach (string line in File.ReadLines(path).Take(LinesMax))
            {
                (string key, string value) = Split(line);
                bool isTop = line.Length > 0 && !char.IsWhiteSpace(line[0]);
                section = isTop ? key : section;
                name = isTop && key == "name" ? value : name;
                engine = isTop && key == "engine" ? value : engine;
                method = !isTop && section == "method" && key == "name" ? value : method;
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return new ExperimentNames(name, method, engine);
    }

    private static (string Key, string Value) Split(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? ("", "") : (line[..colon].Trim(), line[(colon + 1)..].Trim().Trim('"', '\''));
    }
}
