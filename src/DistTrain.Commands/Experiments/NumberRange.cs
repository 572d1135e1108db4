using System.Globalization;
using DistTrain.Engines.Faults;

namespace DistTrain.Commands.Experiments;

/// <summary>Which numbers a key takes, with the words for it.</summary>
internal sealed record NumberRange(string Text, Func<double, bool> Contains)
{
    public static NumberRange Any { get; } = new("a finite number", double.IsFinite);

    public static NumberRange Positive { get; } = new("a number above 0", value => value > 0 && double.IsFinite(value));

    public static NumberRange NotNegative { get; } = new("a number of at least 0", value => value >= 0 && double.IsFinite(value));

    /// <summary>How many times slower: no more than a clock can count.</summary>
    public static NumberRange SlowFactor { get; } = new(
        string.Create(CultureInfo.InvariantCulture, $"a number from 1 to {FaultChecks.SlowFactorMax}"), value => value is >= 1 and <= FaultChecks.SlowFactorMax);

    /// <summary>[0, 1).</summary>
    public static NumberRange BelowOne { get; } = new("a number from 0 up to, but not, 1", value => value is >= 0 and < 1);

    /// <summary>(0, 1).</summary>
    public static NumberRange Fraction { get; } = new("a number between 0 and 1", value => value is > 0 and < 1);

    /// <summary>(0, 1].</summary>
    public static NumberRange Share { get; } = new("a number above 0 and at most 1", value => value is > 0 and <= 1);

    /// <summary>A finite number that is not too small.</summary>
    public static NumberRange AtLeast(double min) =>
        new(string.Create(CultureInfo.InvariantCulture, $"a number of at least {min}"), value => value >= min && double.IsFinite(value));

    /// <summary>0, or a finite number that is not too small.</summary>
    public static NumberRange ZeroOrAtLeast(double min, string zero) =>
        new(string.Create(CultureInfo.InvariantCulture, $"0 {zero}, or a number of at least {min}"), value => value == 0 || (value >= min && double.IsFinite(value)));

    /// <summary>The words for whole numbers between two bounds.</summary>
    public static string Whole(long min, long max, bool namesMax = false) => max >= int.MaxValue && !namesMax
        ? string.Create(CultureInfo.InvariantCulture, $"a whole number of at least {min}")
        : string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}");
}
