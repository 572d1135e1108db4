using System.Text.Json;
using DistTrain.Commands.Runs;
using DistTrain.Engines;

namespace DistTrain.Commands.Studies.Faults;

/// <summary>A study of faults as JSON and CSV.</summary>
internal static class FaultStudyFiles
{
    /// <summary>Everything.</summary>
    public static string Json(FaultComparison study)
    {
        return JsonText.Object(json =>
        {
            json.WriteString("name", study.Experiment.Settings.Name);
            json.WriteString("engine", study.Experiment.Engine);
            json.WriteNumber("steps_lost", study.Faulty.StepsLost);
            json.WriteNumber("steps_redone", study.Faulty.Outcome.StepsRedone);
            json.WriteNumberOrNull("longest_recovery_seconds", study.LongestRecovery?.TotalSeconds);
            json.WriteNumberOrNull("slow_down", study.SlowDown);
            json.WriteBoolean("weights_equal", study.Equal);
            json.WriteBoolean("weights_must_be_equal", study.MayDiffer is null);
            json.WriteStartArray("broken");
            foreach (string broken in study.Broken)
            {
                json.WriteStringValue(broken);
            }

            json.WriteEndArray();
            json.WriteStartArray("never_began");
            foreach (string missed in study.Faulty.NeverBegan)
            {
                json.WriteStringValue(missed);
            }

            json.WriteEndArray();
            Write(json, "without_faults", study.Calm);
            Write(json, "with_faults", study.Faulty);
            json.WriteStartArray("faults");
            foreach (FaultBegun fault in study.Faulty.Faults)
            {
                json.WriteStartObject();
                json.WriteString("fault", fault.Text);
                json.WriteNumber("at_seconds", fault.At.TotalSeconds);
                json.WriteNumberOrNull("recovery_seconds", fault.Recovery?.TotalSeconds);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    /// <summary>A row for each fault.</summary>
    public static string Csv(FaultComparison study) => StudyFiles.Csv(
        ["fault", "at_seconds", "recovery_seconds"],
        study.Faulty.Faults.Select(fault => (IEnumerable<object?>)[fault.Text, fault.At.TotalSeconds, fault.Recovery?.TotalSeconds]));

    private static void Write(Utf8JsonWriter json, string key, FaultRun run)
    {
        RunOutcome outcome = run.Outcome;
        json.WriteStartObject(key);
        json.WriteString("status", outcome.Status.ToString().ToLowerInvariant());
        json.WriteString("reason", outcome.Reason);
        json.WriteNumber("steps", outcome.Steps);
        json.WriteNumber("training_seconds", run.Training.TotalSeconds);
        json.WriteNumber("goodput", run.Goodput);
        json.WriteNumber("recoveries", outcome.Restarts);
        json.WriteNumber("messages_sent", outcome.MessagesByType.Sum(type => type.Value));
        json.WriteNumberOrNull("final_loss", outcome.FinalLoss);
        json.WriteNumberOrNull("test_accuracy", outcome.TestAccuracy);
        json.WriteString("weights_sha256", run.Weights);
        json.WriteEndObject();
    }
}
