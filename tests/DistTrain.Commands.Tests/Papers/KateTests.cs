using System.Globalization;
using System.Text.Json;
using DistTrain.Commands.Papers.Kate;
using DistTrain.Commands.Terminal;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Commands.Tests.Papers;

/// <summary>The k-competitive autoencoder on documents.</summary>
public sealed class KateTests : IDisposable
{
    // An engine that refuses everything, so that the plain sequential trainer does the work.
    private readonly Bench _bench = new() { Engine = new FakeEngine { Refusal = "no" } };

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(0.70, 0.55, true)]
    [InlineData(0.66, 0.61, true)]
    [InlineData(0.659, 0.30, false)]
    [InlineData(0.70, 0.66, false)]
    [InlineData(double.NaN, 0.1, false)]
    public void ItHoldsWhereKateIsGoodAndWellAboveThePlainAutoencoder(double kate, double plain, bool holds) =>
        new KateResults(Line(kate), Line(0.6), Line(plain), Line(0.7), Line(0.7)).Hold.ShouldBe(holds);

    [Fact]
    public void CodesAreScaledByTheTrainingRowsAndConstantOnesStayFinite()
    {
        CodeScaling scaling = CodeScaling.Fit([[1, 5], [3, 5]]);
        scaling.Apply([[1, 5], [3, 5], [5, 6]]).ShouldBe([-1, 0, 1, 0, 3, 1]);
    }

    [Fact]
    public void OnDocumentsOfTwoTopicsTheCodesTellTheTopicsApart()
    {
        WriteDocuments();
        KateSettings settings = new() { Units = 8, K = 4, Epochs = 10, BatchSize = 10, Optimizer = Adam(0.01), ReadOutOptimizer = Adam(0.05) };
        KateData data = KateData.Load("docs", _bench.Folder, CancellationToken.None);
        (data.Words, data.Classes, data.Documents.Test!.Rows).ShouldBe((20, 2, 20));
        KateStudy study = new(settings, data, [], new LineDisplay(TextWriter.Null, TextWriter.Null), TimeProvider.System, CancellationToken.None);
        study.Kate().Accuracy.ShouldBeGreaterThan(0.9);
        study.Supervised().Accuracy.ShouldBeGreaterThan(0.9);
    }

    [Fact]
    public void WhereKateIsNotAboveThePlainAutoencoderTheCommandSaysSoAndFails()
    {
        // Two clear topics: every autoencoder tells them apart, so the competition cannot be five points better.
        WriteDocuments();
        _bench.Run("paper", "kate", "--data", "docs", "--epochs", "4", "--optimizer", "adam", "--learning-rate", "0.01", "--json").ShouldBe(1);
        using JsonDocument json = JsonDocument.Parse(_bench.Out);
        json.RootElement.GetProperty("holds").GetBoolean().ShouldBeFalse();
        json.RootElement.GetProperty("rows").GetArrayLength().ShouldBe(5);
    }

    [SkippableFact]
    public void OnTwentyNewsgroupsTheCompetitionIsWorthManyPoints()
    {
        // Six epochs are enough to see it, and keep the test short; the command trains longer.
        KateSettings settings = new() { Epochs = 6, Optimizer = KateSettings.OptimizerNamed("adam") };
        KateData data = KateData.Load(TwentyNewsgroups(), "/", CancellationToken.None);
        KateStudy study = new(settings, data, [], new LineDisplay(TextWriter.Null, TextWriter.Null), TimeProvider.System, CancellationToken.None);
        KateResult kate = study.Kate(), plain = study.Plain();
        kate.Accuracy.ShouldBeGreaterThanOrEqualTo(KateResults.AccuracyMin);
        (kate.Accuracy - plain.Accuracy).ShouldBeGreaterThanOrEqualTo(KateResults.AbovePlainMin);
    }

    [Fact]
    public void WithoutAFolderItSaysWhatIsNeeded()
    {
        _bench.Run("paper", "kate").ShouldBe(2);
        _bench.Error.ShouldContain("--data FOLDER is missing; expected a folder with word counts of 20 Newsgroups in LIBSVM format");
        _bench.Run("paper", "kate", "--data", "nowhere").ShouldBe(2);
        _bench.Error.ShouldContain("--data nowhere: there is no such folder");
        Directory.CreateDirectory(_bench.At("docs"));
        _bench.Run("paper", "kate", "--data", "docs").ShouldBe(2);
        _bench.Error.ShouldContain("no file NAME.train.libsvm[.gz] there");
    }

    [Theory]
    [InlineData("--optimizer", "adm", "--optimizer adm: expected adadelta or adam; did you mean 'adam'?")]
    [InlineData("--epochs", "0", "--epochs 0: expected a whole number from 1 to")]
    [InlineData("--learning-rate", "0", "--learning-rate 0: expected a number above 0")]
    public void WhenAnOptionIsWrongTheErrorNamesIt(string option, string value, string message)
    {
        _bench.Run("paper", "kate", "--data", "docs", option, value).ShouldBe(2);
        _bench.Error.ShouldContain(message);
    }

    private static string TwentyNewsgroups()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "shared", "data", "20news");
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        throw new SkipException("The data set 20news is not here (shared/data).");
    }

    private static OptimizerSpec Adam(double learningRate) => OptimizerDefaults.For(OptimizerKind.Adam, learningRate);

    private static KateResult Line(double accuracy) => new("", null, accuracy, null, 1, TimeSpan.Zero);

    /// <summary>Documents of 20 words: class 0 uses the first ten, class 1 the others.</summary>
    private void WriteDocuments()
    {
        Directory.CreateDirectory(_bench.At("docs"));
        File.WriteAllLines(_bench.At("docs", "two.train.libsvm"), Lines(60, 1));
        File.WriteAllLines(_bench.At("docs", "two.test.libsvm"), Lines(20, 2));
    }

    private static IEnumerable<string> Lines(int rows, ulong seed)
    {
        for (int row = 0; row < rows; row++)
        {
            RandomStream stream = new(seed, RandomPurpose.GeneratedData, sample: row);
            int label = row % 2;
            IEnumerable<string> words = Enumerable.Range(0, 10).Where(word => word == 9 || stream.Uniform(word) < 0.5)
                .Select(word => string.Create(CultureInfo.InvariantCulture, $"{(10 * label) + word + 1}:{1 + stream.Below(20 + word, 5)}"));
            yield return $"{label} {string.Join(' ', words)}";
        }
    }
}
