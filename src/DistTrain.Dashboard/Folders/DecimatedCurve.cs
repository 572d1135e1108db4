namespace DistTrain.Dashboard.Folders;

/// <summary>A committed step as the metrics log has it; NaN where a figure is missing.</summary>
internal readonly record struct StepRow(long Step, double Elapsed, double Loss, double Accuracy, double LearningRate);

/// <summary>
/// A curve of any length in bounded memory: rows go into buckets of equal count with their mean, least and greatest loss, and whenever the
/// buckets are full each two neighbours become one.
/// </summary>
internal sealed class DecimatedCurve
{
    /// <summary>Most buckets: about as many as a screen has columns of pixels.</summary>
    public const int BucketsMax = 1024;

    private readonly List<Bucket> _buckets = [];
    private long _rowsPerBucket = 1;

    /// <summary>Rows in all.</summary>
    public long Rows { get; private set; }

    /// <summary>Adds a row.</summary>
    public void Add(in StepRow row)
    {
        Rows++;
        if (_buckets.Count > 0 && _buckets[^1].Rows < _rowsPerBucket)
        {
            _buckets[^1] = _buckets[^1].With(Bucket.Of(row));
            return;
        }

        if (_buckets.Count == BucketsMax)
        {
            for (int index = 0; index < BucketsMax / 2; index++)
            {
                _buckets[index] = _buckets[2 * index].With(_buckets[(2 * index) + 1]);
            }

            _buckets.RemoveRange(BucketsMax / 2, BucketsMax - (BucketsMax / 2));
            _rowsPerBucket *= 2;
        }

        _buckets.Add(Bucket.Of(row));
    }

    /// <summary>The curve in columns.</summary>
    public CurveColumns Columns() => new(
        [.. _buckets.Select(bucket => bucket.Step)],
        [.. _buckets.Select(bucket => bucket.Elapsed)],
        [.. _buckets.Select(bucket => bucket.LossRows == 0 ? double.NaN : bucket.LossSum / bucket.LossRows)],
        [.. _buckets.Select(bucket => bucket.LossMin)],
        [.. _buckets.Select(bucket => bucket.LossMax)],
        [.. _buckets.Select(bucket => bucket.AccuracyRows == 0 ? double.NaN : bucket.AccuracySum / bucket.AccuracyRows)],
        [.. _buckets.Select(bucket => bucket.LearningRate)]);

    private readonly record struct Bucket(
        long Rows, long Step, double Elapsed, double LossSum, long LossRows, double LossMin, double LossMax, double AccuracySum, long AccuracyRows, double LearningRate)
    {
        public static Bucket Of(in StepRow row)
        {
            bool hasLoss = double.IsFinite(row.Loss), hasAccuracy = double.IsFinite(row.Accuracy);
            return new Bucket(
                1, row.Step, row.Elapsed, hasLoss ? row.Loss : 0, hasLoss ? 1 : 0, hasLoss ? row.Loss : double.NaN, hasLoss ? row.Loss : double.NaN,
                hasAccuracy ? row.Accuracy : 0, hasAccuracy ? 1 : 0, row.LearningRate);
        }

        public Bucket With(in Bucket later) => new(
            Rows + later.Rows, later.Step, later.Elapsed, LossSum + later.LossSum, LossRows + later.LossRows, Least(LossMin, later.LossMin), Greatest(LossMax, later.LossMax),
            AccuracySum + later.AccuracySum, AccuracyRows + later.AccuracyRows, later.LearningRate);

        // The numbers of Math.Min and Math.Max would be NaN where either is.
        private static double Least(double a, double b) => double.IsNaN(a) || b < a ? b : a;

        private static double Greatest(double a, double b) => double.IsNaN(a) || b > a ? b : a;
    }
}

/// <summary>A curve in columns of equal length.</summary>
internal sealed record CurveColumns(long[] Step, double[] Elapsed, double[] Loss, double[] LossMin, double[] LossMax, double[] Accuracy, double[] LearningRate);
