using System.Globalization;
using System.Text.Json;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics;
using Spectre.Console;

namespace DistTrain.Commands.Papers.XorInit;

/// <summary>The <c>paper xor-init</c> verb.</summary>
internal sealed class XorInitCommand(CommandHost host)
{
    private const int SeedsMax = 1_000_000, ThreadsMax = 2;

    /// <summary>Counts stalls; 1 when the question's observation or the answer's remedies do not show.</summary>
    public int Execute(int seeds, bool json)
    {
        if (seeds is < 1 or > SeedsMax)
        {
            throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"--seeds {seeds}: expected a whole number from 1 to {SeedsMax}"));
        }

        IReadOnlyList<XorResult> results;
        using (PaperProgress progress = new(host, json, "starts"))
        {
            results = XorStudy.Run(XorVariant.All, seeds, Math.Min(ThreadsMax, Environment.ProcessorCount), progress.Report, host.Stop);
        }

        XorFindings findings = new(results);
        if (json)
        {
            Write(seeds, results, findings);
        }
        else
        {
            Print(seeds, results, findings);
        }

        return findings.Hold ? ExitCodes.Done : ExitCodes.DidNotHold;
    }

    private void Print(int seeds, IReadOnlyList<XorResult> results, XorFindings findings)
    {
        host.Out.WriteLine("\"Initial weights causing stagnation in XOR function learning\": why does a 2-2-1 network with weights from U(0, 1) sometimes never learn XOR?");
        host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{seeds:N0} seeds, sigmoid output, half squared error, weights and biases from U(0, 1), sgd, four rows a step unless it says otherwise; stalled: not learnt (every output within 0.4) in {XorStudy.Epochs:N0} epochs."));
        Table table = PaperTerminal.Table(2, "hidden", "change", "units", "η", "learnt", "stalled", "%", "stuck", "epochs");
        foreach (XorResult result in results)
        {
            XorVariant variant = result.Variant;
            table.Add(
                Name(variant), variant.Remedy.Length > 0 ? variant.Remedy : "none", $"{variant.Units}", variant.LearningRate.ToString(CultureInfo.InvariantCulture),
                Words.Count(result.Learnt), Words.Count(result.Stalled), (100.0 * result.Stalled / seeds).ToString("0.0", CultureInfo.InvariantCulture), Words.Count(result.Stuck),
                result.MedianEpochs is int epochs ? Words.Count(epochs) : "-");
        }

        PaperTerminal.On(host).Write(table);
        host.Out.WriteLine("Stuck: stalled with a gradient below 1e-3. Epochs: the median of the starts that learnt.");
        foreach (string line in findings.Answer())
        {
            host.Out.WriteLine(line);
        }
    }

    private void Write(int seeds, IReadOnlyList<XorResult> results, XorFindings findings) => JsonText.Write(host.Out, json =>
    {
        json.WriteString("paper", "xor-init");
        json.WriteNumber("seeds", seeds);
        json.WriteNumber("epochs", XorStudy.Epochs);
        json.WriteBoolean("holds", findings.Hold);
        json.WriteStartArray("rows");
        foreach (XorResult result in results)
        {
            json.WriteStartObject();
            json.WriteString("hidden", Name(result.Variant));
            json.WriteString("change", result.Variant.Remedy);
            json.WriteNumber("units", result.Variant.Units);
            json.WriteNumber("learning_rate", result.Variant.LearningRate);
            json.WriteNumber("learnt", result.Learnt);
            json.WriteNumber("stalled", result.Stalled);
            json.WriteNumber("stalled_without_gradient", result.Stuck);
            WriteEpochs(json, result.MedianEpochs);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void WriteEpochs(Utf8JsonWriter json, int? epochs)
    {
        if (epochs is int number)
        {
            json.WriteNumber("median_epochs", number);
        }
        else
        {
            json.WriteNull("median_epochs");
        }
    }

    private static string Name(XorVariant variant) => variant.Activation == ActivationKind.Relu ? "relu" : "sigmoid";
}
