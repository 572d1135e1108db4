using System.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;

namespace DistTrain.Numerics.Tests.Learning;

/// <summary>What tests of learning methods share.</summary>
internal static class LearningCases
{
    /// <summary>Three to six layers of all kinds without ties, and a softmax layer of three units.</summary>
    public static NetworkSpec RandomNetwork(ulong seed)
    {
        var random = new RandomStream(seed, RandomPurpose.GeneratedData, layer: 77);
        var layers = new List<LayerSpec>();
        ActivationKind[] activations = Enum.GetValues<ActivationKind>();
        for (int i = 0; i < 3 + random.Below(0, 4); i++)
        {
            int units = 3 + random.Below((10 * i) + 1, 8);
            bool bias = random.Below((10 * i) + 2, 2) == 0;
            layers.Add(random.Below((10 * i) + 3, 6) switch
            {
                0 => new DropoutSpec(0.3),
                1 => new MaxoutSpec(units, 1 + random.Below((10 * i) + 4, 3), bias),
                2 => new KCompetitiveSpec(units, 1 + random.Below((10 * i) + 5, units), 1.2, bias),
                _ => new DenseSpec(units, activations[random.Below((10 * i) + 6, activations.Length)], bias),
            });
        }

        return new NetworkSpec(5, [.. layers, new DenseSpec(3, ActivationKind.Softmax)]);
    }

    /// <summary>Inputs in [−1, 1) and one-hot targets.</summary>
    public static void Fill<T>(TestStage<T> stage, ulong seed = 5)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TestValues.Fill(stage.Input.Span, seed);
        for (int row = 0; row < stage.Target.Rows; row++)
        {
            stage.Target.View.Row(row)[row % stage.Target.Columns] = T.One;
        }
    }

    /// <summary>Within a tolerance relative to the largest expected value.</summary>
    public static void ShouldBeClose<T>(ReadOnlySpan<T> values, ReadOnlySpan<double> expected, double tolerance, string name = "")
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        values.Length.ShouldBe(expected.Length);
        double largest = 0;
        foreach (double e in expected)
        {
            largest = Math.Max(largest, Math.Abs(e));
        }

        for (int i = 0; i < values.Length; i++)
        {
            double.CreateChecked(values[i]).ShouldBe(expected[i], tolerance * largest, $"{name}[{i}]");
        }
    }
}
