using System.Numerics;
using System.Runtime.InteropServices;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>The parameters before the first step: given, or a function of the seed.</summary>
internal static class InitialParameters
{
    public static void Fill<T>(RunRequest request, RunPlan plan, ParameterSpec parameter, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (request.InitialWeights?.GetValueOrDefault(parameter.Name) is byte[] given)
        {
            MemoryMarshal.Cast<byte, T>(given).CopyTo(values);
        }
        else if (LocalRules.IsAuxiliary(parameter))
        {
            LocalRuleSpec rule = plan.Stages.First(stage => stage.Parameters.Contains(parameter)).Rule!;
            LocalRules.Initialize(rule, parameter, plan.Settings.Seed, values);
        }
        else
        {
            ParameterInitializer.Fill(plan.Settings.Network, parameter, plan.Settings.Seed, values);
        }
    }
}
