using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistTrain.Dashboard.Pages;

/// <summary>How pages get their data: camel case, and null for a number that is none.</summary>
internal static class JsonPages
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { Converters = { new Finite() } };

    /// <summary>JSON whose text holds no markup: &lt;, &gt; and &amp; are escaped.</summary>
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    /// <summary>Parses a JSON file of at most so many bytes; null where it is missing, too large or no JSON.</summary>
    public static JsonElement? ReadFile(string path, long bytesMax)
    {
        try
        {
            FileInfo file = new(path);
            if (!file.Exists || file.Length > bytesMax)
            {
                return null;
            }

            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.Clone();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>A member that is a text; null for none, and for one that no text can be made of, such as half a surrogate pair.</summary>
    public static string? Text(JsonElement element, string key)
    {
        try
        {
            return element.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private sealed class Finite : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
    }
}
