namespace DistTrain.Numerics.Randomness;

/// <summary>
/// What a random number is drawn for. It is part of every key, so that two uses never see the same numbers.
/// Values are part of the reproducibility contract: never renumber, only append.
/// </summary>
public enum RandomPurpose
{
    /// <summary>Initial weights; layer = layer index, step = parameter index within the layer.</summary>
    Initialization = 1,

    /// <summary>The order of training rows; step = epoch.</summary>
    Shuffle = 2,

    /// <summary>Dropout masks; layer, step, sample = index of the row within the step.</summary>
    Dropout = 3,

    /// <summary>Generated data sets; layer = data set kind, sample = row.</summary>
    GeneratedData = 4,

    /// <summary>A split of rows into training and test rows.</summary>
    Split = 5,

    /// <summary>Fixed feedback matrices; layer = layer index, step = 0 for feedback alignment and 2 for direct feedback
    /// alignment.</summary>
    Feedback = 6,

    /// <summary>Faults and schedules drawn by tests and soak runs.</summary>
    Faults = 7,

    /// <summary>Initial values of the tensors of local rules; layer = the stage's last layer, step = twice the tensor's number
    /// within the stage, and one more for a bias.</summary>
    AuxiliaryInitialization = 8,

    /// <summary>Noise on the values that a learned inverse is fitted to; layer = the stage's first layer, step, sample = index
    /// of the row within the step.</summary>
    InverseNoise = 9,

    /// <summary>Jitter, losses, copies and overtaking of messages in the simulated engine; layer, replica, step and sample stay 0.</summary>
    Simulation = 10,
}
