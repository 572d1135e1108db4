using System.Numerics;
using System.Runtime.InteropServices;
using DistTrain.Numerics;

namespace DistTrain.Data;

/// <summary>Name, element type and shape of a tensor in a safetensors file.</summary>
/// <param name="Name">For example <c>layers.0.weight</c>; unique in its file.</param>
/// <param name="DType">The format's name of the element type, for example <c>F32</c> or <c>F64</c>.</param>
/// <param name="Shape">Sizes, outermost first; empty for a single value.</param>
public record SafetensorsEntry(string Name, string DType, IReadOnlyList<int> Shape);

/// <summary>A tensor with its bytes: little-endian, row-major.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">The format's name of the element type.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="Data">Number of elements × bytes of an element.</param>
public sealed record SafetensorsTensor(string Name, string DType, IReadOnlyList<int> Shape, ReadOnlyMemory<byte> Data)
    : SafetensorsEntry(Name, DType, Shape)
{
    /// <summary>
    /// The elements in row-major order. Throws <see cref="InvalidInputException"/> unless the type is F16, F32 or F64; a narrower
    /// type than the file's rounds.
    /// </summary>
    public T[] ToValues<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => DType switch
        {
            "F16" => Convert<Half, T>(),
            "F32" => Convert<float, T>(),
            "F64" => Convert<double, T>(),
            _ => throw new InvalidInputException(
                $"The tensor '{Name}' has the type {DType}; F16, F32 and F64 can be read as numbers."),
        };

    private T[] Convert<TStored, T>()
        where TStored : unmanaged, IBinaryFloatingPointIeee754<TStored>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ReadOnlySpan<TStored> stored = MemoryMarshal.Cast<byte, TStored>(Data.Span);
        T[] values = new T[stored.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating(stored[i]);
        }

        return values;
    }
}
