using System.Globalization;
using System.Text;
using DistTrain.Engines.Tracing;
using DistTrain.Numerics;

namespace DistTrain.Commands.Studies;

/// <summary>Draws a bar for each layer, divided by what its time went to.</summary>
internal static class SvgBars
{
    private const int RowsMax = 32, Label = 74, Top = 20, RowHeight = 14, BarHeight = 10;

    /// <summary>The class of a share of time.</summary>
    public static string ClassOf(TimeShare share) => $"s{(int)share}";

    /// <summary>The bars of a run.</summary>
    public static string Draw(string method, LockReport report)
    {
        (string Name, LayerTimes[] Layers)[] rows = [.. Rows(report.Layers)];
        int height = Top + (rows.Length * RowHeight) + 4;
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {SvgChart.Width} {height}\" role=\"img\" aria-label=\"{SvgChart.Encoded($"{method}: where each layer's time goes")}\">");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"t\" x=\"0\" y=\"13\">{SvgChart.Encoded(method)}</text>");
        double width = SvgChart.Width - Label, elapsed = Math.Max(1, report.Elapsed);
        for (int row = 0; row < rows.Length; row++)
        {
            double x = Label;
            int y = Top + (row * RowHeight);
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"0\" y=\"{y + 9}\">{SvgChart.Encoded(rows[row].Name)}</text>");
            foreach ((TimeShare share, string name, _) in StudyWords.Shares)
            {
                double part = rows[row].Layers.Average(layer => layer.Of(share) / elapsed);
                if (part > 0)
                {
                    svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{ClassOf(share)}\" x=\"{x:0.##}\" y=\"{y}\" width=\"{part * width:0.##}\" height=\"{BarHeight}\"><title>{SvgChart.Encoded($"{rows[row].Name}: {name} {StudyWords.Percent(part)}")}</title></rect>");
                }

                x += part * width;
            }
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>A row for each layer, or for a run of neighbours where there are too many to tell apart.</summary>
    private static IEnumerable<(string Name, LayerTimes[] Layers)> Rows(IReadOnlyList<LayerTimes> layers)
    {
        for (int row = 0; row < Math.Min(RowsMax, layers.Count); row++)
        {
            (int start, int count) = EvenSplit.Part(layers.Count, Math.Min(RowsMax, layers.Count), row);
            string name = layers[start].Name;
            yield return (count == 1 ? name : FormattableString.Invariant($"{name} +{count - 1}"), [.. layers.Skip(start).Take(count)]);
        }
    }
}
