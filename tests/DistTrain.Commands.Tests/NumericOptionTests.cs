using System.CommandLine;
using DistTrain.Commands.Verbs;

namespace DistTrain.Commands.Tests;

/// <summary>Every option of every verb that takes a number, given something else.</summary>
public sealed class NumericOptionTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    public static TheoryData<string, string> NumericOptions
    {
        get
        {
            using Bench bench = new();
            TheoryData<string, string> found = [];
            foreach ((string path, Option option) in OptionsOf(VerbCatalog.Root([bench.Engine], bench.Host, [], []), ""))
            {
                Type type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
                if (type.IsPrimitive && type != typeof(bool))
                {
                    found.Add(path, option.Name);
                }
            }

            return found;
        }
    }

    [Fact]
    public void ThereAreOptionsThatTakeNumbers() => NumericOptions.Select(row => (string)row[1]).ShouldBe(
        ["--workers", "--port", "--threads", "--seconds", "--seeds", "--minutes", "--port", "--iterations", "--seeds", "--seeds", "--epochs", "--learning-rate", "--seed"], ignoreOrder: true);

    [Theory]
    [MemberData(nameof(NumericOptions))]
    public void ANumberThatIsNoneIsNamedInTheUsersWords(string verb, string option)
    {
        _bench.Run([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), option, "abc"]).ShouldBe(2);
        _bench.Error.ShouldContain(option);
        _bench.Error.ShouldContain("'abc' is");
        _bench.Error.ShouldContain("; expected a ");
        _bench.Error.ShouldNotContain("System.");
        _bench.Error.ShouldNotContain("`");
        _bench.LeftBehind().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("disttrain soak: --seeds: 'abc' is not a whole number; expected a whole number such as 5", "soak", "--seeds", "abc")]
    [InlineData("disttrain soak: --seeds: '1.5' is not a whole number", "soak", "--seeds", "1.5")]
    [InlineData("disttrain soak: --minutes: 'abc' is not a number; expected a number such as 0.5", "soak", "--minutes", "abc")]
    [InlineData("disttrain train: --port: '99999999999' is out of range; expected a whole number from -2147483648 to 2147483647", "train", "--port", "99999999999")]
    public void TheMessageSaysWhatWouldBeRight(string message, params string[] args)
    {
        _bench.Run(args).ShouldBe(2);
        _bench.Error.ShouldStartWith(message);
        _bench.Error.Trim().Split('\n').Length.ShouldBe(2);
    }

    private static IEnumerable<(string Path, Option Option)> OptionsOf(Command command, string path) =>
        command.Options.Select(option => (path, option))
            .Concat(command.Subcommands.SelectMany(verb => OptionsOf(verb, $"{path} {verb.Name}".Trim())));
}
