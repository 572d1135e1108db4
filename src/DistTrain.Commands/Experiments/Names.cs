using DistTrain.Data;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>How experiment files call the values of enumerations.</summary>
internal static class Names
{
    public static NameTable<Precision> Precision { get; } =
        new(("float32", Numerics.Precision.Float32), ("float64", Numerics.Precision.Float64));

    public static NameTable<ActivationKind> Activation { get; } = new(
        ("linear", ActivationKind.Linear),
        ("relu", ActivationKind.Relu),
        ("leaky-relu", ActivationKind.LeakyRelu),
        ("prelu", ActivationKind.Prelu),
        ("elu", ActivationKind.Elu),
        ("tanh", ActivationKind.Tanh),
        ("sigmoid", ActivationKind.Sigmoid),
        ("softmax", ActivationKind.Softmax));

    public static NameTable<InitializerKind> Initializer { get; } = new(
        ("glorot", InitializerKind.Glorot),
        ("he", InitializerKind.He),
        ("lecun", InitializerKind.LeCun),
        ("uniform", InitializerKind.Uniform));

    public static NameTable<LossKind> Loss { get; } = new(
        ("half-squared-error", LossKind.HalfSquaredError),
        ("squared-error", LossKind.SquaredError),
        ("cross-entropy", LossKind.CrossEntropy),
        ("binary-cross-entropy", LossKind.BinaryCrossEntropy));

    public static NameTable<OptimizerKind> Optimizer { get; } = new(
        ("sgd", OptimizerKind.Sgd),
        ("adam", OptimizerKind.Adam),
        ("adamw", OptimizerKind.AdamW),
        ("rmsprop", OptimizerKind.RmsProp),
        ("adagrad", OptimizerKind.AdaGrad),
        ("adadelta", OptimizerKind.AdaDelta));

    public static NameTable<LearningRateSchedule> LearningRate { get; } = new(
        ("constant", LearningRateSchedule.Constant),
        ("step", LearningRateSchedule.Step),
        ("cosine", LearningRateSchedule.Cosine),
        ("reduce-on-plateau", LearningRateSchedule.ReduceOnPlateau));

    public static NameTable<Consistency> Consistency { get; } = new(
        ("sync", Protocol.Settings.Consistency.Sync),
        ("async", Protocol.Settings.Consistency.Async),
        ("ssp", Protocol.Settings.Consistency.Ssp));

    public static NameTable<Aggregate> Aggregate { get; } = new(
        ("mean", Protocol.Settings.Aggregate.Mean),
        ("median", Protocol.Settings.Aggregate.Median),
        ("trimmed-mean", Protocol.Settings.Aggregate.TrimmedMean),
        ("krum", Protocol.Settings.Aggregate.Krum));

    public static NameTable<CompressionKind> Compression { get; } = new(
        ("none", CompressionKind.None),
        ("fp16", CompressionKind.Fp16),
        ("int8", CompressionKind.Int8),
        ("top-k", CompressionKind.TopK));

    public static NameTable<ContributionForm> Form { get; } = new(
        ("auto", ContributionForm.Auto),
        ("gram", ContributionForm.Gram),
        ("basis", ContributionForm.Basis));

    public static NameTable<Collapse> Collapse { get; } = new(
        ("input", Protocol.Settings.Collapse.Input),
        ("all", Protocol.Settings.Collapse.All));

    public static NameTable<Durability> Durability { get; } = new(
        ("memory", Protocol.Settings.Durability.Memory),
        ("step", Protocol.Settings.Durability.Step),
        ("power", Protocol.Settings.Durability.Power));

    public static NameTable<GeneratedKind> Generated { get; } = new(
        ("xor", GeneratedKind.Xor),
        ("spirals", GeneratedKind.Spirals),
        ("blobs", GeneratedKind.Blobs),
        ("glyphs", GeneratedKind.Glyphs));

    public static NameTable<Standardization> Standardize { get; } = new(
        ("false", Standardization.None),
        ("true", Standardization.Features),
        ("features", Standardization.Features),
        ("global", Standardization.Global));

    /// <summary>Sources of data, files first.</summary>
    public static IReadOnlyList<string> Sources { get; } = ["idx", "csv", "libsvm", .. Generated.Names];

    /// <summary>Kinds of layers.</summary>
    public static IReadOnlyList<string> Layers { get; } = ["dense", "maxout", "k-competitive", "dropout"];
}
