using System.Globalization;
using System.Text;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Commands.Studies;

/// <summary>Draws the first steps of a run: a lane for each layer, jobs in their colours and waits by lock.</summary>
internal static class SvgTimeline
{
    private const int Label = 14, Top = 20, LaneHeight = 12, BlockHeight = 10;

    /// <summary>Classes of jobs, with what they are called.</summary>
    public static IReadOnlyList<(string Class, string Name)> Jobs { get; } = [("jf", "forward"), ("jb", "backward"), ("jo", "other jobs")];

    /// <summary>The timeline; empty where nothing was kept.</summary>
    public static string Draw(string method, StudyTimeline timeline)
    {
        if (timeline.Jobs.Count == 0)
        {
            return "";
        }

        long start = timeline.Jobs.Min(job => job.StartNanoseconds), end = timeline.Jobs.Max(job => job.EndNanoseconds);
        int lanes = Math.Max(timeline.Jobs.Max(job => job.Actor.Index), timeline.Waits.Select(wait => wait.Actor.Index).DefaultIfEmpty(0).Max());
        int height = Top + (lanes * LaneHeight) + 18;
        double X(long at) => Label + ((SvgChart.Width - Label) * (Math.Clamp(at, start, end) - start) / (double)Math.Max(1, end - start));
        Dictionary<string, StringBuilder> paths = [];
        void Add(string kind, int actor, long from, long to)
        {
            double left = X(from), width = X(to) - left;
            if (width <= 0)
            {
                return;
            }

            if (!paths.TryGetValue(kind, out StringBuilder? path))
            {
                paths.Add(kind, path = new StringBuilder());
            }

            path.Append(CultureInfo.InvariantCulture, $"M{left:0.##} {Top + ((actor - 1) * LaneHeight)}h{width:0.##}v{BlockHeight}h{-width:0.##}z");
        }

        foreach (WaitSlice wait in timeline.Waits.Where(wait => wait.Share != TimeShare.Released))
        {
            Add(SvgBars.ClassOf(wait.Share), wait.Actor.Index, wait.StartNanoseconds, wait.EndNanoseconds);
        }

        foreach (TraceSpan job in timeline.Jobs)
        {
            Add(job.Kind switch { JobKind.Forward => "jf", JobKind.Backward => "jb", _ => "jo" }, job.Actor.Index, job.StartNanoseconds, job.EndNanoseconds);
        }

        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {SvgChart.Width} {height}\" role=\"img\" aria-label=\"{SvgChart.Encoded($"{method}: the first steps")}\">");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"t\" x=\"0\" y=\"13\">{SvgChart.Encoded(method)}</text>");
        for (int lane = 0; lane < lanes; lane++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"0\" y=\"{Top + (lane * LaneHeight) + 9}\">{lane}</text>");
        }

        foreach ((string kind, StringBuilder path) in paths.OrderBy(pair => pair.Key, StringComparer.Ordinal).Reverse())
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"{kind}\" d=\"{path}\"/>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{SvgChart.Width}\" y=\"{height - 4}\" text-anchor=\"end\">{StudyWords.Seconds((end - start) / 1e9)}</text>");
        return svg.Append("</svg>").ToString();
    }
}
