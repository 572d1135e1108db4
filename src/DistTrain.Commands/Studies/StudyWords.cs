using System.Globalization;
using DistTrain.Commands.Terminal;
using DistTrain.Engines.Tracing;

namespace DistTrain.Commands.Studies;

/// <summary>How a study's figures read.</summary>
internal static class StudyWords
{
    private const string Missing = "-";
    private static readonly string[] ByteUnits = ["B", "kB", "MB", "GB", "TB"];

    /// <summary>The kinds of time, in order, as columns are called.</summary>
    public static IReadOnlyList<(TimeShare Share, string Name, string Key)> Shares { get; } =
    [
        (TimeShare.Busy, "busy", "busy"),
        (TimeShare.ForwardLock, "forward lock", "forward_lock"),
        (TimeShare.UpdateLock, "update lock", "update_lock"),
        (TimeShare.BackwardLock, "backward lock", "backward_lock"),
        (TimeShare.Parameters, "parameters", "parameters"),
        (TimeShare.Released, "released", "released"),
    ];

    public static string Seconds(double seconds) => seconds switch
    {
        >= 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.###} s"),
        >= 1e-3 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:0.###} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:0.###} us"),
    };

    public static string Seconds(double? seconds) => seconds is double known ? Seconds(known) : Missing;

    public static string Loss(double? loss) => loss is double known ? Words.Loss(known) : Missing;

    public static string Percent(double? share) => share is double known && double.IsFinite(known)
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * known:0.0} %")
        : Missing;

    public static string Number(double? number) => number is double known ? known.ToString("#,0.##", CultureInfo.InvariantCulture) : Missing;

    public static string Bytes(double? bytes)
    {
        if (bytes is not double value)
        {
            return Missing;
        }

        int unit = 0;
        for (; value >= 1000 && unit < ByteUnits.Length - 1; unit++)
        {
            value /= 1000;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {ByteUnits[unit]}");
    }
}
