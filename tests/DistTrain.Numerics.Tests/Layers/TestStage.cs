using System.Numerics;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Tests.Layers;

/// <summary>A <see cref="StageProgram{T}"/> with all the memory that it needs for a number of rows.</summary>
internal sealed class TestStage<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Tensor<T>[] _parameters, _gradients;

    public TestStage(NetworkSpec network, int rows, LossKind? loss = null, int first = 0, int? count = null, int factoredRows = 0, bool leavesInput = false, bool byKernels = false)
    {
        Network = network;
        int layers = count ?? network.Layers.Count - first;
        Program = byKernels
            ? new StageProgram<T>(network, first, layers, loss, factoredRows, leavesInput) { Small = null }
            : new StageProgram<T>(network, first, layers, loss, factoredRows, leavesInput);
        _parameters = Program.Parameters.Select(p => new Tensor<T>(p.Rows, p.Columns)).ToArray();
        _gradients = Program.Parameters.Select(p => new Tensor<T>(p.GradientRows, p.GradientColumns)).ToArray();
        Parameters = _parameters.Select(p => p.View).ToArray();
        Gradients = _gradients.Select(p => p.View).ToArray();
        Input = new Tensor<T>(rows, Program.InputWidth);
        Output = new Tensor<T>(rows, Program.OutputWidth);
        Target = new Tensor<T>(rows, Program.OutputWidth);
        Signal = new Tensor<T>(rows, Program.OutputWidth);
        InputSignal = new Tensor<T>(rows, Program.InputWidth);
        Stash = new Tensor<T>(1, Program.StashLength(rows));
        Initialize(network, 1);
    }

    public NetworkSpec Network { get; }

    public StageProgram<T> Program { get; }

    public TensorView<T>[] Parameters { get; }

    public TensorView<T>[] Gradients { get; }

    public Tensor<T> Input { get; }

    public Tensor<T> Output { get; }

    public Tensor<T> Target { get; }

    public Tensor<T> Signal { get; }

    public Tensor<T> InputSignal { get; }

    public Tensor<T> Stash { get; }

    public ComputeScratch Scratch { get; } = new();

    public PassContext Context { get; set; } = new(Seed: 7, Step: 3, FirstSample: 5, Training: true);

    public double RowWeight { get; set; } = 1;

    public void Initialize(NetworkSpec network, ulong seed)
    {
        for (int i = 0; i < Parameters.Length; i++)
        {
            ParameterInitializer.Fill(network, Program.Parameters[i], seed, Parameters[i].Span);
        }
    }

    public TensorView<T> Parameter(string name) => Parameters[IndexOf(name)];

    public TensorView<T> Gradient(string name) => Gradients[IndexOf(name)];

    public int Forward(IForkJoin? fork = null)
        => Program.Forward(PassWith(fork));

    public LossResult Loss(bool evaluation = false)
        => Program.Loss(Output.View, Stash.View, Target.View, evaluation ? default : Signal.View, RowWeight, Scratch);

    public void Backward(bool accumulate = false, bool inputSignal = true, IForkJoin? fork = null)
        => BackwardWith(Parameters, accumulate, inputSignal, fork);

    public void BackwardWith(TensorView<T>[] feedback, bool accumulate = false, bool inputSignal = true, IForkJoin? fork = null)
        => Program.BackwardWith(
            PassWith(fork), feedback, new StageSignals<T>(Signal.View, inputSignal ? InputSignal.View : default, Gradients, accumulate));

    public StagePass<T> PassWith(IForkJoin? fork = null) => new(Parameters, Input.View, Output.View, Stash.View, Context, Scratch, fork);

    /// <summary>Forward, loss and backward.</summary>
    public LossResult Pass(bool accumulate = false, IForkJoin? fork = null)
    {
        Forward(fork);
        LossResult loss = Loss();
        Backward(accumulate, fork: fork);
        return loss;
    }

    public void Dispose()
    {
        foreach (Tensor<T> tensor in _parameters.Concat(_gradients).Concat([Input, Output, Target, Signal, InputSignal, Stash]))
        {
            tensor.Dispose();
        }

        Scratch.Dispose();
    }

    private int IndexOf(string name) => Program.Parameters.Select(p => p.Name).ToList().IndexOf(name);
}

/// <summary>Values for tests.</summary>
internal static class TestValues
{
    /// <summary>Fills with numbers of [low, high) that depend on the seed.</summary>
    public static void Fill<T>(Span<T> values, ulong seed, double low = -1, double high = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var stream = new RandomStream(seed, RandomPurpose.GeneratedData);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateChecked(stream.Uniform(i, low, high));
        }
    }

    /// <summary>The bits of values, so that −0, NaN and the last bit count in comparisons.</summary>
    public static ulong[] Bits<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var bits = new ulong[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            bits[i] = values[i] is double d
                ? BitConverter.DoubleToUInt64Bits(d)
                : BitConverter.SingleToUInt32Bits(float.CreateChecked(values[i]));
        }

        return bits;
    }
}
