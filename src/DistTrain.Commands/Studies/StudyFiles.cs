using System.Globalization;
using System.Text.Json;
using CsvHelper;
using DistTrain.Commands.Runs;
using DistTrain.Engines.Tracing;

namespace DistTrain.Commands.Studies;

/// <summary>A study's results as JSON and CSV.</summary>
internal static class StudyFiles
{
    private static readonly string[] CaseKeys = ["method", "hidden_layers", "condition", "seed"];

    /// <summary>Everything but the curves.</summary>
    public static string Json(string name, IReadOnlyList<StudyComparison> groups)
    {
        return JsonText.Object(json =>
        {
            json.WriteString("name", name);
            json.WriteStartArray("runs");
            foreach ((StudyComparison group, StudyRun run) in Runs(groups))
            {
                Write(json, group, run);
            }

            json.WriteEndArray();
        });
    }

    /// <summary>A row for each run.</summary>
    public static string Results(IReadOnlyList<StudyComparison> groups) => Csv(
        [.. CaseKeys, "status", "reason", .. StudyFigures.All.Select(figure => figure.Key)],
        Runs(groups).Select(row => (IEnumerable<object?>)
            [.. CaseOf(row.Run), row.Run.Status, row.Run.Reason, .. StudyFigures.All.Select(figure => (object?)Finite(figure.Value(row.Group, row.Run)))]));

    /// <summary>A row for each layer actor of each run; times in seconds.</summary>
    public static string Layers(IReadOnlyList<StudyComparison> groups) => Csv(
        [.. CaseKeys, "layer", .. StudyWords.Shares.Select(share => $"{share.Key}_seconds"), "staleness_mean", "staleness_max", "peak_activation_bytes"],
        from row in Runs(groups)
        from layer in row.Run.Locks?.Layers ?? []
        select (IEnumerable<object?>)
        [
            .. CaseOf(row.Run), layer.Name, .. StudyWords.Shares.Select(share => (object?)(layer.Of(share.Share) / 1e9)),
            layer.StalenessMean, layer.StalenessMax, layer.PeakActivationBytes,
        ]);

    /// <summary>A row for each point of each curve.</summary>
    public static string Curves(IReadOnlyList<StudyComparison> groups) => Csv(
        [.. CaseKeys, "rows", "step", "virtual_seconds", "loss", "accuracy"],
        from row in Runs(groups)
        from curve in ((string Rows, IReadOnlyList<CurvePoint> Points)[])
            [("train", row.Run.Curve?.Training ?? []), ("test", row.Run.Curve?.Test ?? [])]
        from point in curve.Points
        select (IEnumerable<object?>)[.. CaseOf(row.Run), curve.Rows, point.Step, point.Seconds, point.Loss, point.Accuracy]);

    private static IEnumerable<(StudyComparison Group, StudyRun Run)> Runs(IReadOnlyList<StudyComparison> groups) =>
        groups.SelectMany(group => group.Runs.Select(run => (group, run)));

    private static object?[] CaseOf(StudyRun run) => [run.Case.Method, run.Case.Depth, run.Case.Condition, run.Case.Seed];

    private static double? Finite(double? value) => value is double number && double.IsFinite(number) ? number : null;

    private static void Write(Utf8JsonWriter json, StudyComparison group, StudyRun run)
    {
        json.WriteStartObject();
        json.WriteString("method", run.Case.Method);
        json.WriteNumberOrNull("hidden_layers", run.Case.Depth);
        json.WriteString("condition", run.Case.Condition);
        json.WriteNumber("seed", run.Case.Seed);
        json.WriteString("status", run.Status);
        json.WriteString("reason", run.Reason);
        foreach ((string key, Func<StudyComparison, StudyRun, double?> value) in StudyFigures.All)
        {
            json.WriteNumberOrNull(key, value(group, run));
        }

        json.WriteStartArray("layers");
        foreach (LayerTimes layer in run.Locks?.Layers ?? [])
        {
            json.WriteStartObject();
            json.WriteString("layer", layer.Name);
            foreach ((TimeShare share, _, string key) in StudyWords.Shares)
            {
                json.WriteNumber($"{key}_seconds", layer.Of(share) / 1e9);
            }

            json.WriteNumberOrNull("staleness_mean", layer.StalenessMean);
            json.WriteNumberOrNull("staleness_max", layer.StalenessMax);
            json.WriteNumber("peak_activation_bytes", layer.PeakActivationBytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A table as CSV.</summary>
    public static string Csv(IEnumerable<string> header, IEnumerable<IEnumerable<object?>> rows)
    {
        using StringWriter text = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        using CsvWriter csv = new(text, new CsvHelper.Configuration.CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\n" });
        foreach (string name in header)
        {
            csv.WriteField(name);
        }

        csv.NextRecord();
        foreach (IEnumerable<object?> row in rows)
        {
            foreach (object? field in row)
            {
                csv.WriteField(field is double number ? number.ToString("R", CultureInfo.InvariantCulture) : Convert.ToString(field, CultureInfo.InvariantCulture));
            }

            csv.NextRecord();
        }

        csv.Flush();
        return text.ToString();
    }
}
