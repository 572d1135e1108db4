using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace DistTrain.Benchmarks;

/// <summary>A Python process that runs the same training in PyTorch, round by round on demand.</summary>
internal sealed class TorchPeer : IDisposable
{
    private readonly Process _process;

    private TorchPeer(Process process, string version) => (_process, Version) = (process, version);

    /// <summary>PyTorch's version and its BLAS.</summary>
    public string Version { get; }

    /// <summary>Starts the peer; null and a reason where Python or PyTorch with a fast BLAS is not installed.</summary>
    public static TorchPeer? Start(int rows, int inputs, int hidden, int classes, int batch, int epochs, int threads, out string missing)
    {
        missing = "PyTorch is not installed for python3, so there is no comparison with it";
        string script = Path.Combine(AppContext.BaseDirectory, "peers", "front_contribution.py");
        string python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
        ProcessStartInfo start = new(python) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[script, .. new[] { rows, inputs, hidden, classes, batch, epochs, 1 }.Select(number => number.ToString(CultureInfo.InvariantCulture))])
        {
            start.ArgumentList.Add(argument);
        }

        // With several threads in both torch's pool and OpenBLAS it is several times slower than with one; products are the work here.
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["OPENBLAS_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
        try
        {
            Process process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            if (process.StandardOutput.ReadLine() is string line)
            {
                using JsonDocument ready = JsonDocument.Parse(line);
                string blas = ready.RootElement.GetProperty("blas").GetString()!;
                TorchPeer peer = new(process, $"{ready.RootElement.GetProperty("torch").GetString()} with {blas}");
                if (blas != "reference")
                {
                    return peer;
                }

                missing = "PyTorch would use the reference BLAS, which nobody trains with, so there is no comparison with it";
                peer.Dispose();
            }
        }
        catch (Win32Exception)
        {
            // No Python: said by the caller.
        }

        return null;
    }

    /// <summary>Seconds of a whole run.</summary>
    public double Round()
    {
        _process.StandardInput.WriteLine("round");
        _process.StandardInput.Flush();
        string line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The PyTorch peer ended.");
        using JsonDocument answer = JsonDocument.Parse(line);
        return answer.RootElement.GetProperty("seconds").GetDouble();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
