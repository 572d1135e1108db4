using DistTrain.Numerics;

namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>Draws starts until backpropagation's run shows the transition that is asked for, at every learning rate.</summary>
internal static class StartSearch
{
    private const int DrawsMax = 5_000;

    /// <summary>The first fitting draw of a seed.</summary>
    /// <exception cref="InvalidInputException">None of 5,000 draws fits; most likely the run is too short for a unit to
    /// die.</exception>
    public static (Start Start, Sample Input) Find(
        ulong seed, Transition transition, bool allInputs, IReadOnlyList<double> learningRates, int iterations, CancellationToken stop)
    {
        for (int draw = 0; draw < DrawsMax; draw++)
        {
            stop.ThrowIfCancellationRequested();
            (Start start, Sample input) = (Start.Draw(seed, draw), Start.DrawSample(seed, draw));
            IReadOnlyList<Sample> inputs = allInputs ? Sample.Xor : [input];
            if (learningRates.All(rate => Shown(start, inputs, rate, iterations) == transition))
            {
                return (start, input);
            }
        }

        string missing = transition == Transition.Dies ? "dies" : "stays active";
        throw new InvalidInputException(
            $"paper front-contribution: in {DrawsMax} draws of seed {seed} no unit {missing} within {iterations} iterations at every learning rate; give {(transition == Transition.Dies ? "more" : "fewer")} --iterations or other --learning-rates");
    }

    /// <summary>What happens in a run of backpropagation; null where no unit is active at the start, one is for a while
    /// only, or the run diverges.</summary>
    public static Transition? Shown(Start start, IReadOnlyList<Sample> inputs, double learningRate, int iterations)
    {
        BackpropagationUnit[] units = [new(start.First), new(start.Second)];
        (int Unit, int Input)[] active = [.. from unit in Enumerable.Range(0, units.Length)
                                             from input in Enumerable.Range(0, inputs.Count)
                                             where units[unit].IsActive(inputs[input])
                                             select (unit, input)];
        TwoUnits network = new(units[0], units[1]);
        bool interrupted = false;
        for (int iteration = 0; iteration < iterations && active.Length > 0; iteration++)
        {
            network.Step(inputs[iteration % inputs.Count], learningRate);
            interrupted |= Array.Exists(active, pair => !units[pair.Unit].IsActive(inputs[pair.Input]));
        }

        bool finite = inputs.All(x => double.IsFinite(network.Output(x)));
        if (active.Length == 0 || !finite)
        {
            return null;
        }

        bool dead = Array.Exists(active, pair => !units[pair.Unit].IsActive(inputs[pair.Input]));
        return dead ? Transition.Dies : interrupted ? null : Transition.StaysActive;
    }
}
