using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace DistTrain.Commands.Experiments;

/// <summary>
/// Reads YAML (JSON is YAML too) into nodes with line numbers. Events are used rather than a document model because a key that is
/// given twice must be reported with both lines.
/// </summary>
internal sealed class ConfigText
{
    // Deeper nesting than any experiment needs; a bound keeps a hostile file from exhausting the stack.
    private const int DepthMax = 32;
    private readonly IParser _parser;
    private readonly Func<Mark, SourceMark> _mark;
    private readonly ProblemList _problems;
    private readonly Dictionary<string, ConfigNode> _anchors = new(StringComparer.Ordinal);

    private ConfigText(IParser parser, Func<Mark, SourceMark> mark, ProblemList problems)
    {
        _parser = parser;
        _mark = mark;
        _problems = problems;
    }

    /// <summary>Reads a whole document; null, with a problem added, when it is not YAML or not a group of keys.</summary>
    public static ConfigMap? Document(string text, string source, ProblemList problems)
    {
        SourceMark top = new(source, 1);
        switch (Read(text, mark => new SourceMark(source, (int)mark.Line), top, problems))
        {
            case null:
                return null;
            case ConfigMap map:
                return map;
            case ConfigScalar { IsNull: true }:
                problems.Add(
                    top, "", "the file is empty; expected keys such as data, network, "
                        + "optimizer and training (disttrain presets xor prints an example)");
                return null;
            case ConfigNode other:
                problems.Add(
                    other.Mark, "", $"{other.Description} is not an experiment; expected keys such as data, network, "
                        + "optimizer and training");
                return null;
        }
    }

    /// <summary>Reads a value that was given on the command line; null, with a problem added, when it is not YAML.</summary>
    public static ConfigNode? Value(string text, SourceMark mark, ProblemList problems) => Read(text, _ => mark, mark, problems);

    private static ConfigNode? Read(string text, Func<Mark, SourceMark> mark, SourceMark top, ProblemList problems)
    {
        Parser parser = new(new StringReader(text));
        try
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                return new ConfigScalar(top, "", plain: true);
            }

            parser.Consume<DocumentStart>();
            ConfigNode node = new ConfigText(parser, mark, problems).Node("", 0);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _))
            {
                problems.Add(mark(parser.Current!.Start), "", "a second document begins here; expected one experiment a file");
                return null;
            }

            return node;
        }
        catch (YamlException error)
        {
            // Of a group it is the place of the tab that helps, and of a text that does not end its beginning.
            Mark place = error.Message.Contains("tab", StringComparison.Ordinal) ? error.End : error.Start;
            problems.Add(mark(place), "", $"this is not valid YAML: {Reason(error)}");
            return null;
        }
        catch (InvalidOperationException broken) when (broken.Source == typeof(Parser).Assembly.GetName().Name)
        {
            // The library is not ready for a text that goes on after a group which was not closed.
            problems.Add(
                parser.Current is { } last ? mark(last.End) : top, "", "this is not valid YAML: something that begins here or before is not closed; look for a missing } or ]");
            return null;
        }
    }

    private ConfigNode Node(string path, int depth)
    {
        if (depth > DepthMax)
        {
            throw new YamlException(_parser.Current!.Start, _parser.Current.End, $"keys are nested more than {DepthMax} deep");
        }

        if (_parser.TryConsume<AnchorAlias>(out AnchorAlias? alias))
        {
            return _anchors.TryGetValue(alias.Value.Value, out ConfigNode? known)
                ? known
                : throw new YamlException(alias.Start, alias.End, $"there is no anchor &{alias.Value.Value} before this alias");
        }

        AnchorName anchor = (_parser.Current as NodeEvent)?.Anchor ?? AnchorName.Empty;
        ConfigNode node = Content(path, depth);
        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = node;
        }

        return node;
    }

    private ConfigNode Content(string path, int depth)
    {
        if (_parser.TryConsume<Scalar>(out Scalar? scalar))
        {
            return new ConfigScalar(_mark(scalar.Start), scalar.Value, scalar.Style == ScalarStyle.Plain);
        }

        if (_parser.TryConsume<SequenceStart>(out SequenceStart? sequence))
        {
            ConfigList list = new(_mark(sequence.Start));
            while (!_parser.TryConsume<SequenceEnd>(out _))
            {
                list.Items.Add(Node(KeyPath.Item(path, list.Items.Count), depth + 1));
            }

            return list;
        }

        MappingStart start = _parser.Consume<MappingStart>();
        ConfigMap map = new(_mark(start.Start));
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            Entry(map, path, depth);
        }

        return map;
    }

    private void Entry(ConfigMap map, string path, int depth)
    {
        if (!_parser.TryConsume<Scalar>(out Scalar? key))
        {
            throw new YamlException(_parser.Current!.Start, _parser.Current.End, "a key is a word, not a list or a group");
        }

        string full = KeyPath.Join(path, key.Value);
        ConfigNode value = Node(full, depth + 1);
        if (key is { Value: "<<", Style: ScalarStyle.Plain })
        {
            _problems.Add(_mark(key.Start), full, "merge keys are not read; write the keys out, or let an alias stand for the whole group");
            return;
        }

        if (map.TryFind(key.Value, out ConfigEntry? first))
        {
            _problems.Add(_mark(key.Start), full, $"this key is given twice, first on line {first.Mark.Line}; keep one of them");
            return;
        }

        map.Set(new ConfigEntry(key.Value, _mark(key.Start), value));
    }

    // The library puts the position, which the problem states already, before its reason.
    private static string Reason(YamlException error)
    {
        string text = error.Message;
        int end = text.IndexOf("): ", StringComparison.Ordinal);
        return text.StartsWith('(') && end > 0 ? text[(end + 3)..] : text;
    }
}
