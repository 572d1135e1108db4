using System.Text.Json;

namespace DistTrain.Engines.Processes;

/// <summary>Writes notes to the parent, a line each, whole. Thread-safe.</summary>
internal sealed class NoteWriter(Stream output)
{
    private readonly Lock _lock = new();

    /// <summary>Writes a note; one to a parent that is gone is lost, for this process is about to end too.</summary>
    public void Write(Note note)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(note, ControlJson.Default.Note), (byte)'\n'];
        lock (_lock)
        {
            try
            {
                output.Write(line);
                output.Flush();
            }
            catch (IOException)
            {
                // Whoever reads the commands notices the same.
            }
        }
    }
}
