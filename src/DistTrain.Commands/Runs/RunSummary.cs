using System.Text.Json;
using DistTrain.Engines;
using DistTrain.Numerics;

namespace DistTrain.Commands.Runs;

/// <summary>What <c>summary.json</c> says: a contract with everyone who reads run folders. Keys are only ever added.</summary>
internal sealed record RunSummary
{
    public required string Name { get; init; }

    public required string Method { get; init; }

    public required string Engine { get; init; }

    public required ulong Seed { get; init; }

    public required string Precision { get; init; }

    public required RunStatus Status { get; init; }

    public string Reason { get; init; } = "";

    public required long Steps { get; init; }

    public required int Epochs { get; init; }

    public double? FinalLoss { get; init; }

    public double? TrainAccuracy { get; init; }

    public double? TestLoss { get; init; }

    public double? TestAccuracy { get; init; }

    public required string WeightsSha256 { get; init; }

    public double? SamplesPerSecond { get; init; }

    public double WallSeconds { get; init; }

    public double? VirtualSeconds { get; init; }

    public IReadOnlyList<KeyValuePair<string, long>> MessagesByType { get; init; } = [];

    public long BytesSent { get; init; }

    public long StepsRedone { get; init; }

    /// <summary>Restarts of actors.</summary>
    public int Restarts { get; init; }

    /// <summary>What front contribution did; null for other methods.</summary>
    public FrontContributionOutcome? FrontContribution { get; init; }

    /// <summary>The seeds that were tried, where there were several.</summary>
    public IReadOnlyList<SeedResult> Seeds { get; init; } = [];

    /// <summary>The summary of an outcome.</summary>
    public static RunSummary Of(RunRequest request, string engine, RunOutcome outcome) => new()
    {
        Name = request.Settings.Name,
        Method = request.Settings.Method.Name,
        Engine = engine,
        Seed = request.Settings.Seed,
        Precision = Experiments.Names.Precision.NameOf(request.Settings.Precision),
        Status = outcome.Status,
        Reason = outcome.Reason,
        Steps = outcome.Steps,
        Epochs = outcome.Epochs,
        FinalLoss = outcome.FinalLoss,
        TrainAccuracy = outcome.TrainAccuracy,
        TestLoss = outcome.TestLoss,
        TestAccuracy = outcome.TestAccuracy,
        WeightsSha256 = outcome.Parameters.Count > 0 ? ModelFile.Sha256(outcome.Parameters) : "",
        SamplesPerSecond = outcome.SamplesPerSecond,
        WallSeconds = outcome.Wall.TotalSeconds,
        VirtualSeconds = outcome.Virtual?.TotalSeconds,
        MessagesByType = outcome.MessagesByType,
        BytesSent = outcome.BytesSent,
        StepsRedone = outcome.StepsRedone,
        Restarts = outcome.Restarts,
        FrontContribution = outcome.FrontContribution,
    };

    /// <summary>The JSON text, indented, with a line end.</summary>
    public string ToJson()
    {
        return JsonText.Object(json =>
        {
            Write(json);
        });
    }

    /// <summary>Reads what a later command needs to know; null where the file does not exist.</summary>
    public static RunSummary? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
            return Parse(document.RootElement);
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidInputException($"{path}: this is not a summary that disttrain wrote ({broken.Message})", broken);
        }
    }

    /// <summary>The summary of a run that may go on; null where there is none that can be read. The journal knows what the run has done: a summary that the loss of power cut short stops nobody.</summary>
    /// <param name="path">The file.</param>
    /// <param name="note">Hears that one cannot be read.</param>
    public static RunSummary? ReadIfWhole(string path, Action<string> note)
    {
        try
        {
            return Read(path);
        }
        catch (InvalidInputException broken)
        {
            note($"{broken.Message}; it is left out, and written anew at the end");
            return null;
        }
    }

    private static RunSummary Parse(JsonElement root) => new()
    {
        Name = root.GetProperty("name").GetString() ?? "",
        Method = root.GetProperty("method").GetString() ?? "",
        Engine = root.GetProperty("engine").GetString() ?? "",
        Seed = root.GetProperty("seed").GetUInt64(),
        Precision = root.GetProperty("precision").GetString() ?? "",
        Status = Enum.Parse<RunStatus>(root.GetProperty("status").GetString() ?? "", ignoreCase: true),
        Reason = root.GetProperty("reason").GetString() ?? "",
        Steps = root.GetProperty("steps").GetInt64(),
        Epochs = root.GetProperty("epochs").GetInt32(),
        FinalLoss = Number(root, "final_loss"),
        TrainAccuracy = Number(root, "train_accuracy"),
        TestLoss = Number(root, "test_loss"),
        TestAccuracy = Number(root, "test_accuracy"),
        WeightsSha256 = root.GetProperty("weights_sha256").GetString() ?? "",
        SamplesPerSecond = Number(root, "samples_per_second"),
        WallSeconds = Number(root, "wall_seconds") ?? 0,
        VirtualSeconds = Number(root, "virtual_seconds"),
        MessagesByType =
            [.. root.GetProperty("messages").GetProperty("by_type").EnumerateObject()
                .Select(type => KeyValuePair.Create(type.Name, type.Value.GetInt64()))],
        BytesSent = root.GetProperty("bytes_sent").GetInt64(),
        StepsRedone = root.GetProperty("steps_redone").GetInt64(),
        Restarts = root.GetProperty("restarts").GetInt32(),
        FrontContribution = root.TryGetProperty("front_contribution", out JsonElement front) ? ParseFront(front) : null,
    };

    private static FrontContributionOutcome ParseFront(JsonElement front) => new(
        Experiments.Names.Form.ValueOf(front.GetProperty("form").GetString() ?? "") ?? throw new FormatException("front_contribution.form"),
        front.GetProperty("shares").GetInt32(),
        front.GetProperty("features").GetInt32(),
        front.GetProperty("times_alone").GetInt64(),
        front.GetProperty("messages_while_alone").GetInt64());

    private static double? Number(JsonElement root, string key) =>
        root.GetProperty(key) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;

    private void Write(Utf8JsonWriter json)
    {
        json.WriteString("name", Name);
        json.WriteString("method", Method);
        json.WriteString("engine", Engine);
        json.WriteNumber("seed", Seed);
        json.WriteString("precision", Precision);
        json.WriteString("status", Status.ToString().ToLowerInvariant());
        json.WriteString("reason", Reason);
        json.WriteNumber("steps", Steps);
        json.WriteNumber("epochs", Epochs);
        json.WriteNumberOrNull("final_loss", FinalLoss);
        json.WriteNumberOrNull("train_accuracy", TrainAccuracy);
        json.WriteNumberOrNull("test_loss", TestLoss);
        json.WriteNumberOrNull("test_accuracy", TestAccuracy);
        json.WriteString("weights_sha256", WeightsSha256);
        json.WriteNumberOrNull("samples_per_second", SamplesPerSecond);
        json.WriteNumberOrNull("wall_seconds", WallSeconds);
        json.WriteNumberOrNull("virtual_seconds", VirtualSeconds);
        json.WriteStartObject("messages");
        json.WriteNumber("sent", MessagesByType.Sum(type => type.Value));
        json.WriteStartObject("by_type");
        foreach ((string type, long count) in MessagesByType)
        {
            json.WriteNumber(type, count);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteNumber("bytes_sent", BytesSent);
        json.WriteNumber("steps_redone", StepsRedone);
        json.WriteNumber("restarts", Restarts);
        if (FrontContribution is FrontContributionOutcome front)
        {
            json.WriteStartObject("front_contribution");
            json.WriteString("form", Experiments.Names.Form.NameOf(front.Form));
            json.WriteNumber("shares", front.Shares);
            json.WriteNumber("features", front.Features);
            json.WriteNumber("times_alone", front.TimesAlone);
            json.WriteNumber("messages_while_alone", front.MessagesWhileAlone);
            json.WriteEndObject();
        }

        if (Seeds.Count > 0)
        {
            WriteSeeds(json);
        }
    }

    private void WriteSeeds(Utf8JsonWriter json)
    {
        json.WriteStartArray("seeds");
        foreach (SeedResult result in Seeds)
        {
            json.WriteStartObject();
            json.WriteNumber("seed", result.Seed);
            json.WriteString("status", result.Status.ToString().ToLowerInvariant());
            json.WriteNumberOrNull("final_loss", result.FinalLoss);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

/// <summary>How training from one seed ended.</summary>
internal sealed record SeedResult(ulong Seed, RunStatus Status, double? FinalLoss);
