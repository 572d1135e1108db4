using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// Multiplications in the first layer over a whole run, evaluation, one-time work and expansion included: for each row of a
/// step and unit backpropagation takes 2d, the
/// Gram form N (its gradient is the signal itself), the basis form 2r.
/// </summary>
public sealed class FrontContributionCost
{
    private readonly double _rows, _testRows, _inputs, _outputs, _trained, _evaluated, _expansions;

    /// <summary>The cost of a run whose first layer starts with W x.</summary>
    public FrontContributionCost(RunSettings settings, int trainRows, int testRows)
    {
        ArgumentNullException.ThrowIfNull(settings);
        TrainingSettings training = settings.Training;
        (_rows, _testRows, _inputs) = (trainRows, testRows, settings.Network.Inputs);
        _outputs = ContributedSpec.OutputsOf(settings.Network.Layers[0]);
        _trained = _rows * training.Epochs;
        _evaluated = _rows + (_testRows * Math.Ceiling((double)training.Epochs / training.EvaluateEvery));
        _expansions = settings.Optimizer.Momentum > 0 ? 2 : 1;
    }

    /// <summary>Backpropagation.</summary>
    public double Backprop => _outputs * _inputs * ((2 * _trained) + _evaluated);

    /// <summary>One-time work of the Gram form: K, the test rows' part, S₀, the expansion.</summary>
    public double GramOnce =>
        (_rows * _rows * _inputs / 2) + (_testRows * _rows * _inputs) + FirstOutputs + (_expansions * _rows * _inputs * _outputs);

    /// <summary>The Gram form.</summary>
    public double Gram => GramOnce + (_outputs * _rows * (_trained + _evaluated));

    /// <summary>One-time work of the basis form: the basis, where it is not the identity, coordinates, S₀, the
    /// expansion.</summary>
    public double BasisOnce => _rows < _inputs
        ? (2 * _rows * _rows * _inputs) + (_testRows * _rows * _inputs) + FirstOutputs + (_expansions * _rows * _inputs * _outputs)
        : FirstOutputs;

    /// <summary>The basis form.</summary>
    public double Basis => BasisOnce + (_outputs * Math.Min(_rows, _inputs) * ((2 * _trained) + _evaluated));

    private double FirstOutputs => (_rows + _testRows) * _inputs * _outputs;

    /// <summary>The form with fewer multiplications. Several shares have the Gram form alone.</summary>
    public ContributionForm Cheaper(int shares) => shares > 1 || Gram <= Basis ? ContributionForm.Gram : ContributionForm.Basis;
}
