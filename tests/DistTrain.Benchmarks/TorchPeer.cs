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

    /// <summary>PyTorch's version, its BLAS and the threads of both.</summary>
    public string Version { get; }

    /// <summary>Starts the peer; null and a reason where Python or PyTorch with a fast BLAS is not installed.</summary>
    /// <param name="training">What it trains.</param>
    /// <param name="torchThreads">Threads of PyTorch's own pool.</param>
    /// <param name="blasThreads">Threads of its BLAS.</param>
    /// <param name="missing">Why there is no peer.</param>
    public static TorchPeer? Start(in PeerTraining training, int torchThreads, int blasThreads, out string missing) =>
        Start("training.py", [.. training.Arguments, torchThreads.ToString(CultureInfo.InvariantCulture)], torchThreads, blasThreads, out missing);

    /// <summary>Starts as many data-parallel processes, each with one thread of everything; they share the cores.</summary>
    public static TorchPeer? StartDdp(in PeerTraining training, int replicas, out string missing) =>
        Start("ddp.py", [.. training.Arguments, "1", replicas.ToString(CultureInfo.InvariantCulture)], 1, 1, out missing);

    private static TorchPeer? Start(string name, string[] arguments, int torchThreads, int blasThreads, out string missing)
    {
        missing = "PyTorch is not installed for python3, so there is no comparison with it";
        string script = Path.Combine(AppContext.BaseDirectory, "peers", name);
        string python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
        ProcessStartInfo start = new(python) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[script, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        // Whatever the shell says of OpenBLAS, such as the kernels of an older processor, would make a peer slower than it is.
        foreach (string variable in start.Environment.Keys.Where(one => one.StartsWith("OPENBLAS_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(variable);
        }

        start.Environment[Pause.OpenBlasVariable] = Pause.OpenBlasTimeout;
        if (OpenBlas.CoreType.Length > 0)
        {
            start.Environment[OpenBlas.CoreTypeVariable] = OpenBlas.CoreType;
        }

        start.Environment["OMP_NUM_THREADS"] = torchThreads.ToString(CultureInfo.InvariantCulture);
        start.Environment["OPENBLAS_NUM_THREADS"] = blasThreads.ToString(CultureInfo.InvariantCulture);
        try
        {
            Process process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            if (process.StandardOutput.ReadLine() is string line)
            {
                using JsonDocument ready = JsonDocument.Parse(line);
                string blas = ready.RootElement.GetProperty("blas").GetString()!;
                TorchPeer peer = new(process, $"{ready.RootElement.GetProperty("torch").GetString()}, {torchThreads} thread(s), {blas}{(OpenBlas.CoreType.Length > 0 ? $" ({OpenBlas.CoreType})" : "")}, {blasThreads} thread(s)");
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

    /// <summary>The fastest of PyTorch's settings for so many cores: with both pools on all cores it is often several times slower than with one.</summary>
    public static TorchPeer? StartFastest(in PeerTraining training, int cores, out string missing)
    {
        (int Torch, int Blas)[] settings = cores == 1 ? [(1, 1)] : [(1, 1), (1, cores), (cores, 1), (cores, cores)];
        TorchPeer? best = null;
        double bestSeconds = double.PositiveInfinity;
        missing = "";
        foreach ((int torch, int blas) in settings)
        {
            TorchPeer? peer = Start(training, torch, blas, out missing);
            if (peer is null)
            {
                return null;
            }

            double seconds = Enumerable.Range(0, 3).Min(_ => peer.Round());
            TorchPeer? slower = seconds < bestSeconds ? best : peer;
            (best, bestSeconds) = seconds < bestSeconds ? (peer, seconds) : (best, bestSeconds);
            slower?.Dispose();
        }

        return best;
    }

    /// <summary>Seconds of a whole run. Its threads sleep afterwards.</summary>
    public double Round()
    {
        _process.StandardInput.WriteLine("round");
        _process.StandardInput.Flush();
        string line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The PyTorch peer ended.");
        using JsonDocument answer = JsonDocument.Parse(line);
        Pause.UntilThreadsSleep();
        return answer.RootElement.GetProperty("seconds").GetDouble();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
