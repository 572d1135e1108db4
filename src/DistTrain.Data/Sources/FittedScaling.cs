using System.Numerics;
using DistTrain.Data.Features;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>
/// A <see cref="Scaling"/> whose means and deviations are known, ready to be applied to training and test rows.
/// </summary>
internal sealed class FittedScaling
{
    private readonly ElementScaling _element;
    private readonly ColumnScaling? _columns;

    private FittedScaling(ElementScaling element, ColumnScaling? columns) => (_element, _columns) = (element, columns);

    /// <summary>
    /// Fits to training rows. Arrays of <paramref name="train"/> may be changed in place: it must be passed to nobody but
    /// <see cref="Finish"/> after that, as the value returned.
    /// </summary>
    public static (FittedScaling Fitted, RawFeatures Train) Fit(Scaling scaling, RawFeatures train, string name)
    {
        ElementScaling element = new(scaling, (train as RawBytes)?.Divisor ?? 1);
        RawFeatures mapped = element.Map(train, name);
        ColumnScaling? columns = scaling.Standardize switch
        {
            Standardization.Features => ColumnMoments.PerColumn(mapped, element.ByteTable),
            Standardization.Global => ColumnMoments.Global(mapped, element.ByteTable),
            _ => null,
        };
        return (new FittedScaling(element, columns), mapped);
    }

    /// <summary>Maps test rows element by element, as <see cref="Fit"/> did with the training rows.</summary>
    public RawFeatures Map(RawFeatures test, string name) => _element.Map(test, name);

    /// <summary>Standardizes mapped rows and converts them to the precision of the run.</summary>
    public FeatureStore<T> Finish<T>(RawFeatures mapped, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => mapped switch
        {
            RawBytes bytes => FinishBytes<T>(bytes),
            RawDense dense => FinishDense<T>(dense, name),
            RawSparse sparse => FinishSparse<T>(sparse, name),
            _ => throw new InvalidOperationException($"{mapped.GetType()} is no known layout."),
        };

    private ByteFeatures<T> FinishBytes<T>(RawBytes bytes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] table = _element.ByteTable;
        if (_columns is { IsGlobal: true })
        {
            table = [.. table.Select(value => _columns.Apply(0, value))];
        }

        ColumnScaling? perColumn = _columns is { IsGlobal: false } ? _columns : null;
        return new ByteFeatures<T>(bytes.Values, bytes.Rows, bytes.Columns, table, perColumn);
    }

    private DenseFeatures<T> FinishDense<T>(RawDense dense, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] values = new T[dense.Values.Length];
        for (int row = 0, i = 0; row < dense.Rows; row++)
        {
            for (int column = 0; column < dense.Columns; column++, i++)
            {
                values[i] = Convert<T>(dense.Values[i], row, column, name);
            }
        }

        return new DenseFeatures<T>(values, dense.Rows, dense.Columns);
    }

    private SparseFeatures<T> FinishSparse<T>(RawSparse sparse, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] values = new T[sparse.Values.Length];
        for (int row = 0; row < sparse.Rows; row++)
        {
            for (int i = sparse.Starts[row]; i < sparse.Starts[row + 1]; i++)
            {
                values[i] = Convert<T>(sparse.Values[i], row, sparse.Indices[i], name);
            }
        }

        T[] background = [];
        if (_columns is not null)
        {
            background = new T[sparse.Columns];
            for (int column = 0; column < background.Length; column++)
            {
                background[column] = Convert<T>(0, 0, column, name);
            }
        }

        return new SparseFeatures<T>(sparse.Starts, sparse.Indices, values, background, sparse.Columns);
    }

    private T Convert<T>(double value, int row, int column, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T result = T.CreateTruncating(_columns?.Apply(column, value) ?? value);
        return T.IsFinite(result)
            ? result
            : throw new InvalidInputException(
                FormattableString.Invariant($"{name}: row {row + 1}, column {column + 1}: {value} is too large for the run's precision; ")
                + "scale it or use float64.");
    }
}
