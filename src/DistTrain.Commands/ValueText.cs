using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace DistTrain.Commands;

/// <summary>What is wrong with a value of the command line that is no value of its option. The parser's own words name types of .NET, which say nothing to a user.</summary>
internal static class ValueText
{
    /// <summary>The words; null where the error is another one.</summary>
    public static string? Of(ParseError error)
    {
        (string Name, Type Type, IReadOnlyList<Token> Tokens)? given = error.SymbolResult switch
        {
            OptionResult option => (option.Option.Name, option.Option.ValueType, option.Tokens),
            ArgumentResult argument when argument.Parent is OptionResult option => (option.Option.Name, option.Option.ValueType, option.Tokens),
            ArgumentResult argument => (argument.Argument.Name, argument.Argument.ValueType, argument.Tokens),
            _ => null,
        };
        return given is (string name, Type type, [Token token, ..]) && error.Message.Contains(type.ToString(), StringComparison.Ordinal)
            ? $"{name}: {Problem(token.Value, Nullable.GetUnderlyingType(type) ?? type)}"
            : null;
    }

    private static string Problem(string text, Type type)
    {
        if (RangeOf(type) is not (BigInteger min, BigInteger max))
        {
            return type == typeof(double) || type == typeof(float) || type == typeof(decimal)
                ? $"'{text}' is not a number; expected a number such as 0.5"
                : $"'{text}' is no value for this";
        }

        bool isWhole = BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
        return isWhole
            ? string.Create(CultureInfo.InvariantCulture, $"'{text}' is out of range; expected a whole number from {min} to {max}")
            : $"'{text}' is not a whole number; expected a whole number such as 5";
    }

    private static (BigInteger Min, BigInteger Max)? RangeOf(Type type) =>
        type == typeof(int) ? (int.MinValue, int.MaxValue)
        : type == typeof(long) ? (long.MinValue, long.MaxValue)
        : type == typeof(uint) ? (uint.MinValue, uint.MaxValue)
        : type == typeof(ulong) ? (ulong.MinValue, ulong.MaxValue)
        : null;
}
