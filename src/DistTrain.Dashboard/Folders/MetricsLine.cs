using System.Text.Json;

namespace DistTrain.Dashboard.Folders;

/// <summary>What a line of a metrics log is about.</summary>
internal enum MetricsLineType
{
    /// <summary>Nothing that is known.</summary>
    None,

    /// <summary>A committed step.</summary>
    Step,

    /// <summary>A completed epoch.</summary>
    Epoch,

    /// <summary>A layer's health.</summary>
    Health,
}

/// <summary>A line of a metrics log; NaN for figures that it lacks.</summary>
internal struct MetricsLine
{
    public MetricsLineType Type;
    public int Restart, Epoch;
    public long Step, TotalSteps;
    public string? Layer;
    public double Elapsed, Loss, Accuracy, LearningRate, TrainLoss, TrainAccuracy, TestLoss, TestAccuracy;
    public double Zero, Dead, Saturated, GradientNorm, UpdateRatio;

    /// <summary>Parses a line. Throws <see cref="JsonException"/>, <see cref="InvalidOperationException"/> or <see cref="FormatException"/> where it is none.</summary>
    public static MetricsLine Parse(ReadOnlySpan<byte> text)
    {
        MetricsLine line = new()
        {
            Loss = double.NaN, Accuracy = double.NaN, LearningRate = double.NaN, TrainLoss = double.NaN, TrainAccuracy = double.NaN,
            TestLoss = double.NaN, TestAccuracy = double.NaN, Zero = double.NaN, Dead = double.NaN, Saturated = double.NaN,
            GradientNorm = double.NaN, UpdateRatio = double.NaN,
        };
        Utf8JsonReader json = new(text);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("not an object");
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            line.Take(ref json);
        }

        return line;
    }

    private static double Number(ref Utf8JsonReader json) => json.TokenType == JsonTokenType.Number ? json.GetDouble() : double.NaN;

    private void Take(ref Utf8JsonReader json)
    {
        ReadOnlySpan<byte> key = json.ValueSpan;
        json.Read();
        if (key.SequenceEqual("type"u8))
        {
            Type = json.ValueTextEquals("step"u8) ? MetricsLineType.Step
                : json.ValueTextEquals("epoch"u8) ? MetricsLineType.Epoch
                : json.ValueTextEquals("health"u8) ? MetricsLineType.Health
                : MetricsLineType.None;
        }
        else if (key.SequenceEqual("step"u8))
        {
            Step = json.GetInt64();
        }
        else if (key.SequenceEqual("loss"u8))
        {
            Loss = Number(ref json);
        }
        else if (key.SequenceEqual("accuracy"u8))
        {
            Accuracy = Number(ref json);
        }
        else if (key.SequenceEqual("learning_rate"u8))
        {
            LearningRate = Number(ref json);
        }
        else if (key.SequenceEqual("elapsed_seconds"u8))
        {
            Elapsed = Number(ref json);
        }
        else if (key.SequenceEqual("total_steps"u8))
        {
            TotalSteps = json.GetInt64();
        }
        else if (key.SequenceEqual("restart"u8))
        {
            Restart = json.GetInt32();
        }
        else
        {
            TakeRare(key, ref json);
        }
    }

    private void TakeRare(ReadOnlySpan<byte> key, ref Utf8JsonReader json)
    {
        if (key.SequenceEqual("layer"u8))
        {
            Layer = json.GetString();
        }
        else if (key.SequenceEqual("epoch"u8))
        {
            Epoch = json.GetInt32();
        }
        else if (json.TokenType is JsonTokenType.Number or JsonTokenType.Null)
        {
            double value = Number(ref json);
            _ = key.SequenceEqual("train_loss"u8) ? TrainLoss = value
                : key.SequenceEqual("train_accuracy"u8) ? TrainAccuracy = value
                : key.SequenceEqual("test_loss"u8) ? TestLoss = value
                : key.SequenceEqual("test_accuracy"u8) ? TestAccuracy = value
                : key.SequenceEqual("zero"u8) ? Zero = value
                : key.SequenceEqual("dead"u8) ? Dead = value
                : key.SequenceEqual("saturated"u8) ? Saturated = value
                : key.SequenceEqual("gradient_norm"u8) ? GradientNorm = value
                : key.SequenceEqual("update_ratio"u8) ? UpdateRatio = value
                : value;
        }
        else
        {
            json.Skip();
        }
    }
}
