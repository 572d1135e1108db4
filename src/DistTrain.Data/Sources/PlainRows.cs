using System.Text;

namespace DistTrain.Data.Sources;

/// <summary>
/// Rows of plain numbers, with a label that is printable ASCII, off bytes. It takes nothing that would have to be quoted, decoded, refused or explained: such lines are left
/// for the library. What it does take it takes to the same values.
/// </summary>
internal sealed class PlainRows
{
    private const int Unread = 0, Feature = 1, Target = 2, Label = 3;

    // Labels of up to eight characters are looked up by their bytes.
    private const int ShortLabelBytes = sizeof(ulong);

    private readonly (int Kind, int Index)[] _roles;
    private readonly LabelSet _labels;
    private readonly Dictionary<ulong, int> _known = [];

    public PlainRows(CsvColumns columns, LabelSet labels)
    {
        _labels = labels;
        _roles = new (int, int)[columns.Count];
        for (int i = 0; i < columns.Features.Length; i++)
        {
            _roles[columns.Features[i]] = (Feature, i);
        }

        for (int i = 0; i < columns.Targets.Length; i++)
        {
            _roles[columns.Targets[i]] = (Target, i);
        }

        if (columns.Label >= 0)
        {
            _roles[columns.Label] = (Label, 0);
        }
    }

    /// <summary>Reads a row; false when it is not plain, and what was written of it is void.</summary>
    /// <param name="line">The line.</param>
    /// <param name="features">Receives the features.</param>
    /// <param name="targets">Receives the targets.</param>
    /// <param name="label">The label's number; 0 where there is no label column.</param>
    public bool TryRead(ReadOnlySpan<byte> line, Span<double> features, Span<double> targets, out int label)
    {
        label = 0;
        ReadOnlySpan<byte> labelText = default;
        bool hasLabel = false;
        int at = 0;
        for (int column = 0; column < _roles.Length; column++)
        {
            if (column > 0)
            {
                if (at >= line.Length)
                {
                    return false;
                }

                // A field ends at a comma or at the line's end.
                at++;
            }

            (int kind, int index) = _roles[column];
            if (kind is Label or Unread)
            {
                int length = line[at..].IndexOf((byte)',');
                int end = length < 0 ? line.Length : at + length;
                ReadOnlySpan<byte> text = line[at..end].Trim((byte)' ');
                at = end;
                if (kind == Label)
                {
                    hasLabel = true;
                    labelText = text;
                }
                else if (!IsPlainText(text))
                {
                    return false;
                }
            }
            else if (PlainNumber.TryRead(line, ref at, out double value))
            {
                (kind == Feature ? features : targets)[index] = value;
            }
            else
            {
                return false;
            }
        }

        return at == line.Length && (!hasLabel || TryNumber(labelText, out label));
    }

    private static bool IsPlainText(ReadOnlySpan<byte> text) =>
        !text.ContainsAnyExceptInRange((byte)' ', (byte)'~') && !text.Contains((byte)'"');

    private bool TryNumber(ReadOnlySpan<byte> text, out int label)
    {
        label = 0;
        if (text.IsEmpty || !IsPlainText(text))
        {
            return false;
        }

        if (text.Length > ShortLabelBytes)
        {
            return _labels.TryNumber(Encoding.ASCII.GetString(text), out label);
        }

        ulong key = 0;
        foreach (byte character in text)
        {
            key = (key << 8) | character;
        }

        if (_known.TryGetValue(key, out label))
        {
            return true;
        }

        bool found = _labels.TryNumber(Encoding.ASCII.GetString(text), out label);
        if (found)
        {
            _known.Add(key, label);
        }

        return found;
    }
}
