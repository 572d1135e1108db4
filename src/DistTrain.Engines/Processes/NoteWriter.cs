using System.Text.Json;

namespace DistTrain.Engines.Processes;

/// <summary>Writes notes to the parent, a line each, whole. Thread-safe.</summary>
internal sealed class NoteWriter(Stream output)
{
    // Said again and again, whatever else the process does, so it is worked out once.
    private static readonly byte[] s_beat = LineOf(new Note(NoteKind.Beat));

    private readonly Lock _lock = new();

    /// <summary>Writes that the process lives.</summary>
    public void WriteBeat() => WriteLine(s_beat);

    /// <summary>Writes a note; one to a parent that is gone is lost, for this process is about to end too.</summary>
    public void Write(Note note) => WriteLine(LineOf(note));

    private static byte[] LineOf(Note note) => [.. JsonSerializer.SerializeToUtf8Bytes(note, ControlJson.Default.Note), (byte)'\n'];

    private void WriteLine(byte[] line)
    {
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
