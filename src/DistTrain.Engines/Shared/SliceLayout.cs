using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>Where each tensor of a stage, and its gradient, lies in the stage's slices.</summary>
internal sealed class SliceLayout
{
    private readonly ParameterSpec[] _parameters;
    private readonly int[] _slices, _offsets, _gradientOffsets;

    public SliceLayout(RunPlan plan, StagePlan stage)
    {
        _parameters = [.. stage.Parameters];
        _slices = new int[_parameters.Length];
        _offsets = new int[_parameters.Length];
        _gradientOffsets = new int[_parameters.Length];
        Dictionary<string, (int Slice, int Offset, int GradientOffset)> places = new(StringComparer.Ordinal);
        for (int slice = 0; slice < stage.Slices.Count; slice++)
        {
            int offset = 0, gradientOffset = 0;
            foreach (ParameterSpec parameter in plan.Slices[stage.Slices[slice]].Parameters)
            {
                places.Add(parameter.Name, (slice, offset, gradientOffset));
                offset += parameter.Length;
                gradientOffset += parameter.GradientLength;
            }
        }

        for (int i = 0; i < _parameters.Length; i++)
        {
            (_slices[i], _offsets[i], _gradientOffsets[i]) = places[_parameters[i].Name];
        }

        Lengths = [.. stage.Slices.Select(slice => plan.Slices[slice].Length)];
        GradientLengths = [.. stage.Slices.Select(slice => plan.Slices[slice].GradientLength)];
    }

    /// <summary>Values in each of the stage's slices.</summary>
    public IReadOnlyList<int> Lengths { get; }

    /// <summary>Values in the gradient of each.</summary>
    public IReadOnlyList<int> GradientLengths { get; }

    /// <summary>The slice, by its position in the stage, that begins with a tensor.</summary>
    public int SliceBeginningWith(int parameter)
    {
        InvariantException.Require(_gradientOffsets[parameter] == 0, "A stage's first tensor is the first of its slice.");
        return _slices[parameter];
    }

    /// <summary>Where each of the stage's tensors has its values: the slice, by its position in the stage.</summary>
    public int SliceOf(int parameter) => _slices[parameter];

    /// <summary>Takes a buffer for the gradient of each slice that has none.</summary>
    /// <param name="pool">The buffers.</param>
    /// <param name="slices">The gradients.</param>
    /// <param name="room">Values of the room behind each; nothing for no room.</param>
    public unsafe void RentMissing<T>(BufferPool pool, Span<BufferHandle> slices, ReadOnlySpan<long> room = default)
        where T : unmanaged
    {
        for (int slice = 0; slice < slices.Length; slice++)
        {
            if (slices[slice].IsNone)
            {
                slices[slice] = pool.Rent(GradientLengths[slice] * (long)sizeof(T), room.IsEmpty ? 0 : room[slice] * sizeof(T));
            }
        }
    }

    /// <summary>Views of the stage's tensors, in layer order, in the given slice buffers.</summary>
    public void Views<T>(BufferPool pool, ReadOnlySpan<BufferHandle> slices, Span<TensorView<T>> views)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < _parameters.Length; i++)
        {
            TensorView<T> slice = pool.View<T>(slices[_slices[i]], 1, Lengths[_slices[i]]);
            views[i] = slice.Slice(_offsets[i], _parameters[i].Rows, _parameters[i].Columns);
        }
    }

    /// <summary>Views of the gradients of the stage's tensors, in layer order, in the given slice buffers.</summary>
    public void GradientViews<T>(BufferPool pool, ReadOnlySpan<BufferHandle> slices, Span<TensorView<T>> views)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < _parameters.Length; i++)
        {
            TensorView<T> slice = pool.View<T>(slices[_slices[i]], 1, GradientLengths[_slices[i]]);
            views[i] = slice.Slice(_gradientOffsets[i], _parameters[i].GradientRows, _parameters[i].GradientColumns);
        }
    }
}
