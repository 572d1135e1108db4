using System.Globalization;

namespace DistTrain.Commands.Experiments;

/// <summary>Which numbers a key takes, with the words for it.</summary>
internal sealed record NumberRange(string Text, Func<double, bool> Contains)
{
    public static NumberRange Any { get; } = new("a finite number", double.IsFinite);

    public static NumberRange Positive { get; } = new("a number above 0", value => value > 0 && double.IsFinite(value));

    public static NumberRange NotNegative { get; } = new("a number of at least 0", value => value >= 0 && double.IsFinite(value));

    /// <summary>[0, 1).</summary>
    public static NumberRange BelowOne { get; } = new("a number from 0 up to, but not, 1", value => value is >= 0 and < 1);

    /// <summary>(0, 1).</summary>
    public static NumberRange Fraction { get; } = new("a number between 0 and 1", value => value is > 0 and < 1);

    /// <summary>(0, 1].</summary>
    public static NumberRange Share { get; } = new("a number above 0 and at most 1", value => value is > 0 and <= 1);

    /// <summary>The words for whole numbers between two bounds.</summary>
    public static string Whole(long min, long max) => max >= int.MaxValue
        ? string.Create(CultureInfo.InvariantCulture, $"a whole number of at least {min}")
        : string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}");
}
