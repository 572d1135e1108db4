using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Numerics;
using Spectre.Console;

namespace DistTrain.Commands.Papers.Kate;

/// <summary>What the user gave; null for the default.</summary>
internal sealed record KateOptions(string? Data, int Epochs, string Optimizer, double? LearningRate, ulong Seed, bool Json);

/// <summary>The <c>paper kate</c> verb.</summary>
internal sealed class KateCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    private const int EpochsMax = 10_000;

    /// <summary>Trains, reads out and judges; 1 when the paper's result does not hold.</summary>
    public int Execute(KateOptions options)
    {
        KateSettings settings = Settings(options);
        KateData data = KateData.Load(options.Data, host.WorkingFolder, host.Stop);
        if (!options.Json)
        {
            Introduce(settings, data);
        }

        KateStudy study = new(settings, data, engines, RunDisplay.For(host, options.Json), host.Clock, host.Stop);
        KateResults results = KateResults.Of(study);
        if (options.Json)
        {
            Write(settings, results);
        }
        else
        {
            Print(results);
        }

        return results.Hold ? ExitCodes.Done : ExitCodes.DidNotHold;
    }

    private static KateSettings Settings(KateOptions options)
    {
        if (options.Epochs is < 1 or > EpochsMax)
        {
            throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"--epochs {options.Epochs}: expected a whole number from 1 to {EpochsMax}"));
        }

        if (!KateSettings.OptimizerNames.Contains(options.Optimizer))
        {
            throw new InvalidInputException($"--optimizer {options.Optimizer}: expected {MapReader.OneOf([.. KateSettings.OptimizerNames])}{Nearest.Hint(options.Optimizer, [.. KateSettings.OptimizerNames])}");
        }

        if (options.LearningRate is double rate && !(rate > 0 && double.IsFinite(rate)))
        {
            throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"--learning-rate {rate}: expected a number above 0"));
        }

        return new KateSettings
        {
            Epochs = options.Epochs,
            Optimizer = KateSettings.OptimizerNamed(options.Optimizer, options.LearningRate),
            Seed = options.Seed,
        };
    }

    private void Introduce(KateSettings settings, KateData data)
    {
        host.Out.WriteLine("Chen and Zaki, KATE: K-Competitive Autoencoder for Text (KDD 2017): classes of documents from codes that were learnt without the classes.");
        host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{data.Documents.Train.Rows:N0} + {data.Documents.Test!.Rows:N0} documents, {data.Words:N0} words, {data.Classes} classes; {settings.Units} units, k = {settings.K}, α = {settings.Alpha}, tied sigmoid decoder, binary cross-entropy, {Names.Optimizer.NameOf(settings.Optimizer.Kind)} η = {settings.Optimizer.LearningRate}, batch {settings.BatchSize}, {settings.Epochs} epochs, seed {settings.Seed}."));
    }

    private void Print(KateResults results)
    {
        Table table = PaperTerminal.Table(1, "test accuracy of softmax on", "paper", "ours", "epochs", "time");
        foreach (KateResult line in results.Lines)
        {
            table.Add(
                line.Name, line.Paper is double paper ? Share(paper) : "-", Share(line.Accuracy), Words.Count(line.Epochs), Words.Duration(line.Time));
        }

        PaperTerminal.On(host).Write(table);
        host.Out.WriteLine("The paper's figures are for its own 2,000 words of the documents with their headers; the codes here are tanh(Wx + b), standardised.");
        string above = results.AbovePlain.ToString("+0.000;-0.000", CultureInfo.InvariantCulture);
        host.Out.WriteLine(
            $"KATE {Share(results.Kate.Accuracy)}, {above} beside a plain autoencoder with the same training; the plain one reaches {Share(results.PlainLonger.Accuracy)} in {results.PlainLonger.Epochs} epochs.");
        host.Out.WriteLine(results.Hold
            ? $"Result: holds (at least {Share(KateResults.AccuracyMin)}, and at least {Share(KateResults.AbovePlainMin)} above the plain autoencoder)."
            : $"Result: NOT reproduced; at least {Share(KateResults.AccuracyMin)} was expected, and at least {Share(KateResults.AbovePlainMin)} above the plain autoencoder.");
    }

    private void Write(KateSettings settings, KateResults results) => JsonText.Write(host.Out, json =>
    {
        json.WriteString("paper", "kate");
        json.WriteNumber("epochs", settings.Epochs);
        json.WriteString("optimizer", Names.Optimizer.NameOf(settings.Optimizer.Kind));
        json.WriteNumber("learning_rate", settings.Optimizer.LearningRate);
        json.WriteNumber("seed", settings.Seed);
        json.WriteBoolean("holds", results.Hold);
        json.WriteStartArray("rows");
        foreach (KateResult line in results.Lines)
        {
            json.WriteStartObject();
            json.WriteString("model", line.Name);
            json.WriteNumberOrNull("paper_accuracy", line.Paper);
            json.WriteNumber("accuracy", line.Accuracy);
            json.WriteNumber("epochs", line.Epochs);
            json.WriteNumberOrNull("reconstruction_loss", line.Loss);
            json.WriteNumber("seconds", line.Time.TotalSeconds);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static string Share(double share) => share.ToString("0.000", CultureInfo.InvariantCulture);
}
