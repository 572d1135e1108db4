using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Storage;

/// <summary>What the buffers of a log depend on: slices, replicas, precision, optimizer and how contributions are encoded.</summary>
internal static class RunFingerprint
{
    /// <summary>The first 64 bits of a SHA-256.</summary>
    public static ulong Of(RunPlan plan)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{plan.Settings.Precision} {plan.Settings.Replicas} {plan.Settings.Optimizer.Kind} {plan.Settings.Method.Name} ");
        text.Append(CultureInfo.InvariantCulture, $"{plan.Settings.ParameterServer.Consistency} {plan.Settings.ParameterServer.Aggregate} ");
        text.Append(CultureInfo.InvariantCulture, $"{plan.Settings.ParameterServer.Compression} {plan.Settings.ParameterServer.TopKRatio:R}\n");
        foreach (SlicePlan slice in plan.Slices)
        {
            text.Append(CultureInfo.InvariantCulture, $"{slice.Index} {slice.Stage} {slice.Shard} {slice.CarriedCount} {slice.OlderVersions}");
            foreach (ParameterSpec parameter in slice.Parameters)
            {
                text.Append(CultureInfo.InvariantCulture, $" {parameter.Name} {parameter.Length} {parameter.GradientLength} {parameter.StateLength}");
            }

            text.Append('\n');
        }

        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
