using System.Globalization;
using System.Text;
using DistTrain.Data.Sources;
using DistTrain.Numerics;
using DistTrain.Numerics.Randomness;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

/// <summary>What is plain is read without the library; nobody may be able to tell, by values or by messages.</summary>
public sealed class PlainCsvTests : IDisposable
{
    private static readonly string[] s_odd =
    [
        "", " ", "\t", "\"1\"", "\"1,5\"", " \"2\" ", "1\"2", "\"a\"\"b\"", "nan", "NaN", "Infinity", "1e400", "-", "+", ".", "e5", "1e", "1e+", "0x10", "1_0", "1 2",
        "\t3", "3\t", "ä", "\u00a05", "１", "1,2", "1\r2", "\r", "1\n", "\n", "#1", "1;2", "\0", "(1)", "1f", "1e99999", "1e-99999", "\u2028", "\ufeff1",
    ];

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FilesGiveTheSameValuesAndTheSameMessagesAsByTheLibrary()
    {
        int failures = 0, rows = 0;
        for (int seed = 0; seed < 4_000; seed++)
        {
            Draws draws = new(seed);
            (byte[] file, CsvSpec spec) = Draw(draws);
            string path = _folder.Bytes("drawn.csv", file);
            string plain = Outcome(path, spec, byLibrary: false, ref rows), library = Outcome(path, spec, byLibrary: true, ref rows);
            plain.ShouldBe(library, $"seed {seed}: {Encoding.UTF8.GetString(file)}");
            failures += plain.StartsWith('!') ? 1 : 0;
        }

        // Both kinds of outcome were there, and many rows.
        failures.ShouldBeInRange(400, 3_600);
        rows.ShouldBeGreaterThan(4_000);
    }

    [Theory]
    [InlineData("a,b,y\n1,2,caf?\n")]
    [InlineData("a,caf?,y\n1,2,0\n")]
    [InlineData("\ufeffa,b,y\n1,2,\"caf?\"\n")]
    public void WhatIsNotUtf8IsRefusedAndNotTakenForSomethingElse(string text)
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes(text).Select(value => value == '?' ? (byte)0xE9 : value)];
        int rows = 0;
        string outcome = Outcome(_folder.Bytes("latin.csv", bytes), new CsvSpec("latin.csv") { Label = "y" }, byLibrary: false, ref rows);
        outcome.ShouldContain("is not UTF-8: 0xE9 stands for no character");
    }

    [Fact]
    public void NumbersGetTheBitsOfThePlatform()
    {
        Draws draws = new(77);
        int taken = 0;
        for (int i = 0; i < 200_000; i++)
        {
            string text = Number(draws);
            int at = 0;
            bool isRead = PlainNumber.TryRead(Encoding.ASCII.GetBytes(text), ref at, out double value);
            bool isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double expected) && double.IsFinite(expected);
            isRead.ShouldBe(isNumber, text);
            if (isRead)
            {
                taken++;
                at.ShouldBe(text.Length);
                BitConverter.DoubleToInt64Bits(value).ShouldBe(BitConverter.DoubleToInt64Bits(expected), text);
            }
        }

        taken.ShouldBeGreaterThan(150_000);
    }

    private static string Outcome(string path, CsvSpec spec, bool byLibrary, ref int rows)
    {
        try
        {
            CsvTable table = CsvTable.Read(path, spec, new LabelSet(spec.Classes), CancellationToken.None, byLibrary);
            RawData data = table.ToData(path);
            rows += data.Features.Rows;
            IEnumerable<double> values = ((RawDense)data.Features).Values.Concat(data.Targets ?? []);
            return $"{data.Features.Rows}x{data.Features.Columns}: {string.Join(' ', values.Select(BitConverter.DoubleToInt64Bits))}; "
                + $"{string.Join(' ', data.Labels ?? [])}; {string.Join('|', data.ClassNames ?? [])}";
        }
        catch (InvalidInputException problem)
        {
            return $"!{problem.Message}";
        }
    }

    private static (byte[] File, CsvSpec Spec) Draw(Draws draws)
    {
        int columns = 2 + draws.Below(3);
        bool header = draws.Below(2) == 0;
        string end = draws.Below(3) == 0 ? "\r\n" : "\n";
        StringBuilder text = new();
        int skip = draws.Below(4) == 0 ? 1 + draws.Below(2) : 0;
        for (int line = 0; line < skip; line++)
        {
            text.Append(draws.Below(6) == 0 ? "some\rthing" : "something").Append(end);
        }

        if (header)
        {
            text.AppendJoin(',', Enumerable.Range(0, columns).Select(column => draws.Below(30) == 0 ? $"\"c{column}\"" : $"c{column}")).Append(end);
        }

        int oddness = draws.Below(3) == 0 ? 0 : 60, rows = draws.Below(9);
        for (int row = 0; row < rows; row++)
        {
            int fields = oddness > 0 && draws.Below(60) == 0 ? columns + 1 : columns;
            text.AppendJoin(',', Enumerable.Range(0, fields).Select(column => Field(draws, column, oddness)));
            bool isBlankNext = oddness > 0 && draws.Below(30) == 0;
            text.Append(row == rows - 1 && draws.Below(2) == 0 ? "" : end).Append(isBlankNext ? end : "");
        }

        byte[] mark = draws.Below(10) == 0 ? [0xEF, 0xBB, 0xBF] : [];
        byte[] bytes = draws.Below(40) == 0 ? Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(text.ToString())).ToArray() : [.. mark, .. Encoding.UTF8.GetBytes(text.ToString())];
        CsvSpec spec = new("drawn.csv") { Header = header, SkipLines = skip };
        return (bytes, draws.Below(4) switch
        {
            3 => spec with { FeatureColumns = [columns - 1, 0], TargetsAreInputs = true },
            0 => spec with { Label = "0" },
            1 => spec with { TargetColumns = [$"{columns - 1}"] },
            _ => spec with { Label = "0", Classes = 3 },
        });
    }

    private static string Field(Draws draws, int column, int oddness)
    {
        if (oddness > 0 && draws.Below(oddness) == 0)
        {
            return s_odd[draws.Below(s_odd.Length)];
        }

        string text = column == 0 && draws.Below(2) == 0 ? $"{draws.Below(3)}" : Number(draws);
        return draws.Below(10) == 0 ? $" {text} " : text;
    }

    private static string Number(Draws draws)
    {
        string digits = string.Concat(Enumerable.Range(0, 1 + draws.Below(draws.Below(6) == 0 ? 40 : 8)).Select(_ => draws.Below(10)));
        string fraction = draws.Below(2) == 0 ? "" : "." + string.Concat(Enumerable.Range(0, draws.Below(draws.Below(6) == 0 ? 30 : 7)).Select(_ => draws.Below(10)));
        string exponent = draws.Below(4) != 0 ? "" : $"{(draws.Below(2) == 0 ? "e" : "E")}{(draws.Below(3) switch { 0 => "-", 1 => "+", _ => "" })}{draws.Below(draws.Below(3) == 0 ? 330 : 25)}";
        string sign = draws.Below(3) switch { 0 => "-", 1 when draws.Below(5) == 0 => "+", _ => "" };
        return sign + (draws.Below(20) == 0 && fraction.Length > 1 ? "" : digits) + fraction + exponent;
    }

    private sealed class Draws(int seed)
    {
        private readonly RandomStream _random = new((ulong)seed, RandomPurpose.GeneratedData);
        private int _drawn;

        public int Below(int limit) => _random.Below(_drawn++, limit);
    }
}
