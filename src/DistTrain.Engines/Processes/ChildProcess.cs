using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;

namespace DistTrain.Engines.Processes;

/// <summary>One started process: a line to it, its lines back, and what it said on standard error.</summary>
internal sealed class ChildProcess
{
    private readonly Process _process;
    private readonly Channel<byte[]> _commands = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Queue<string> _lastWords = new();

    /// <param name="program">What to start.</param>
    /// <param name="job">Its first line.</param>
    /// <param name="onNote">Takes its notes, on a thread of this process's own.</param>
    /// <param name="onEnded">Called once, after the last note.</param>
    public ChildProcess(ChildProgram program, ChildJob job, Action<ChildProcess, Note> onNote, Action<ChildProcess> onEnded)
    {
        Number = job.Process;
        _process = Process.Start(program.StartInfo()) ?? throw new IOException($"{program.FileName} did not start");
        Id = _process.Id;
        _process.ErrorDataReceived += (_, line) => KeepLastWord(line.Data);
        _process.BeginErrorReadLine();
        Send(JsonSerializer.SerializeToUtf8Bytes(job, ControlJson.Default.ChildJob));
        _ = WriteCommandsAsync();
        new Thread(() => ReadNotes(onNote, onEnded)) { IsBackground = true, Name = "notes" }.Start();
    }

    /// <summary>Its number in the placement.</summary>
    public int Number { get; }

    /// <summary>The system's number of it.</summary>
    public int Id { get; }

    /// <summary>How it ended, for people; once it has.</summary>
    public string Ending { get; private set; } = "";

    /// <summary>What it counted; null before its end, and for one that was killed.</summary>
    public Note? Counts { get; private set; }

    /// <summary>Why it said that it could not go on; null when it said nothing.</summary>
    public string? Failure { get; private set; }

    /// <summary>Sends a command. Never blocks; one to a process that has ended is lost.</summary>
    public void Send(Command command) => Send(JsonSerializer.SerializeToUtf8Bytes(command, ControlJson.Default.Command));

    /// <summary>Ends it at once (SIGKILL).</summary>
    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }

    /// <summary>Waits for its end; false when it takes longer.</summary>
    public bool WaitForExit(TimeSpan patience) => _process.WaitForExit(patience > TimeSpan.Zero ? patience : TimeSpan.Zero);

    /// <summary>Lets go of its streams, which ends it if it lives.</summary>
    public void Close()
    {
        _commands.Writer.TryComplete();
        _process.Dispose();
    }

    private void Send(byte[] line) => _commands.Writer.TryWrite([.. line, (byte)'\n']);

    private async Task WriteCommandsAsync()
    {
        Stream input = _process.StandardInput.BaseStream;
        try
        {
            await foreach (byte[] line in _commands.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                await input.WriteAsync(line).ConfigureAwait(false);
                await input.FlushAsync().ConfigureAwait(false);
            }
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException)
        {
            // Whoever reads its notes notices the same.
        }
    }

    private void ReadNotes(Action<ChildProcess, Note> onNote, Action<ChildProcess> onEnded)
    {
        try
        {
            while (_process.StandardOutput.ReadLine() is string line)
            {
                if (Parse(line) is Note note)
                {
                    Counts = note.Kind == NoteKind.Counts ? note : Counts;
                    Failure = note.Kind == NoteKind.Failed ? note.Text : Failure;
                    onNote(this, note);
                }
            }

            _process.WaitForExit();
            Ending = Describe(_process.ExitCode);
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or InvalidOperationException)
        {
            Ending = "was let go";
        }

        onEnded(this);
    }

    private Note? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ControlJson.Default.Note);
        }
        catch (JsonException)
        {
            // A line that a kill cut off, or that something in the process printed.
            KeepLastWord(line);
            return null;
        }
    }

    private void KeepLastWord(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }

        lock (_lastWords)
        {
            _lastWords.Enqueue(line);
            if (_lastWords.Count > ProcessesLimits.LastWordsMax)
            {
                _lastWords.Dequeue();
            }
        }
    }

    private string Describe(int code)
    {
        const int Signal = 128;
        string how = code > Signal ? $"was killed by signal {code - Signal}" : $"ended with code {code}";
        lock (_lastWords)
        {
            string said = Failure ?? string.Join('\n', _lastWords);
            return said.Length == 0 ? how : $"{how}: {said}";
        }
    }
}
