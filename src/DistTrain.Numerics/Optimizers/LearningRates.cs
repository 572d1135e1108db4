using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>The learning rate as a function of the step.</summary>
public static class LearningRates
{
    /// <summary>
    /// η × schedule × warm-up at a step. Warm-up: (step + 1) / WarmUpSteps until that is 1. Step: Gamma to the number of whole
    /// StepEvery epochs that have passed. Cosine: ½ (1 + cos(π step / total)), 0 from the last step's end on. Reduce-on-plateau
    /// depends on what was measured, so its factor comes from elsewhere and counts as 1 here.
    /// </summary>
    /// <param name="spec">The optimizer.</param>
    /// <param name="step">From 0.</param>
    /// <param name="totalSteps">Steps of the whole run, at least 1.</param>
    /// <param name="stepsPerEpoch">At least 1.</param>
    public static double At(OptimizerSpec spec, long step, long totalSteps, long stepsPerEpoch)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(totalSteps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepsPerEpoch, 1);
        double factor = spec.Schedule switch
        {
            LearningRateSchedule.Step => ExactMath.Power(spec.Gamma, step / stepsPerEpoch / spec.StepEvery),
            LearningRateSchedule.Cosine => 0.5 * (1 + ExactMath.CosineOfHalfTurns(Math.Min(1, (double)step / totalSteps))),
            _ => 1,
        };
        double warmUp = step + 1 < spec.WarmUpSteps ? (double)(step + 1) / spec.WarmUpSteps : 1;
        return spec.LearningRate * factor * warmUp;
    }
}
