using System.Text.Json;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Terminal;

/// <summary>A plan as JSON. Keys are only ever added.</summary>
internal static class PlanJson
{
    /// <summary>The text, indented, with a line end.</summary>
    public static string Of(PreparedRun run, CostTable costs, MachineProfile machine)
    {
        RunSettings settings = run.Experiment.Settings;
        return JsonText.Object(json =>
        {
            json.WriteString("name", settings.Name);
            json.WriteString("precision", Names.Precision.NameOf(settings.Precision));
            json.WriteNumber("train_rows", run.Data.Run.TrainRows);
            json.WriteNumber("test_rows", run.Data.Run.TestRows);
            json.WriteNumber("inputs", run.Data.Run.Inputs);
            json.WriteNumber("steps", PlanReport.Steps(run));
            json.WriteNumber("restarts", run.Experiment.Restarts);
            json.WritePropertyName("machine");
            json.WriteRawValue(MachineFile.Text(machine));
            json.WriteStartArray("methods");
            foreach (CostEntry entry in costs.Methods)
            {
                Write(json, entry);
            }

            json.WriteEndArray();
            Write(json, costs.Verdict);
        });
    }

    private static void Write(Utf8JsonWriter json, CostEntry entry)
    {
        json.WriteStartObject();
        json.WriteString("method", entry.Settings.Name);
        if (PlanReport.HasSchedule(entry))
        {
            json.WriteString("schedule", entry.Settings.Schedule);
        }

        if (PlanReport.HasForm(entry))
        {
            json.WriteString("form", PlanReport.FormName(entry.Settings.Form));
            json.WriteString("collapse", Names.Collapse.NameOf(entry.Settings.Collapse));
            json.WriteNumber("shares", entry.Settings.Shares);
        }

        json.WriteBoolean("planned", entry.Planned);
        json.WriteString("refusal", entry.Refusal);
        if (entry.Refusal is null)
        {
            WriteArithmetic(json, entry.Arithmetic, entry.Seconds);
            WriteMessages(json, entry);
            WriteMemory(json, entry);
        }

        json.WriteEndObject();
    }

    private static void WriteArithmetic(Utf8JsonWriter json, CostArithmetic arithmetic, double seconds)
    {
        json.WriteStartObject("multiply_adds");
        json.WriteNumber("per_step", arithmetic.PerStep);
        json.WriteNumber("steps", arithmetic.Steps);
        json.WriteNumber("once", arithmetic.Once);
        json.WriteNumber("evaluations", arithmetic.Evaluations);
        json.WriteNumber("total", arithmetic.Total);
        json.WriteEndObject();
        json.WriteNumber("flops", 2 * arithmetic.Total);
        json.WriteNumber("predicted_seconds", seconds);
        json.WriteNumber("values_updated_per_step", arithmetic.UpdatesPerStep);
    }

    private static void WriteMessages(Utf8JsonWriter json, CostEntry entry)
    {
        json.WriteStartObject("messages");
        json.WriteNumber("per_step", entry.MessagesPerStep);
        json.WriteNumber("sent", entry.MessagesTotal);
        json.WriteStartObject("by_type");
        foreach (CostMessage message in entry.Messages)
        {
            WriteMessage(json, message.Tag, message.Link, message);
        }

        json.WriteEndObject();
        json.WriteStartObject("by_link");
        foreach (CostMessage link in PlanReport.ByLink(entry))
        {
            WriteMessage(json, link.Tag, null, link);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteNumber("bytes_per_step", entry.BytesPerStep);
        json.WriteNumber("bytes_sent", entry.BytesTotal);
    }

    private static void WriteMessage(Utf8JsonWriter json, string name, CostLink? link, CostMessage message)
    {
        json.WriteStartObject(name);
        if (link is CostLink between)
        {
            json.WriteString("link", PlanReport.LinkName(between));
        }

        json.WriteNumber("per_step", message.PerStep);
        json.WriteNumber("bytes_per_step", message.BytesPerStep);
        json.WriteNumber("sent", message.Total);
        json.WriteNumber("bytes_sent", message.BytesTotal);
        json.WriteEndObject();
    }

    private static void WriteMemory(Utf8JsonWriter json, CostEntry entry)
    {
        json.WriteNumber("memory_bytes", entry.MemoryBytes);
        if (entry.HistoryBytes > 0)
        {
            json.WriteNumber("history_bytes", entry.HistoryBytes);
        }

        json.WriteStartArray("actors");
        foreach (CostActor actor in entry.Actors)
        {
            json.WriteStartObject();
            json.WriteString("actor", actor.Name);
            json.WriteNumber("count", actor.Count);
            json.WriteNumber("weight_bytes", actor.WeightBytes);
            json.WriteNumber("optimizer_state_bytes", actor.StateBytes);
            json.WriteNumber("gradient_bytes", actor.GradientBytes);
            json.WriteNumber("activation_bytes", actor.ActivationBytes);
            json.WriteNumber("stored_activations", actor.StoredActivations);
            json.WriteNumber("contribution_bytes", actor.ContributionBytes);
            json.WriteNumber("total_bytes", actor.TotalBytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, CostVerdict? verdict)
    {
        if (verdict is null)
        {
            json.WriteNull("front_contribution");
            return;
        }

        json.WriteStartObject("front_contribution");
        json.WriteBoolean("pays", verdict.Pays);
        json.WriteString("form", PlanReport.FormName(verdict.Form));
        json.WriteNumber("factor", verdict.Factor);
        json.WriteNumberOrNull("predicted_time_factor", verdict.TimeFactor);
        json.WriteNumber("first_layer_ceiling", verdict.Ceiling);
        json.WriteNumber("pays_up_to_rows", verdict.RowsMax);
        json.WriteNumberOrNull("pays_from_inputs", verdict.InputsMin);
        json.WriteNumberOrNull("pays_from_epochs", verdict.EpochsMin);
        json.WriteEndObject();
    }
}
