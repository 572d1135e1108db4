using System.Globalization;

namespace DistTrain.Commands.Papers.WorkedExample;

/// <summary>A number that the lecture prints, beside ours.</summary>
/// <param name="Section">Which example.</param>
/// <param name="Quantity">Which number.</param>
/// <param name="Printed">As printed, digit for digit.</param>
/// <param name="Ours">What the library computes.</param>
internal sealed record PrintedFigure(string Section, string Quantity, string Printed, double Ours)
{
    /// <summary>Why the printed number may be further off than its last digit; empty where it may not.</summary>
    public string Note { get; init; } = "";

    /// <summary>How far off a printed number may be; null for half a unit of its last digit.</summary>
    public double? Within { get; init; }

    /// <summary>Whether the printed number contradicts the lecture's own next one, so that it is shown and not judged.</summary>
    public bool Misprint { get; init; }

    /// <summary>Whether ours agrees as far as digits are printed.</summary>
    public bool Agrees => Math.Abs(Ours - PrintedValue) <= Tolerance;

    /// <summary>Whether ours holds beside it.</summary>
    public bool Holds => Agrees || Misprint;

    /// <summary>The printed number.</summary>
    public double PrintedValue => double.Parse(Printed, CultureInfo.InvariantCulture);

    // The printed digits are exact in decimal and not in binary: a share of 1e-9 of the last digit covers that.
    private double Tolerance => Within ?? (0.5 + 1e-9) * Math.Pow(10, -Decimals);

    private int Decimals => Printed.Contains('.', StringComparison.Ordinal) ? Printed.Length - Printed.IndexOf('.', StringComparison.Ordinal) - 1 : 0;
}
