using System.Text.Json;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Runs;

/// <summary>A machine's profile as a JSON file: the properties of <see cref="MachineProfile"/> in snake_case, units in their names.</summary>
internal static class MachineFile
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
    };

    /// <summary>The text of a profile.</summary>
    public static string Text(MachineProfile machine) => JsonSerializer.Serialize(machine, s_options) + "\n";

    /// <summary>Writes a profile.</summary>
    public static void Write(string path, MachineProfile machine) => File.WriteAllText(path, Text(machine));

    /// <summary>Reads a profile. Throws <see cref="InvalidInputException"/> naming the file and what is wrong with it.</summary>
    public static MachineProfile Read(string path)
    {
        try
        {
            MachineProfile machine = JsonSerializer.Deserialize<MachineProfile>(File.ReadAllText(path), s_options)
                ?? throw new InvalidInputException($"{path}: no machine profile; expected what plan --calibrate --machine FILE writes");
            return Problem(machine) is string problem ? throw new InvalidInputException($"{path}: {problem}") : machine;
        }
        catch (JsonException exception)
        {
            throw new InvalidInputException($"{path}: line {exception.LineNumber + 1}: {exception.Message}; expected what plan --calibrate --machine FILE writes");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: {exception.Message}");
        }
    }

    private static string? Problem(MachineProfile machine)
    {
        (string Key, double Value)[] rates =
        [
            ("threads", machine.Threads), ("thread_speedup", machine.ThreadSpeedup), ("product_gigaflops_float32", machine.ProductGigaflopsFloat32),
            ("product_gigaflops_float64", machine.ProductGigaflopsFloat64), ("draws_per_second", machine.DrawsPerSecond),
            .. machine.StreamRates.Select(rate => ("stream_rates", Math.Min(rate.WorkingSetBytes, rate.GigabytesPerSecond))),
        ];
        (string Key, double Value)[] costs =
        [
            ("product_seconds", machine.ProductSeconds), ("message_seconds", machine.MessageSeconds),
            ("output_seconds", machine.OutputSeconds), ("start_seconds", machine.StartSeconds),
        ];
        return rates.FirstOrDefault(rate => !(rate.Value > 0)).Key is string rateKey ? $"{rateKey}: expected numbers above 0"
            : costs.FirstOrDefault(cost => !(cost.Value >= 0)).Key is string costKey ? $"{costKey}: expected 0 or more"
            : machine.StreamRates.Count == 0 ? "stream_rates: expected at least one"
            : machine.StreamRates.Zip(machine.StreamRates.Skip(1)).Any(pair => pair.First.WorkingSetBytes >= pair.Second.WorkingSetBytes)
                ? "stream_rates: expected growing working_set_bytes"
            : null;
    }
}
