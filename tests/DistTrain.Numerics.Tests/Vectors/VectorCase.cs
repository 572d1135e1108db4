using System.Text.Json;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;

namespace DistTrain.Numerics.Tests.Vectors;

/// <summary>
/// A reference trajectory (PyTorch, float64): a network, its initial parameters, batches, and what comes out of 12 steps. The
/// file depends on DistTrain.Numerics only, so that other test projects can link it together with the JSON files beside it.
/// </summary>
internal sealed class VectorCase
{
    private VectorCase(JsonElement json)
    {
        Name = json.GetProperty("case").GetString()!;
        Network = new NetworkSpec(
            json.GetProperty("inputs").GetInt32(),
            json.GetProperty("layers").EnumerateArray().Select(ReadLayer).ToArray());
        Loss = Enum.Parse<LossKind>(Pascal(json.GetProperty("loss").GetString()!));
        Optimizer = ReadOptimizer(json.GetProperty("optimizer"));
        Initial = ReadParameters(json.GetProperty("initial"));
        Batches = json.GetProperty("batches").EnumerateArray()
            .Select(b => new Batch(ReadMatrix(b.GetProperty("x")), ReadMatrix(b.GetProperty("target")))).ToArray();
        Steps = json.GetProperty("steps").GetInt32();
        OutputOfStep0 = ReadMatrix(json.GetProperty("output_of_step_0"));
        GradientsOfStep0 = ReadParameters(json.GetProperty("gradients_of_step_0"));
        Losses = json.GetProperty("losses").EnumerateArray().Select(v => v.GetDouble()).ToArray();
        Final = ReadParameters(json.GetProperty("final"));
    }

    /// <summary>A row-major matrix.</summary>
    public sealed record Matrix(int Rows, int Columns, double[] Values);

    /// <summary>Inputs and targets of a step.</summary>
    public sealed record Batch(Matrix Inputs, Matrix Targets);

    public string Name { get; }

    public NetworkSpec Network { get; }

    public LossKind Loss { get; }

    public OptimizerSpec Optimizer { get; }

    /// <summary>
    /// By parameter name (<c>layers.0.weight</c>), as are <see cref="GradientsOfStep0"/> and <see cref="Final"/>.
    /// </summary>
    public IReadOnlyDictionary<string, Matrix> Initial { get; }

    /// <summary>Step s trains on batch s % count.</summary>
    public IReadOnlyList<Batch> Batches { get; }

    public int Steps { get; }

    public Matrix OutputOfStep0 { get; }

    public IReadOnlyDictionary<string, Matrix> GradientsOfStep0 { get; }

    /// <summary>Mean loss of every step's batch, before its update.</summary>
    public IReadOnlyList<double> Losses { get; }

    public IReadOnlyDictionary<string, Matrix> Final { get; }

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Vectors");

    /// <summary>Names of all cases, in order.</summary>
    public static IReadOnlyList<string> Names { get; } = Directory.GetFiles(Folder, "*.json")
        .Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal).ToArray();

    /// <summary>Reads one case.</summary>
    public static VectorCase Load(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json")));
        return new VectorCase(json.RootElement);
    }

    private static LayerSpec ReadLayer(JsonElement json) => json.GetProperty("kind").GetString() switch
    {
        "dense" => new DenseSpec(
            json.GetProperty("units").GetInt32(),
            Enum.Parse<ActivationKind>(Pascal(json.GetProperty("activation").GetString()!))),
        "maxout" => new MaxoutSpec(json.GetProperty("units").GetInt32(), json.GetProperty("pieces").GetInt32()),
        "k-competitive" => new KCompetitiveSpec(
            json.GetProperty("units").GetInt32(), json.GetProperty("k").GetInt32(), json.GetProperty("alpha").GetDouble()),
        string other => throw new InvalidDataException($"Unknown layer {other}."),
        null => throw new InvalidDataException("A layer without a kind."),
    };

    private static OptimizerSpec ReadOptimizer(JsonElement json)
    {
        OptimizerKind kind = Enum.Parse<OptimizerKind>(json.GetProperty("name").GetString()!, ignoreCase: true);
        OptimizerSpec spec = OptimizerDefaults.For(kind, json.GetProperty("learning-rate").GetDouble());
        return spec with
        {
            Momentum = json.TryGetProperty("momentum", out JsonElement momentum) ? momentum.GetDouble() : spec.Momentum,
            Nesterov = json.TryGetProperty("nesterov", out JsonElement nesterov) && nesterov.GetBoolean(),
            WeightDecay = json.TryGetProperty("weight-decay", out JsonElement decay) ? decay.GetDouble() : spec.WeightDecay,
        };
    }

    private static SortedDictionary<string, Matrix> ReadParameters(JsonElement json)
    {
        var result = new SortedDictionary<string, Matrix>(StringComparer.Ordinal);
        int layer = 0;
        foreach (JsonElement parameters in json.EnumerateArray())
        {
            foreach (JsonProperty parameter in parameters.EnumerateObject())
            {
                result.Add($"layers.{layer}.{parameter.Name}", ReadMatrix(parameter.Value));
            }

            layer++;
        }

        return result;
    }

    // A vector is a matrix of one row.
    private static Matrix ReadMatrix(JsonElement json)
    {
        JsonElement[] rows = json[0].ValueKind == JsonValueKind.Array ? json.EnumerateArray().ToArray() : [json];
        double[] values = rows.SelectMany(row => row.EnumerateArray()).Select(value => value.GetDouble()).ToArray();
        return new Matrix(rows.Length, values.Length / rows.Length, values);
    }

    private static string Pascal(string kebab)
        => string.Concat(kebab.Split('-').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
}
