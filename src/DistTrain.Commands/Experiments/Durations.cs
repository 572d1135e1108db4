using System.Globalization;

namespace DistTrain.Commands.Experiments;

/// <summary>Durations with a unit: <c>50us</c>, <c>500ms</c>, <c>30s</c>, <c>10m</c>, <c>1h</c>.</summary>
internal static class Durations
{
    private static readonly (string Unit, double Milliseconds)[] Units =
        [("ms", 1), ("us", 1e-3), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

    /// <summary>The longest, as it is written: six weeks, because timers of the platform take at most seven.</summary>
    public const string Longest = "1000h";

    private const double MillisecondsMax = 1000d * 3_600_000;

    /// <summary>Reads a duration above 0 of at most <see cref="Longest"/>.</summary>
    public static bool TryParse(string text, out TimeSpan value)
    {
        bool isOne = Milliseconds(text) is > 0 and <= MillisecondsMax;
        value = isOne ? TimeSpan.FromTicks((long)Math.Round(Milliseconds(text)!.Value * TimeSpan.TicksPerMillisecond)) : default;
        return isOne;
    }

    /// <summary>Whether a text is a duration, but one longer than <see cref="Longest"/>.</summary>
    public static bool IsTooLong(string text) => Milliseconds(text) > MillisecondsMax;

    /// <summary>Whether a text is 0, with a unit or without.</summary>
    public static bool IsZero(string text) => text == "0" || Array.Exists(Units, unit => text == "0" + unit.Unit);

    private static double? Milliseconds(string text)
    {
        foreach ((string unit, double milliseconds) in Units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                return number * milliseconds;
            }
        }

        return null;
    }

    /// <summary>Writes a duration in the largest unit that divides it.</summary>
    public static string Format(TimeSpan value)
    {
        if (value == TimeSpan.Zero)
        {
            return "0s";
        }

        foreach ((string unit, double milliseconds) in Units.OrderByDescending(unit => unit.Milliseconds))
        {
            double number = value.TotalMilliseconds / milliseconds;
            if (number == Math.Floor(number))
            {
                return string.Create(CultureInfo.InvariantCulture, $"{number}{unit}");
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds}ms");
    }
}
