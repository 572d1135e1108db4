using DistTrain.Numerics;

namespace DistTrain.Commands.Experiments;

/// <summary>
/// Collects everything that is wrong with an experiment, so that a user can mend a file in one go. Each problem is printed as
/// <c>file:line: key: what was wrong; what would be right</c>.
/// </summary>
internal sealed class ProblemList
{
    private readonly List<(SourceMark Mark, string Key, string Message)> _problems = [];

    /// <summary>Whether anything was found.</summary>
    public bool Any => _problems.Count > 0;

    /// <summary>Adds a problem; <paramref name="key"/> may be empty for the file as a whole.</summary>
    public void Add(SourceMark mark, string key, string message)
    {
        if (!_problems.Contains((mark, key, message)))
        {
            _problems.Add((mark, key, message));
        }
    }

    /// <summary>Adds all problems of another list.</summary>
    public void AddAll(ProblemList other)
    {
        foreach ((SourceMark mark, string key, string message) in other._problems)
        {
            Add(mark, key, message);
        }
    }

    /// <summary>Whether a problem was found in the section that the key path begins with.</summary>
    public bool AnyIn(string section) =>
        _problems.Exists(problem => KeyPath.Section(problem.Key) == section);

    /// <summary>All problems, one a line, in the order of the file, then those of the command line.</summary>
    public override string ToString() => string.Join('\n', _problems
        .OrderBy(problem => problem.Mark.Line == 0)
        .ThenBy(problem => problem.Mark.Line)
        .Select(Line));

    /// <summary>Throws <see cref="InvalidInputException"/> with all problems if there are any.</summary>
    public void ThrowIfAny()
    {
        if (Any)
        {
            throw new InvalidInputException(ToString());
        }
    }

    private static string Line((SourceMark Mark, string Key, string Message) problem)
    {
        // An option of the command line names its key already.
        bool named =
            problem.Key.Length == 0
                || (problem.Mark.Line == 0
                    && problem.Mark.Source.EndsWith(string.Join('.', KeyPath.Parts(problem.Key)), StringComparison.Ordinal));
        return named ? $"{problem.Mark}: {problem.Message}" : $"{problem.Mark}: {problem.Key}: {problem.Message}";
    }
}
