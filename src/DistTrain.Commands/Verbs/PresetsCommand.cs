using DistTrain.Commands.Experiments;
using DistTrain.Commands.Presets;
using DistTrain.Numerics;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>presets</c> verb.</summary>
internal sealed class PresetsCommand(CommandHost host)
{
    /// <summary>Lists the presets, or prints one.</summary>
    public int Execute(string? name)
    {
        if (name is null)
        {
            foreach (Preset preset in PresetCatalog.All)
            {
                string mark = preset.Name == PresetCatalog.Default ? " (the default)" : "";
                host.Out.WriteLine($"{preset.Name,-9} {preset.Summary}{mark}");
            }

            return ExitCodes.Done;
        }

        Preset found = PresetCatalog.Find(name) ?? throw new InvalidInputException(
            $"disttrain presets: there is no preset '{name}'; expected "
            + $"{MapReader.OneOf([.. Nearest.Ranked(name, PresetCatalog.Names)])}{Nearest.Hint(name, PresetCatalog.Names)}");
        host.Out.Write(found.Text);
        return ExitCodes.Done;
    }
}
