using System.Numerics;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics.Aggregation;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Sequential;

/// <summary>Makes one gradient of the replicas' ones, tensor by tensor: compression there and back, aggregation,
/// clipping.</summary>
internal sealed class SequentialAggregation<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RunPlan _plan;
    private readonly ParameterServerSettings _server;
    private readonly GradientCodec<T> _codec;
    private readonly Tensor<T>[] _combined;
    private readonly Tensor<T>[][] _residuals;
    private readonly byte[] _encoded;
    private readonly IReadOnlyList<ParameterSpec> _parameters;
    private readonly ParameterUpdates<T> _updates;
    private readonly ComputeScratch _scratch;

    public SequentialAggregation(RunPlan plan, IReadOnlyList<ParameterSpec> parameters, ParameterUpdates<T> updates, ComputeScratch scratch)
    {
        (_updates, _scratch) = (updates, scratch);
        _plan = plan;
        _parameters = parameters;
        _server = plan.Settings.ParameterServer;
        _codec = new GradientCodec<T>(_server.Compression, _server.TopKRatio);
        _combined = [.. parameters.Select(parameter => new Tensor<T>(1, parameter.GradientLength))];
        _residuals = [.. Enumerable.Range(0, plan.Settings.Replicas).Select(_ =>
            parameters.Select(parameter => new Tensor<T>(1, _codec.HasResidual ? parameter.Length : 0)).ToArray())];
        _encoded = new byte[parameters.Max(parameter => _codec.EncodedBytes(parameter.Length))];
        Gradients = new TensorView<T>[parameters.Count];
    }

    /// <summary>The step's gradients, in layer order.</summary>
    public TensorView<T>[] Gradients { get; }

    /// <summary>Factor on them, from clipping.</summary>
    public double Scale { get; private set; } = 1;

    /// <summary>Combines the replicas' gradients of a step; they may be overwritten.</summary>
    public void Combine(TensorView<T>[][] replicas)
    {
        if (_server.Compression != CompressionKind.None)
        {
            Compress(replicas);
        }

        if (replicas.Length == 1)
        {
            Alone(replicas[0]);
            return;
        }

        int chosen = _server.Aggregate == Aggregate.Krum ? Choose(replicas) : -1;
        Span<TensorView<T>> tensors = new TensorView<T>[replicas.Length];
        for (int i = 0; i < Gradients.Length; i++)
        {
            for (int replica = 0; replica < replicas.Length; replica++)
            {
                tensors[replica] = replicas[replica][i].Slice(0, 1, replicas[replica][i].Length);
            }

            Gradients[i] = chosen >= 0 ? tensors[chosen] : Aggregated(tensors, _combined[i].View);
        }

        Scale = ClippingFactor();
    }

    public void Dispose()
    {
        foreach (Tensor<T> tensor in _combined.Concat(_residuals.SelectMany(residual => residual)))
        {
            tensor.Dispose();
        }
    }

    /// <summary>The gradients of the only replica are the step's; Krum would choose it too.</summary>
    private void Alone(TensorView<T>[] gradients)
    {
        for (int i = 0; i < gradients.Length; i++)
        {
            Gradients[i] = gradients[i].Slice(0, 1, gradients[i].Length);
        }

        Scale = ClippingFactor();
    }

    private double ClippingFactor() =>
        _plan.Settings.Optimizer.ClipNorm is double clip ? ReplicaAggregation.ClippingFactor(SquaredNorm(), clip) : 1;

    private TensorView<T> Aggregated(ReadOnlySpan<TensorView<T>> replicas, TensorView<T> result)
    {
        ReplicaAggregation.Combine(_server, replicas, result);
        return result;
    }

    private void Compress(TensorView<T>[][] replicas)
    {
        for (int replica = 0; replica < replicas.Length; replica++)
        {
            for (int i = 0; i < Gradients.Length; i++)
            {
                Span<T> gradient = replicas[replica][i].Span, residual = _residuals[replica][i].Span;
                Span<byte> encoded = _encoded.AsSpan(0, _codec.EncodedBytes(gradient.Length));
                _codec.Encode(gradient, residual, encoded, residual);
                _codec.Decode(encoded, gradient);
            }
        }
    }

    private int Choose(TensorView<T>[][] replicas)
    {
        double[] total = new double[replicas.Length * replicas.Length], own = new double[total.Length];
        for (int i = 0; i < Gradients.Length; i++)
        {
            Krum.PairwiseSquaredDistances<T>([.. replicas.Select(replica => replica[i])], own);
            for (int pair = 0; pair < total.Length; pair++)
            {
                total[pair] += own[pair];
            }
        }

        return Krum.Select(total, replicas.Length, _server.ByzantineMax);
    }

    private double SquaredNorm()
    {
        double squares = 0;
        for (int i = 0; i < Gradients.Length; i++)
        {
            squares += _updates.SquaredNorm(_parameters[i], Gradients[i], _scratch);
        }

        return squares;
    }
}
