using System.Text.Encodings.Web;
using System.Text.Json;
using DistTrain.Commands.Terminal;
using DistTrain.Data;
using DistTrain.Numerics;

namespace DistTrain.Commands.Runs;

/// <summary>
/// What <c>data.json</c> says: what the data were that a run began with. Without it nobody would notice that a file has changed
/// since, and that steps, classes or columns no longer mean what they meant.
/// </summary>
internal sealed record DataRecord
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public required int TrainRows { get; init; }

    public required int TestRows { get; init; }

    public required int Inputs { get; init; }

    /// <summary>Names of the inputs in order; null where the source names none.</summary>
    public IReadOnlyList<string>? InputNames { get; init; }

    public required int Targets { get; init; }

    /// <summary>Names of the classes in order; null where targets are none.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Of the training rows; null where nobody asked.</summary>
    public string? TrainSha256 { get; init; }

    public string? TestSha256 { get; init; }

    /// <summary>The JSON text, with a line end.</summary>
    public string ToJson()
    {
        // By hand, for every run waits for it at its start, and a serializer has to look at the type first.
        return JsonText.Object(json =>
        {
            json.WriteNumber("train_rows", TrainRows);
            json.WriteNumber("test_rows", TestRows);
            json.WriteNumber("inputs", Inputs);
            WriteNames(json, "input_names", InputNames);
            json.WriteNumber("targets", Targets);
            WriteNames(json, "classes", Classes);
            json.WriteString("train_sha256", TrainSha256);
            json.WriteString("test_sha256", TestSha256);
        }, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
    }

    /// <summary>Reads a run folder's record; null where an earlier version left none.</summary>
    public static DataRecord? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<DataRecord>(File.ReadAllText(path), Json) ?? throw new JsonException("it says null");
        }
        catch (JsonException broken)
        {
            throw new InvalidInputException(
                $"{path}: this is not a record of data that disttrain wrote ({broken.Message}); expected the file as it was written", broken);
        }
    }

    /// <summary>
    /// For a resumed run: throws <see cref="InvalidInputException"/> unless <paramref name="now"/> are the same rows.
    /// </summary>
    /// <param name="now">The data as they are.</param>
    /// <param name="spec">Where they come from.</param>
    /// <param name="subject">Begins the message.</param>
    public void RequireSame(DataRecord now, DataSpec spec, string subject)
    {
        string? difference = Meaning(now, spec)
            ?? Rows("training", DataPlaces.Train(spec), TrainRows, now.TrainRows, TrainSha256 == now.TrainSha256)
            ?? Rows("test", DataPlaces.Test(spec), TestRows, now.TestRows, TestSha256 == now.TestSha256);
        if (difference is not null)
        {
            throw new InvalidInputException(
                $"{subject}: {difference}; a resumed run goes on exactly as it began: put the data back as they were, "
                + "or start a new run without --resume");
        }
    }

    /// <summary>
    /// For a trained network: throws <see cref="InvalidInputException"/> unless inputs and classes are those that it knows. The
    /// rows may be others.
    /// </summary>
    /// <param name="now">The data as they are.</param>
    /// <param name="spec">Where they come from.</param>
    /// <param name="subject">Begins the message.</param>
    public void RequireSameMeaning(DataRecord now, DataSpec spec, string subject)
    {
        if (Meaning(now, spec) is string difference)
        {
            throw new InvalidInputException($"{subject}: {difference}; expected data of the kind that the network was trained on");
        }
    }

    private static void WriteNames(Utf8JsonWriter json, string key, IReadOnlyList<string>? names)
    {
        if (names is null)
        {
            json.WriteNull(key);
            return;
        }

        json.WriteStartArray(key);
        foreach (string name in names)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
    }

    private string? Meaning(DataRecord now, DataSpec spec)
    {
        string place = DataPlaces.Train(spec);
        return Inputs != now.Inputs ? $"{place}: {Words.Plural(now.Inputs, "input")}, and the run began with {Inputs}"
            : Differ("inputs", InputNames, now.InputNames, place)
            ?? Differ("classes", Classes, now.Classes, place)
            ?? (Targets != now.Targets ? $"{place}: {Words.Plural(now.Targets, "target")}, and the run began with {Targets}" : null);
    }

    private static string? Differ(string what, IReadOnlyList<string>? before, IReadOnlyList<string>? now, string place)
    {
        if (before is null || now is null || before.SequenceEqual(now))
        {
            return null;
        }

        // The first that differ, for there may be a thousand.
        int first = Enumerable.Range(0, Math.Min(before.Count, now.Count)).TakeWhile(i => before[i] == now[i]).Count();
        return $"{place}: the {what} are now {Listed(now, first)}, and the run began with {Listed(before, first)}";
    }

    private static string Listed(IReadOnlyList<string> names, int first)
    {
        int from = first < 8 ? 0 : first;
        return (from > 0 ? "…, " : "") + string.Join(", ", names.Skip(from).Take(10)) + (names.Count > from + 10 ? ", …" : "");
    }

    private static string? Rows(string part, string place, int before, int now, bool same) =>
        before != now ? $"{place}: {Words.Plural(now, $"{part} row")}, and the run began with {before}"
        : same ? null
        : $"{place}: there are as many {part} rows as when the run began, but not the same";
}
