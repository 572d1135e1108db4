using DistTrain.Dashboard.Folders;

namespace DistTrain.Dashboard.Tests;

public sealed class MetricsFileTests : IDisposable
{
    private readonly RunFolders _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public void ALogIsReadAsItGrowsAndAHalfWrittenLineOnceItIsWhole()
    {
        (MetricsFile log, string path) = Log(RunFolders.Steps(1, 3) + "{\"type\":\"step\",\"st");
        MetricsView before = log.Read();
        before.Starts.Single().Steps.Step.ShouldBe([1, 2, 3]);
        log.Read().ShouldBeSameAs(before, "A line that is not whole is nothing to tell anybody of.");
        File.AppendAllText(path, "ep\":4,\"loss\":0.25}\n{\"type\":\"epoch\",\"step\":4,\"epoch\":1,\"train_loss\":0.5,\"test_accuracy\":null}\n");
        MetricsView view = log.Read();
        view.Starts.Single().Steps.Loss.ShouldBe([1, 0.5, 1.0 / 3, 0.25]);
        view.Starts.Single().Epochs.Single().TrainLoss.ShouldBe(0.5);
        view.Starts.Single().Epochs.Single().TestAccuracy.ShouldBe(double.NaN);
        (view.Rows, view.Unreadable, view.TotalSteps).ShouldBe((5, 0, 0));
        log.Read().ShouldBeSameAs(view);
    }

    [Fact]
    public void ALogThatWasCutBackIsReadAnewEvenWhereItIsLongerByNow()
    {
        (MetricsFile log, string path) = Log(RunFolders.Steps(1, 10));
        log.Read().Rows.ShouldBe(10);
        File.WriteAllText(path, RunFolders.Steps(1, 4));
        log.Read().Starts.Single().Steps.Step.ShouldBe([1, 2, 3, 4]);
        File.WriteAllText(path, RunFolders.Steps(101, 9));
        log.Read().Starts.Single().Steps.Step.Length.ShouldBe(9);
    }

    [Fact]
    public void LinesThatAreNoMetricsAreCountedAndLeftOut()
    {
        string[] broken = ["", "[]", "7", "null", "{", "{\"type\":\"step\",\"step\":\"x\"}", "{\"type\":\"step\",\"step\":1e400}", "{\"type\":\"other\"}", "{\"type\":5}", "\0", new string('[', 2000)];
        (MetricsFile log, _) = Log(string.Join('\n', broken) + "\n" + RunFolders.Steps(1, 2) + new string('x', 3 << 20) + "\n" + RunFolders.Steps(3, 1));
        MetricsView view = log.Read();
        view.Starts.Single().Steps.Step.ShouldBe([1, 2, 3]);
        view.Unreadable.ShouldBeGreaterThanOrEqualTo(broken.Length);
    }

    [Fact]
    public void ACurveOfAnyLengthStaysSmallAndKeepsItsExtremesAndItsMean()
    {
        DecimatedCurve curve = new();
        const int rows = 1 << 16;
        for (int step = 1; step <= rows; step++)
        {
            curve.Add(new StepRow(step, step, step == 12345 ? -7 : step == 54321 ? double.NaN : 2, double.NaN, 0.1));
        }

        CurveColumns columns = curve.Columns();
        columns.Step.Length.ShouldBeInRange(DecimatedCurve.BucketsMax / 2, DecimatedCurve.BucketsMax);
        columns.Step[^1].ShouldBe(rows);
        columns.LossMin.Min().ShouldBe(-7);
        columns.Loss.ShouldAllBe(loss => loss > 1.8 && loss <= 2);
        columns.Accuracy.ShouldAllBe(accuracy => double.IsNaN(accuracy));
    }

    [Fact]
    public void AThinnedListKeepsTheFirstTheLastAndEvenSteps()
    {
        ThinnedList<int> list = new(8);
        for (int item = 0; item < 1000; item++)
        {
            list.Add(item);
            int[] items = list.Items();
            (items[0], items[^1]).ShouldBe((0, item));
            items.Length.ShouldBeLessThanOrEqualTo(9);
            items.SkipLast(1).Zip(items.Skip(1)).SkipLast(1).Select(pair => pair.Second - pair.First).Distinct().Count().ShouldBeLessThanOrEqualTo(1);
        }
    }

    [Fact]
    public void HealthIsKeptByLayer()
    {
        (MetricsFile log, _) = Log("{\"type\":\"health\",\"step\":5,\"layer\":\"layers.0\",\"zero\":0.25,\"dead\":0,\"gradient_norm\":2.5}\n");
        LayerHealth layer = log.Read().Health.Single();
        layer.Layer.ShouldBe("layers.0");
        (layer.Rows[0].Zero, layer.Rows[0].GradientNorm, layer.Rows[0].Saturated).ShouldBe((0.25, 2.5, double.NaN));
    }

    private (MetricsFile Log, string Path) Log(string text)
    {
        string path = Path.Combine(_runs.Add("run", metrics: text), "metrics.jsonl");
        return (new MetricsFile(path), path);
    }
}
