namespace DistTrain.Data.Sources;

/// <summary>Inputs as a source gave them, finite and unscaled. A closed family of three layouts.</summary>
internal abstract class RawFeatures(int rows, int columns)
{
    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    /// <summary>The given rows, in the given order, as a copy.</summary>
    public abstract RawFeatures Select(ReadOnlySpan<int> rows);

    /// <summary>Adds every value.</summary>
    public abstract void AddTo(RowHash hash);
}

/// <summary>Rows × columns bytes, each of which stands for itself divided by <paramref name="divisor"/>.</summary>
internal sealed class RawBytes(byte[] values, int rows, int columns, double divisor = 1) : RawFeatures(rows, columns)
{
    public double Divisor { get; } = divisor;

    public byte[] Values { get; } = values;

    public override RawFeatures Select(ReadOnlySpan<int> rows) =>
        new RawBytes(RowCopy.Of<byte>(Values, Columns, rows), rows.Length, Columns, Divisor);

    public override void AddTo(RowHash hash)
    {
        hash.Add<double>([Divisor]);
        hash.Add<byte>(Values);
    }
}

/// <summary>Rows × columns numbers.</summary>
internal sealed class RawDense(double[] values, int rows, int columns) : RawFeatures(rows, columns)
{
    public double[] Values { get; } = values;

    public override RawFeatures Select(ReadOnlySpan<int> rows) =>
        new RawDense(RowCopy.Of<double>(Values, Columns, rows), rows.Length, Columns);

    public override void AddTo(RowHash hash) => hash.Add<double>(Values);
}

/// <summary>Compressed sparse rows: row r's values are those from Starts[r] to Starts[r+1].</summary>
internal sealed class RawSparse(int[] starts, int[] indices, double[] values, int columns)
    : RawFeatures(starts.Length - 1, columns)
{
    public int[] Starts { get; } = starts;

    public int[] Indices { get; } = indices;

    public double[] Values { get; } = values;

    public override RawFeatures Select(ReadOnlySpan<int> rows)
    {
        List<int> indices = [];
        List<double> values = [];
        int[] starts = new int[rows.Length + 1];
        for (int i = 0; i < rows.Length; i++)
        {
            (int from, int count) = (Starts[rows[i]], Starts[rows[i] + 1] - Starts[rows[i]]);
            indices.AddRange(Indices.AsSpan(from, count));
            values.AddRange(Values.AsSpan(from, count));
            starts[i + 1] = values.Count;
        }

        return new RawSparse(starts, [.. indices], [.. values], Columns);
    }

    public override void AddTo(RowHash hash)
    {
        hash.Add<int>(Starts);
        hash.Add<int>(Indices);
        hash.Add<double>(Values);
    }
}
