using System.CommandLine;
using System.CommandLine.Parsing;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Verbs;
using DistTrain.Engines;
using DistTrain.Numerics;

namespace DistTrain.Commands;

/// <summary>
/// The command line: parses the arguments, runs a verb and turns what went wrong into one clear line and an exit code.
/// </summary>
public static class CommandApp
{
    /// <summary>Runs one command; returns the exit code of <see cref="ExitCodes"/>.</summary>
    /// <param name="args">Without the program's name.</param>
    /// <param name="engines">What this program can run actors on.</param>
    /// <param name="host">Streams, folder, clock and the stop signal.</param>
    /// <param name="extraVerbs">Verbs that only this program has.</param>
    /// <param name="trainOptions">Options of <c>train</c> that only this program's engines have.</param>
    public static int Run(string[] args, IReadOnlyList<IEngine> engines, CommandHost host,
        IReadOnlyList<Command>? extraVerbs = null, IReadOnlyList<Option>? trainOptions = null)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(engines);
        ArgumentNullException.ThrowIfNull(host);
        try
        {
            return Parse(args, engines, host, extraVerbs ?? [], trainOptions ?? []);
        }
        catch (InvalidInputException error)
        {
            host.Error.WriteLine(error.Message);
            return ExitCodes.BadInput;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"disttrain: {error.Message}");
            return ExitCodes.BadInput;
        }
        catch (OperationCanceledException) when (host.Stop.IsCancellationRequested)
        {
            host.Error.WriteLine(args is ["train", ..] ? "disttrain: stopped before anything was started" : "disttrain: stopped before it was done");
            return ExitCodes.Done;
        }
        catch (Exception error) when (!host.Trace)
        {
            // A mistake of the program, not of its user. One line, and how to get the rest.
            host.Error.WriteLine($"disttrain: unexpected {error.GetType().Name}: {error.Message}");
            host.Error.WriteLine(
                "disttrain: this is a defect; set DISTTRAIN_TRACE=1 and run the command again to see where it happened");
            return ExitCodes.Failed;
        }
    }

    private static int Parse(
        string[] args, IReadOnlyList<IEngine> engines, CommandHost host, IReadOnlyList<Command> extraVerbs, IReadOnlyList<Option> trainOptions)
    {
        RootCommand root = VerbCatalog.Root(engines, host, extraVerbs, trainOptions);
        ParseResult result = root.Parse(args);
        if (args.Length == 0)
        {
            result = root.Parse(["--help"]);
        }

        if (result.Errors.Count > 0 || UnknownOptions(result).Count > 0)
        {
            return Explain(result, root, host);
        }

        // The program owns Ctrl-C: the first one stops a run at a committed step.
        InvocationConfiguration invocation = new()
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        return WithOutput(result.Invoke(invocation), result, host);
    }

    /// <summary>A command whose product is what it prints has failed where that is lost; one that made files has not, but says so as well.</summary>
    private static int WithOutput(int code, ParseResult result, CommandHost host)
    {
        if (host.OutProblem is not string problem)
        {
            return code;
        }

        host.Error.WriteLine($"{NameOf(result.CommandResult)}: standard output cannot be written: {problem}");
        bool isJson = IsGiven(result, "--json"), isInFiles = result.CommandResult.Command is Verb { MakesFiles: true } || IsGiven(result, "--out");
        return code == ExitCodes.Done && (isJson || !isInFiles) ? ExitCodes.Failed : code;
    }

    private static bool IsGiven(ParseResult result, string option) =>
        result.CommandResult.Children.OfType<OptionResult>().Any(given => given.Option.Name == option && !given.Implicit);

    /// <summary>Says what is wrong with the arguments, the nearest right word, and where help is.</summary>
    private static int Explain(ParseResult result, RootCommand root, CommandHost host)
    {
        Command command = result.CommandResult.Command;
        string name = NameOf(result.CommandResult);
        string[] options = [.. command.Options.Select(option => option.Name), "--help"];
        string[] verbs = [.. root.Subcommands.Select(verb => verb.Name)];
        List<string> lines = [.. UnknownOptions(result).Select(token =>
            $"{name}: there is no option '{token}'; expected "
            + $"{MapReader.OneOf([.. Nearest.Ranked(token, options)])}{Nearest.Hint(token, options)}")];
        if (lines.Count == 0)
        {
            // What follows an unknown option may be its value, so other words are judged only where all options are known.
            lines.AddRange(result.UnmatchedTokens.Select(token => command == root
                ? $"{name}: there is no command '{token}'; expected {MapReader.OneOf(verbs)}{Nearest.Hint(token, verbs)}"
                : $"{name}: '{token}' is one argument too many"));
        }

        if (lines.Count == 0)
        {
            lines.AddRange(result.Errors.Select(error => $"{name}: {ValueText.Of(error) ?? error.Message}").Distinct());
        }

        foreach (string line in lines)
        {
            host.Error.WriteLine(line);
        }

        host.Error.WriteLine($"See {name} --help.");
        return ExitCodes.BadInput;
    }

    /// <summary>A command as it is called: disttrain paper kate.</summary>
    private static string NameOf(CommandResult command) =>
        command.Parent is CommandResult above ? $"{NameOf(above)} {command.Command.Name}" : "disttrain";

    /// <summary>Words that look like options: the parser takes them for arguments where it can.</summary>
    private static List<string> UnknownOptions(ParseResult result)
    {
        IEnumerable<string> asArguments =
            result.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
                .Select(token => token.Value);
        return [.. asArguments.Concat(result.UnmatchedTokens).Where(token => token.Length > 1 && token[0] == '-')];
    }
}
