using System.Globalization;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using DistTrain.Dashboard.Pages;

namespace DistTrain.Dashboard.Folders;

/// <summary>A curve of a study.</summary>
internal sealed record StudySeries(
    string Method, string HiddenLayers, string Condition, string Seed, string Rows, List<long> Step, List<double> Seconds, List<double> Loss, List<double> Accuracy);

/// <summary>A study as its page takes it.</summary>
/// <param name="Study">The whole of <c>study.json</c>.</param>
/// <param name="Curves">Of a locking study.</param>
/// <param name="Timelines">Of a locking study: the first steps of every method.</param>
internal sealed record StudyView(JsonElement Study, IReadOnlyList<StudySeries> Curves, JsonElement? Timelines);

/// <summary>Reads what a study left behind.</summary>
internal static class StudyFolder
{
    /// <summary>Largest file that is read.</summary>
    public const long BytesMax = 64 << 20;

    private const int PointsMax = 200_000;

    /// <summary>The study in a folder; null where there is none that can be read.</summary>
    public static StudyView? Read(string folder) =>
        JsonPages.ReadFile(Path.Combine(folder, "study.json"), BytesMax) is { ValueKind: JsonValueKind.Object } study
            ? new StudyView(study, Curves(Path.Combine(folder, "curves.csv")), JsonPages.ReadFile(Path.Combine(folder, "timelines.json"), BytesMax))
            : null;

    private static List<StudySeries> Curves(string path)
    {
        List<StudySeries> curves = [];
        if (!File.Exists(path) || new FileInfo(path).Length > BytesMax)
        {
            return curves;
        }

        try
        {
            using StreamReader text = new(path);
            using CsvReader csv = new(text, new CsvConfiguration(CultureInfo.InvariantCulture) { MissingFieldFound = null, BadDataFound = null });
            csv.Read();
            csv.ReadHeader();
            for (int points = 0; points < PointsMax && csv.Read(); points++)
            {
                Add(curves, csv);
            }
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or CsvHelperException)
        {
            // The figures stand without their curves.
        }

        return curves;
    }

    private static void Add(List<StudySeries> curves, CsvReader csv)
    {
        string Field(string name) => csv.GetField(name) ?? "";
        (string method, string depth, string condition, string seed, string rows) =
            (Field("method"), Field("hidden_layers"), Field("condition"), Field("seed"), Field("rows"));
        StudySeries? series = curves.Count > 0 ? curves[^1] : null;
        if (series is null || series.Method != method || series.HiddenLayers != depth || series.Condition != condition || series.Seed != seed || series.Rows != rows)
        {
            curves.Add(series = new StudySeries(method, depth, condition, seed, rows, [], [], [], []));
        }

        series.Step.Add((long)Number(Field("step")));
        series.Seconds.Add(Number(Field("virtual_seconds")));
        series.Loss.Add(Number(Field("loss")));
        series.Accuracy.Add(Number(Field("accuracy")));
    }

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : double.NaN;
}
