using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using DistTrain.Data;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Benchmarks;

/// <summary>
/// Loading data as a run does it: Fashion-MNIST from its four compressed files over what decompressing their bytes alone takes, and a CSV file of 200 MB in megabytes a
/// second. Files lie in the system's cache.
/// </summary>
internal static class LoadingBenchmark
{
    private const int CsvBytes = 200 << 20, Columns = 100;

    private static readonly IdxFiles s_train = new("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
    private static readonly IdxFiles s_test = new("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");

    /// <summary>Prints both figures; medians over the rounds.</summary>
    /// <param name="rounds">Rounds, which alternate.</param>
    /// <param name="folder">Folder of the four files of Fashion-MNIST; null for only the CSV file.</param>
    public static void Run(int rounds, string? folder)
    {
        if (folder is not null)
        {
            Idx(rounds, folder);
        }

        DirectoryInfo generated = Directory.CreateTempSubdirectory("disttrain-loading-");
        try
        {
            Csv(rounds, generated.FullName);
        }
        finally
        {
            generated.Delete(recursive: true);
        }
    }

    private static void Idx(int rounds, string folder)
    {
        IdxSpec spec = new(s_train, s_test) { Scaling = new Scaling { Scale = 255 } };
        List<double> loaded = [], inflated = [], ratios = [];
        for (int round = -1; round < rounds; round++)
        {
            double load = Seconds(() => DataLoader.Load<float>(spec, folder, 1));
            double inflate = Seconds(() =>
            {
                byte[] buffer = new byte[1 << 18];
                foreach (string file in (string[])[s_train.Images, s_train.Labels!, s_test.Images, s_test.Labels!])
                {
                    using GZipStream stream = new(File.OpenRead(Path.Combine(folder, file)), CompressionMode.Decompress);
                    while (stream.Read(buffer) > 0)
                    {
                    }
                }
            });
            if (round >= 0)
            {
                loaded.Add(load);
                inflated.Add(inflate);
                ratios.Add(load / inflate);
            }
        }

        Console.WriteLine(
            $"Fashion-MNIST, gzip: loaded in {1e3 * Median(loaded):F0} ms, decompressed alone in {1e3 * Median(inflated):F0} ms; ratio {Median(ratios):F2} ({ratios.Min():F2} to {ratios.Max():F2})");
    }

    private static void Csv(int rounds, string folder)
    {
        foreach ((string title, int decimals) in (ReadOnlySpan<(string, int)>)[("six decimals", 6), ("seventeen digits", 17)])
        {
            string path = Path.Combine(folder, "generated.csv");
            Generate(path, decimals);
            double megabytes = new FileInfo(path).Length / 1e6;
            List<double> rates = [];
            for (int round = -1; round < rounds; round++)
            {
                double seconds = Seconds(() => DataLoader.Load<float>(new CsvSpec(path) { Label = "label" }, folder, 1));
                if (round >= 0)
                {
                    rates.Add(megabytes / seconds);
                }
            }

            Console.WriteLine($"CSV of {megabytes:F0} MB, {Columns} columns and a label, {title}: {Median(rates):F0} MB/s ({rates.Min():F0} to {rates.Max():F0})");
        }
    }

    private static void Generate(string path, int decimals)
    {
        RandomStream random = new(1, RandomPurpose.GeneratedData);
        using FileStream file = File.Create(path, 1 << 20);
        file.Write(Encoding.ASCII.GetBytes(string.Join(',', Enumerable.Range(0, Columns).Select(column => $"x{column}")) + ",label\n"));
        Span<byte> number = stackalloc byte[64];
        string format = decimals > 15 ? "R" : string.Create(CultureInfo.InvariantCulture, $"F{decimals}");
        for (int at = 0, row = 0; file.Position < CsvBytes; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                random.Uniform(at++, -10, 10).TryFormat(number, out int written, format, CultureInfo.InvariantCulture);
                file.Write(number[..written]);
                file.WriteByte((byte)',');
            }

            file.WriteByte((byte)('0' + (row % 10)));
            file.WriteByte((byte)'\n');
        }
    }

    private static double Seconds(Action action)
    {
        GC.Collect();
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
