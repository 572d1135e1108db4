using System.Text.Json;

namespace DistTrain.Commands.Runs;

/// <summary>JSON as run folders hold it: numbers that are not finite are null, for JSON has no word for them.</summary>
internal static class JsonText
{
    /// <summary>Writes a number, or null where there is none or it is not finite.</summary>
    public static void WriteNumberOrNull(this Utf8JsonWriter json, string key, double? value)
    {
        if (value is double number && double.IsFinite(number))
        {
            json.WriteNumber(key, number);
        }
        else
        {
            json.WriteNull(key);
        }
    }
}
