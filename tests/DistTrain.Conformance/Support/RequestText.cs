using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Conformance.Support;

/// <summary>A request as text, for engines whose actors live in other processes..</summary>
internal static class RequestText
{
    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { NameLayers } },
    };

    /// <summary>The text of a request.</summary>
    public static string Of(RunRequest request)
    {
        Rows train = request.Data.Precision == Precision.Float32 ? RowsOf(request.Data.As<float>().Train) : RowsOf(request.Data.As<double>().Train);
        Rows? test = request.Data.TestRows == 0 ? null
            : request.Data.Precision == Precision.Float32 ? RowsOf(request.Data.As<float>().Test!) : RowsOf(request.Data.As<double>().Test!);
        Whole whole = new(request.Settings, train, test, request.InitialWeights, request.Byzantine);
        return JsonSerializer.Serialize(whole, Json);
    }

    /// <summary>What a child makes of the text.</summary>
    public static ChildExperiment Read(string text)
    {
        Whole whole = JsonSerializer.Deserialize<Whole>(text, Json)!;
        return new ChildExperiment(
            whole.Settings,
            () => whole.Settings.Precision == Precision.Float32 ? Data<float>(whole) : Data<double>(whole),
            _ => whole.InitialWeights,
            whole.Byzantine);
    }

    private static Rows RowsOf<T>(DataSet<T> set)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int[] all = [.. Enumerable.Range(0, set.Rows)];
        T[] inputs = new T[set.Rows * set.Inputs], targets = new T[set.Rows * set.Targets];
        set.CopyInputs(all, inputs);
        set.CopyTargets(all, targets);
        return new Rows(set.Name, set.Inputs, set.Targets, set.TargetsAreClasses, Bytes(inputs), Bytes(targets));
    }

    private static byte[] Bytes<T>(T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static RunData Data<T>(Whole whole)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        RunData.From(new TrainTest<T>(SetOf<T>(whole.Train), whole.Test is null ? null : SetOf<T>(whole.Test)));

    private static DataSet<T> SetOf<T>(Rows rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] inputs = MemoryMarshal.Cast<byte, T>(rows.InputValues).ToArray(), targets = MemoryMarshal.Cast<byte, T>(rows.TargetValues).ToArray();
        if (!rows.AreClasses)
        {
            return DataSet<T>.FromVectors(rows.Name, rows.Inputs, inputs, rows.Targets, targets);
        }

        int[] labels = [.. targets.Chunk(rows.Targets).Select(oneHot => Array.FindIndex(oneHot, value => value == T.One))];
        return DataSet<T>.FromLabels(rows.Name, rows.Inputs, inputs, labels, rows.Targets);
    }

    private static void NameLayers(JsonTypeInfo type)
    {
        if (type.Type == typeof(LayerSpec))
        {
            type.PolymorphismOptions = new JsonPolymorphismOptions();
            foreach (Type layer in typeof(LayerSpec).Assembly.GetTypes().Where(layer => layer.IsSubclassOf(typeof(LayerSpec))))
            {
                type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(layer, layer.Name));
            }
        }
    }

    private sealed record Rows(string Name, int Inputs, int Targets, bool AreClasses, byte[] InputValues, byte[] TargetValues);

    private sealed record Whole(
        RunSettings Settings, Rows Train, Rows? Test, IReadOnlyDictionary<string, byte[]>? InitialWeights, IReadOnlyList<ByzantineReplica> Byzantine);
}
