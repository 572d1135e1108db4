using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DistTrain.Commands.Runs;

/// <summary>JSON that is written by hand, which costs a run that has to start less than a serializer does.</summary>
internal static class JsonText
{
    /// <summary>An indented object with a line end.</summary>
    /// <param name="members">Writes its members.</param>
    /// <param name="encoder">Which characters are escaped; null for the writer's own rule.</param>
    public static string Object(Action<Utf8JsonWriter> members, JavaScriptEncoder? encoder = null)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true, Encoder = encoder }))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length) + "\n";
    }

    /// <summary>Writes an indented object with a line end.</summary>
    public static void Write(TextWriter output, Action<Utf8JsonWriter> members) => output.Write(Object(members));

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
