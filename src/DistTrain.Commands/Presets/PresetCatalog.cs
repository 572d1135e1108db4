using System.Reflection;

namespace DistTrain.Commands.Presets;

/// <summary>A built-in experiment.</summary>
/// <param name="Name">What users call it.</param>
/// <param name="Summary">One line: its first comment.</param>
/// <param name="Text">The YAML.</param>
internal sealed record Preset(string Name, string Summary, string Text);

/// <summary>The built-in experiments: embedded files that need no download. The first line of each is its description.</summary>
internal static class PresetCatalog
{
    /// <summary>What <c>train</c> takes without an argument.</summary>
    public const string Default = "glyphs";

    /// <summary>The names, the default first.</summary>
    public static IReadOnlyList<string> Names { get; } = [Default, "xor", "spirals", "blobs"];

    private static readonly Lazy<IReadOnlyList<Preset>> Loaded = new(() => [.. Names.Select(Load)]);

    /// <summary>All of them, the default first.</summary>
    public static IReadOnlyList<Preset> All => Loaded.Value;

    /// <summary>The preset of a name, or null.</summary>
    public static Preset? Find(string name) => All.FirstOrDefault(preset => preset.Name == name);

    private static Preset Load(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"presets/{name}.yaml")
            ?? throw new InvalidOperationException($"The preset {name} is not embedded.");
        using StreamReader reader = new(stream);
        string text = reader.ReadToEnd();
        return new Preset(name, text[..text.IndexOf('\n', StringComparison.Ordinal)].TrimStart('#', ' ').Trim(), text);
    }
}
