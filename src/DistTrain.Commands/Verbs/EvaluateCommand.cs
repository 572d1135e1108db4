using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Numerics;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>evaluate</c> verb.</summary>
internal sealed class EvaluateCommand(CommandHost host)
{
    private static readonly string[] Parts = ["test", "train"];

    /// <summary>Prints loss and accuracy on test or training rows.</summary>
    public int Execute(string run, string? part, bool json, string? file)
    {
        if (part is not null && !Parts.Contains(part))
        {
            throw new InvalidInputException($"--data {part}: expected test or train{Nearest.Hint(part, Parts)}");
        }

        TrainedModel model = TrainedModel.Load(run, host, file);
        bool testRows = part is null ? model.Data.Run.TestRows > 0 : part == "test";
        Evaluation result =
            model.Data.Evaluate(model.Experiment.Settings.Network, model.Experiment.Settings.Loss, model.Weights, testRows);
        string name = testRows ? "test" : "train";
        if (json)
        {
            host.Out.Write(Json(name, result));
        }
        else
        {
            string accuracy = result.Accuracy is double share ? $"  accuracy {Words.Percent(share)}" : "";
            host.Out.WriteLine(
                $"{model.Data.NameOf(testRows)}, {Words.Count(result.Rows)} {(testRows ? "test" : "training")} rows:  loss "
                + $"{Words.Loss(result.Loss)}{accuracy}");
        }

        return ExitCodes.Done;
    }

    private static string Json(string part, Evaluation result)
    {
        return JsonText.Object(json =>
        {
            json.WriteString("data", part);
            json.WriteNumber("rows", result.Rows);
            json.WriteNumberOrNull("loss", result.Loss);
            json.WriteNumberOrNull("accuracy", result.Accuracy);
        });
    }
}
