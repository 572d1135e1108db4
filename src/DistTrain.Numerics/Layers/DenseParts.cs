using System.Numerics;
using DistTrain.Numerics.Layers.Activations;

namespace DistTrain.Numerics.Layers;

/// <summary>What a dense layer with a weight of its own is made of.</summary>
/// <param name="Index">Position in the network.</param>
/// <param name="Inputs">Columns of its input.</param>
/// <param name="Outputs">Columns of its output.</param>
/// <param name="Weight">Index of the weight among the stage's parameters.</param>
/// <param name="Bias">Index of the bias, or −1.</param>
/// <param name="Slope">Index of the activation's learned slope, or −1.</param>
/// <param name="Activation">The function behind x Wᵀ + b.</param>
/// <param name="Fused">Whether the loss sends its signal for the pre-activations.</param>
/// <param name="KeepsPreActivation">Whether pre-activations stand in the stash; else they share the output's memory.</param>
internal sealed record DenseParts<T>(
    int Index, int Inputs, int Outputs, int Weight, int Bias, int Slope, Activation<T> Activation, bool Fused, bool KeepsPreActivation)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether the function is the identity.</summary>
    public bool IsIdentity { get; } = Activation.IsIdentity;
}
