using System.Text;
using System.Text.Json;

namespace DistTrain.Commands.Papers;

/// <summary>The <c>--json</c> form of the paper commands: one indented object.</summary>
internal static class PaperJson
{
    /// <summary>Writes an object whose members <paramref name="members"/> writes.</summary>
    public static void Write(TextWriter output, Action<Utf8JsonWriter> members)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(stream.ToArray()));
    }
}
