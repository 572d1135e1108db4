using System.Globalization;
using System.Net;
using System.Text;

namespace DistTrain.Commands.Studies;

/// <summary>A line of a chart.</summary>
/// <param name="Label">What it is of.</param>
/// <param name="Index">Chooses its colour and dashes.</param>
/// <param name="Points">In ascending X.</param>
internal sealed record ChartSeries(string Label, int Index, IReadOnlyList<(double X, double Y)> Points);

/// <summary>How a chart's axes read.</summary>
/// <param name="Title">What Y is.</param>
/// <param name="XLabel">What X is.</param>
/// <param name="IsPercent">Whether Y is a share.</param>
/// <param name="IsLogarithmic">Whether Y is drawn by its logarithm, where all of it is above 0.</param>
internal sealed record ChartAxes(string Title, string XLabel, bool IsPercent = false, bool IsLogarithmic = false);

/// <summary>Draws line charts as SVG, coloured by the page's style sheet.</summary>
internal static class SvgChart
{
    /// <summary>Width of every drawing in the units of its view box: legible on a narrow screen.</summary>
    public const int Width = 360;

    /// <summary>Colours of the style sheet; lines beyond them repeat with dashes.</summary>
    public const int Colours = 8;

    private static readonly double[] RoundFactors = [1, 2, 2.5, 5, 10];
    private const int Height = 230, Left = 46, Right = 10, Top = 24, Bottom = 34;

    /// <summary>A chart; empty where there is nothing to draw.</summary>
    public static string Draw(ChartAxes axes, IReadOnlyList<ChartSeries> series)
    {
        (double X, double Y)[] all = [.. series.SelectMany(one => one.Points)];
        if (all.Length < 2)
        {
            return "";
        }

        bool isLog = axes.IsLogarithmic && all.All(point => point.Y > 0);
        double Scaled(double y) => isLog ? Math.Log10(y) : y;
        double right = Math.Max(all.Max(point => point.X), double.Epsilon);
        double low = axes.IsPercent ? 0 : all.Min(point => Scaled(point.Y)), high = axes.IsPercent ? 1 : all.Max(point => Scaled(point.Y));
        high = high > low ? high : low + 1;
        double X(double x) => Left + ((Width - Left - Right) * x / right);
        double Y(double y) => Top + ((Height - Top - Bottom) * (high - Scaled(y)) / (high - low));

        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Encoded($"{axes.Title} over {axes.XLabel}")}\">");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"t\" x=\"{Left}\" y=\"14\">{Encoded(axes.Title)}</text>");
        foreach (double tick in Ticks(low, high))
        {
            double value = isLog ? Math.Pow(10, tick) : tick, y = Y(value);
            string text = axes.IsPercent ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:0} %") : Short(value);
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"g\" d=\"M{Left} {y:0.#}H{Width - Right}\"/><text x=\"{Left - 5}\" y=\"{y + 3.5:0.#}\" text-anchor=\"end\">{text}</text>");
        }

        foreach (double tick in Ticks(0, right))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(tick):0.#}\" y=\"{Height - Bottom + 14}\" text-anchor=\"middle\">{Short(tick)}</text>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<path class=\"a\" d=\"M{Left} {Height - Bottom}H{Width - Right}\"/>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 4}\" text-anchor=\"middle\">{Encoded(axes.XLabel)}</text>");
        foreach (ChartSeries one in series.Where(one => one.Points.Count > 0))
        {
            string points = string.Join(' ', one.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X):0.#},{Y(point.Y):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"l {ClassOf(one.Index)}\" points=\"{points}\"><title>{Encoded(one.Label)}</title></polyline>");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>The class of a line.</summary>
    public static string ClassOf(int index) => string.Create(CultureInfo.InvariantCulture, $"c{index % Colours} d{index / Colours % 3}");

    /// <summary>Text in a page.</summary>
    public static string Encoded(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Up to six round numbers from one bound to another.</summary>
    public static IEnumerable<double> Ticks(double low, double high)
    {
        double raw = (high - low) / 4, power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = RoundFactors.First(factor => factor * power >= raw * 0.999) * power;
        for (double tick = Math.Ceiling((low / step) - 1e-9) * step; tick <= high + (step * 1e-9); tick += step)
        {
            yield return Math.Abs(tick) < step * 1e-9 ? 0 : tick;
        }
    }

    private static string Short(double value) => value switch
    {
        0 => "0",
        >= 10_000 => string.Create(CultureInfo.InvariantCulture, $"{value / 1000:0.#}k"),
        >= 0.01 => value.ToString("0.###", CultureInfo.InvariantCulture),
        _ => value.ToString("0.#e0", CultureInfo.InvariantCulture),
    };
}
