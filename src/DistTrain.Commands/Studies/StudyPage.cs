using System.Globalization;
using System.Text;
using DistTrain.Engines.Tracing;

namespace DistTrain.Commands.Studies;

/// <summary>The study as one page that needs nothing but itself: no script, no network. Curves, bars and timelines are of the first seed; figures are means.</summary>
internal sealed class StudyPage(string name, IReadOnlyList<StudyComparison> groups)
{
    private readonly StringBuilder _html = new();
    private readonly string[] _methods = [.. groups.SelectMany(group => group.Runs).Select(run => run.Case.Method).Distinct()];

    /// <summary>The whole page.</summary>
    public string ToHtml()
    {
        _html.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        _html.Append(CultureInfo.InvariantCulture, $"<title>{Encoded(name)}: locking study</title><style>{StudyStyle.Css}</style></head><body><main>");
        _html.Append(CultureInfo.InvariantCulture, $"<h1>{Encoded(name)}: locking study</h1>");
        _html.Append("<p>Every method trains the same network from the same seed and in the same data order, on simulated machines and network. "
            + "Times are virtual and leave evaluation out.</p>");
        foreach (StudyComparison group in groups)
        {
            Append(group);
        }

        return _html.Append("</main></body></html>\n").ToString();
    }

    private static string Encoded(string text) => SvgChart.Encoded(text);

    private void Append(StudyComparison group)
    {
        StudyRun[] runs = [.. group.Methods.Select(method => method.FirstOrDefault(run => run.HasFigures)).OfType<StudyRun>()];
        _html.Append(CultureInfo.InvariantCulture, $"<section><h2>{Encoded(group.Group.Length > 0 ? group.Group : "Results")}</h2>");
        AppendFigures(group);
        AppendCurves(runs);
        _html.Append("<h3>Where each layer's time goes</h3>");
        AppendLegend(StudyWords.Shares.Select(share => (SvgBars.ClassOf(share.Share), share.Name)));
        AppendGrid(runs.Select(run => SvgBars.Draw(run.Case.Method, run.Locks!)));
        _html.Append(CultureInfo.InvariantCulture, $"<h3>The first {StudyTimeline.Steps} steps</h3><p>A lane for each layer, the first on top; each method on its own scale.</p>");
        AppendLegend([.. SvgTimeline.Jobs, .. StudyWords.Shares.Where(share => share.Share is not (TimeShare.Busy or TimeShare.Released)).Select(share => (SvgBars.ClassOf(share.Share), share.Name))]);
        AppendGrid(runs.Select(run => SvgTimeline.Draw(run.Case.Method, run.Timeline!)));
        foreach (StudyRun run in group.Runs.Where(run => run.Reason.Length > 0).DistinctBy(run => (run.Case.Method, run.Reason)))
        {
            _html.Append(CultureInfo.InvariantCulture, $"<p class=\"n\">{Encoded($"{run.Case.Method} {(run.Status == "refused" ? "cannot serve" : run.Status)}: {run.Reason}")}</p>");
        }

        _html.Append("</section>");
    }

    private void AppendCurves(StudyRun[] runs)
    {
        if (runs.All(run => run.Curve!.Training.All(point => point.Loss is null)))
        {
            return;
        }

        _html.Append("<h3>Learning</h3><ul class=\"k\">");
        foreach (StudyRun run in runs)
        {
            _html.Append(CultureInfo.InvariantCulture, $"<li><svg class=\"w\" viewBox=\"0 0 28 10\"><path class=\"l {SvgChart.ClassOf(IndexOf(run))}\" d=\"M0 5H28\"/></svg>{Encoded(run.Case.Method)}</li>");
        }

        _html.Append("</ul>");
        bool isTest = runs.Any(run => run.Curve!.Test.Count > 0);
        string accuracy = isTest ? "accuracy on test rows" : "accuracy on training rows";
        IReadOnlyList<CurvePoint> Measured(StudyRun run) => isTest ? run.Curve!.Test : run.Curve!.Training;
        AppendGrid(
        [
            SvgChart.Draw(new ChartAxes("training loss", "step", IsLogarithmic: true), Series(runs, run => run.Curve!.Training, point => point.Step, point => point.Loss)),
            SvgChart.Draw(new ChartAxes(accuracy, "step", IsPercent: true), Series(runs, Measured, point => point.Step, point => point.Accuracy)),
            SvgChart.Draw(new ChartAxes("training loss", "virtual seconds", IsLogarithmic: true), Series(runs, run => run.Curve!.Training, point => point.Seconds, point => point.Loss)),
            SvgChart.Draw(new ChartAxes(accuracy, "virtual seconds", IsPercent: true), Series(runs, Measured, point => point.Seconds, point => point.Accuracy)),
        ]);
    }

    private List<ChartSeries> Series(StudyRun[] runs, Func<StudyRun, IReadOnlyList<CurvePoint>> curve, Func<CurvePoint, double> x, Func<CurvePoint, double?> y) =>
        [.. runs.Select(run => new ChartSeries(
            run.Case.Method, IndexOf(run), [.. curve(run).Where(point => y(point) is not null).Select(point => (x(point), y(point)!.Value))]))];

    private int IndexOf(StudyRun run) => Array.IndexOf(_methods, run.Case.Method);

    private void AppendFigures(StudyComparison group)
    {
        string step = Encoded($"at step {group.Step}"), time = Encoded($"after {StudyWords.Seconds(group.Seconds)}");
        _html.Append("<div class=\"x\"><table><thead><tr><th>method<th>virtual time");
        _html.Append(CultureInfo.InvariantCulture, $"<th>loss {step}<th>accuracy<th>loss {time}<th>accuracy<th>busy<th>bubble<th>formula<th>staleness<th>activations<th>sent<th>messages<th>redone</thead><tbody>");
        foreach (IGrouping<string, StudyRun> method in group.Methods)
        {
            string[] cells =
            [
                StudyWords.Seconds(StudyComparison.Mean(method, run => run.Seconds)),
                StudyWords.Loss(StudyComparison.Mean(method, run => group.AtStep(run).Loss)),
                StudyWords.Percent(StudyComparison.Mean(method, run => group.AtStep(run).Accuracy)),
                StudyWords.Loss(StudyComparison.Mean(method, run => group.AtTime(run).Loss)),
                StudyWords.Percent(StudyComparison.Mean(method, run => group.AtTime(run).Accuracy)),
                StudyWords.Percent(StudyComparison.Mean(method, run => run.Locks!.Utilisation)),
                StudyWords.Percent(StudyComparison.Mean(method, run => run.Locks!.Bubble)),
                StudyWords.Percent(StudyComparison.Mean(method, run => run.BubbleFormula)),
                StudyWords.Number(StudyComparison.Mean(method, run => run.StalenessMean)),
                StudyWords.Bytes(StudyComparison.Mean(method, run => run.PeakActivationBytes)),
                StudyWords.Bytes(StudyComparison.Mean(method, run => run.Outcome!.BytesSent)),
                StudyWords.Number(StudyComparison.Mean(method, run => run.Messages)),
                StudyWords.Number(StudyComparison.Mean(method, run => run.Outcome!.StepsRedone)),
            ];
            _html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Encoded(method.Key)}<td>{string.Join("<td>", cells.Select(Encoded))}");
        }

        _html.Append("</tbody></table></div>");
    }

    private void AppendLegend(IEnumerable<(string Class, string Name)> entries)
    {
        _html.Append("<ul class=\"k\">");
        foreach ((string kind, string text) in entries)
        {
            _html.Append(CultureInfo.InvariantCulture, $"<li><svg class=\"w\" viewBox=\"0 0 28 10\"><rect class=\"{kind}\" width=\"28\" height=\"10\"/></svg>{Encoded(text)}</li>");
        }

        _html.Append("</ul>");
    }

    private void AppendGrid(IEnumerable<string> drawings)
    {
        _html.Append("<div class=\"m\">");
        foreach (string drawing in drawings.Where(drawing => drawing.Length > 0))
        {
            _html.Append(CultureInfo.InvariantCulture, $"<figure>{drawing}</figure>");
        }

        _html.Append("</div>");
    }
}
