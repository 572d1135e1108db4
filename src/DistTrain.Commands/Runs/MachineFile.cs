using System.Text.Json;
using System.Text.Json.Serialization;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Runs;

/// <summary>A machine's profile as a JSON file: the properties of <see cref="MachineProfile"/> in snake_case, units in their names.</summary>
internal static class MachineFile
{
    private const string Expected = "expected what disttrain calibrate writes";

    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    private static readonly JsonSerializerOptions s_line = new(s_options) { WriteIndented = false };

    /// <summary>The text of a profile.</summary>
    public static string Text(MachineProfile machine) => JsonSerializer.Serialize(machine, s_options) + "\n";

    /// <summary>The same in one line.</summary>
    public static string Line(MachineProfile machine) => JsonSerializer.Serialize(machine, s_line);

    /// <summary>Throws <see cref="InvalidInputException"/> where a profile cannot be written, before the time for measuring one is spent.</summary>
    public static void CheckWritable(string? path, string? shown)
    {
        if (path is not null && (Directory.Exists(path) || !Directory.Exists(Path.GetDirectoryName(path))))
        {
            string problem = Directory.Exists(path) ? "is a folder" : "is in a folder that does not exist";
            throw new InvalidInputException($"--out: {shown} {problem}; expected the name of a file to write");
        }
    }

    /// <summary>Writes a profile, whole or not at all.</summary>
    public static void Write(string path, MachineProfile machine) => RunFolder.WriteWhole(path, Text(machine));

    /// <summary>Reads a profile. Throws <see cref="InvalidInputException"/> naming the file and what is wrong with it.</summary>
    public static MachineProfile Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: {exception.Message}");
        }
    }

    /// <summary>Reads a profile from its text. Throws <see cref="InvalidInputException"/> naming where it stands and what is wrong with it.</summary>
    public static MachineProfile Parse(string text, string place)
    {
        try
        {
            MachineProfile machine = JsonSerializer.Deserialize<MachineProfile>(text, s_options)
                ?? throw new InvalidInputException($"{place}: no machine profile; {Expected}");
            return Problem(machine) is string problem ? throw new InvalidInputException($"{place}: {problem}; {Expected}") : machine;
        }
        catch (JsonException exception)
        {
            string line = exception.LineNumber is long number ? $"line {number + 1}: " : "";
            throw new InvalidInputException($"{place}: {line}{exception.Message}; {Expected}");
        }
    }

    private static string? Problem(MachineProfile machine)
    {
        ProductRates single = machine.ProductsFloat32, wide = machine.ProductsFloat64;
        ProductRate[] products = [.. new[] { single, wide }.SelectMany(rates => Enum.GetValues<ProductKind>().SelectMany(kind => new[] { rates.Of(kind, false), rates.Of(kind, true) }))];
        (string Key, double Value)[] rates =
        [
            ("threads", machine.Threads), ("product_gigaflops_float32", machine.ProductGigaflopsFloat32),
            ("product_gigaflops_float64", machine.ProductGigaflopsFloat64), ("draws_per_second", machine.DrawsPerSecond),
            .. products.Select(rate => ("products: gigaflops", rate.Gigaflops)),
            .. machine.StreamRates.SelectMany(rate => new[] { ("stream_rates", rate.WorkingSetBytes), ("stream_rates", rate.GigabytesPerSecond) }),
        ];
        (string Key, double Value)[] costs =
        [
            ("message_seconds", machine.MessageSeconds), ("job_seconds", machine.JobSeconds), ("loss_seconds", machine.LossSeconds),
            ("similarity_seconds", machine.SimilaritySeconds), ("row_seconds", machine.RowSeconds), ("hand_over_seconds", machine.HandOverSeconds), ("wake_seconds", machine.WakeSeconds),
            ("start_seconds", machine.StartSeconds),
            .. products.SelectMany(rate => new[] { ("products: seconds", rate.Seconds), ("products: seconds_per_weight", rate.SecondsPerWeight) }),
            .. machine.Activations.SelectMany(rate => new[] { ("activations", rate.ForwardSeconds), ("activations", rate.BackwardSeconds) }),
            .. machine.Updates.Select(rate => ("updates", rate.SecondsPerValue)),
        ];
        return rates.FirstOrDefault(rate => !(rate.Value > 0 && double.IsFinite(rate.Value))).Key is string rateKey ? $"{rateKey}: expected numbers above 0"
            : costs.FirstOrDefault(cost => !(cost.Value >= 0 && double.IsFinite(cost.Value))).Key is string costKey ? $"{costKey}: expected 0 or more"
            : !(machine.ThreadSpeedup >= 1 && machine.ThreadSpeedup <= machine.Threads) ? "thread_speedup: expected a number from 1 to threads"
            : machine.StreamRates.Count == 0 ? "stream_rates: expected at least one"
            : machine.StreamRates.Zip(machine.StreamRates.Skip(1)).Any(pair => pair.First.WorkingSetBytes >= pair.Second.WorkingSetBytes)
                ? "stream_rates: expected growing working_set_bytes"
            : Missing(machine.Activations.Select(rate => rate.Kind), "activations") ?? Missing(machine.Updates.Select(rate => rate.Kind), "updates");
    }

    private static string? Missing<T>(IEnumerable<T> kinds, string key)
        where T : struct, Enum
    {
        T[] given = [.. kinds];
        return given.Length == Enum.GetValues<T>().Length && Enum.GetValues<T>().All(given.Contains)
            ? null
            : $"{key}: expected each of {string.Join(", ", Enum.GetNames<T>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName))} once";
    }
}
