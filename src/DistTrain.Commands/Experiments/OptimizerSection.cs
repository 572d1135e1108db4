using DistTrain.Numerics.Networks;

namespace DistTrain.Commands.Experiments;

/// <summary>Reads the <c>optimizer</c> group; settings that are not given are PyTorch's defaults for that optimizer.</summary>
internal static class OptimizerSection
{
    private static readonly (string Key, OptimizerKind[] Users, Func<OptimizerSpec, object?> Value)[] OwnKeys =
    [
        ("momentum", [OptimizerKind.Sgd, OptimizerKind.RmsProp], spec => spec.Momentum),
        ("nesterov", [OptimizerKind.Sgd], spec => spec.Nesterov),
        ("beta1", [OptimizerKind.Adam, OptimizerKind.AdamW], spec => spec.Beta1),
        ("beta2", [OptimizerKind.Adam, OptimizerKind.AdamW], spec => spec.Beta2),
        ("smoothing", [OptimizerKind.RmsProp, OptimizerKind.AdaDelta], spec => spec.Smoothing),
        (
            "epsilon",
            [OptimizerKind.Adam, OptimizerKind.AdamW, OptimizerKind.RmsProp, OptimizerKind.AdaGrad, OptimizerKind.AdaDelta],
            spec => spec.Epsilon),
    ];

    /// <summary>The optimizer; a stand-in, with problems added, when something is wrong.</summary>
    public static OptimizerSpec Read(MapReader root)
    {
        string expected = $"{{ name: …, learning-rate: … }}, where name is {MapReader.OneOf(Names.Optimizer.Names)}";
        if (root.Required("optimizer", expected) is ConfigScalar)
        {
            // "optimizer: adam" is short for a name with defaults.
            OptimizerKind alone = root.Choice("optimizer", Names.Optimizer) ?? OptimizerKind.Adam;
            return new OptimizerSpec(alone, DefaultLearningRate(root, "optimizer", alone)).WithDefaults();
        }

        if (root.Group("optimizer", expected) is not MapReader reader)
        {
            return new OptimizerSpec(OptimizerKind.Sgd, 0.01).WithDefaults();
        }

        reader.Required("name", MapReader.OneOf(Names.Optimizer.Names));
        OptimizerKind? kind = reader.Choice("name", Names.Optimizer);
        double? rate = reader.Number("learning-rate", NumberRange.Positive);
        if (rate is null && kind is OptimizerKind known && !reader.Has("learning-rate"))
        {
            rate = DefaultLearningRate(reader, "learning-rate", known);
        }

        OptimizerSpec defaults = new OptimizerSpec(kind ?? OptimizerKind.Sgd, rate ?? 0.01).WithDefaults();
        OptimizerSpec spec = Settings(reader, defaults);
        RefuseForeign(reader, kind);
        reader.Finish();
        return spec;
    }

    private static OptimizerSpec Settings(MapReader reader, OptimizerSpec defaults)
    {
        OptimizerSpec spec = defaults with
        {
            Momentum = reader.Number("momentum", NumberRange.BelowOne) ?? defaults.Momentum,
            Nesterov = reader.Flag("nesterov", false),
            WeightDecay = reader.Number("weight-decay", NumberRange.NotNegative) ?? defaults.WeightDecay,
            Beta1 = reader.Number("beta1", NumberRange.BelowOne) ?? defaults.Beta1,
            Beta2 = reader.Number("beta2", NumberRange.BelowOne) ?? defaults.Beta2,
            Smoothing = reader.Number("smoothing", NumberRange.BelowOne) ?? defaults.Smoothing,
            Epsilon = reader.Number("epsilon", NumberRange.Positive) ?? defaults.Epsilon,
            ClipNorm = reader.Number("clip-norm", NumberRange.Positive),
            Schedule = reader.Choice("schedule", Names.LearningRate) ?? defaults.Schedule,
            WarmUpSteps = reader.Whole("warm-up-steps", 0) ?? defaults.WarmUpSteps,
            StepEvery = reader.Whole("step-every", 1) ?? defaults.StepEvery,
            Gamma = reader.Number("gamma", NumberRange.Fraction) ?? defaults.Gamma,
            PlateauPatience = reader.Whole("plateau-patience", 0) ?? defaults.PlateauPatience,
        };
        if (spec.Nesterov && spec.Momentum == 0)
        {
            reader.Problem("nesterov", "Nesterov's form needs momentum; expected `momentum` above 0 beside it");
        }

        return spec;
    }

    /// <summary>The settings that only some optimizers have, for those that this one has.</summary>
    public static IEnumerable<(string Key, object? Value)> OwnSettings(OptimizerSpec spec) =>
        OwnKeys.Where(row => row.Users.Contains(spec.Kind)).Select(row => (row.Key, row.Value(spec)));

    /// <summary>
    /// Keys that an optimizer would ignore are refused: a setting without effect is a mistake that nobody sees.
    /// </summary>
    private static void RefuseForeign(MapReader reader, OptimizerKind? kind)
    {
        foreach ((string key, OptimizerKind[] users, _) in OwnKeys)
        {
            if (kind is OptimizerKind known && reader.Has(key) && !users.Contains(known))
            {
                string names = MapReader.OneOf([.. users.Select(Names.Optimizer.NameOf)]);
                reader.Problem(key, $"{Names.Optimizer.NameOf(known)} has no such setting; expected it with {names} only");
            }
        }
    }

    private static double DefaultLearningRate(MapReader reader, string key, OptimizerKind kind)
    {
        switch (kind)
        {
            case OptimizerKind.Adam or OptimizerKind.AdamW:
                return 0.001;
            case OptimizerKind.RmsProp or OptimizerKind.AdaGrad:
                return 0.01;
            case OptimizerKind.AdaDelta:
                return 1;
            default:
                reader.Problem(
                    key, "sgd has no default learning rate; expected learning-rate, a number above 0 (0.1 is a common start)");
                return 0.01;
        }
    }

    private static OptimizerSpec WithDefaults(this OptimizerSpec spec) => spec with
    {
        WeightDecay = spec.Kind == OptimizerKind.AdamW ? 0.01 : 0,
        Smoothing = spec.Kind switch
        {
            OptimizerKind.RmsProp => 0.99,
            OptimizerKind.AdaDelta => 0.9,
            _ => 0,
        },
        Epsilon = spec.Kind switch
        {
            OptimizerKind.AdaGrad => 1e-10,
            OptimizerKind.AdaDelta => 1e-6,
            _ => 1e-8,
        },
    };
}
