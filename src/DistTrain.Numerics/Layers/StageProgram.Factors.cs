using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <content>Gradients that backward passes left as factors.</content>
public sealed partial class StageProgram<T>
{
    /// <summary>Rows whose factors backward passes left.</summary>
    /// <param name="factors">What the passes took for gradients, of a stage with at least one that is left as factors.</param>
    internal int RowsIn(ReadOnlySpan<TensorView<T>> factors)
    {
        int first = Array.FindIndex(_parameters, parameter => parameter.FactoredRows > 0);
        return new GradientFactors<T>(_parameters[first], factors[first]).Rows;
    }

    /// <summary>
    /// Multiplies out the gradients of weights that backward passes left as factors (<see cref="ParameterSpec.FactoredRows"/>), and forgets the factors: the bits of passes that add the
    /// products themselves, one after the other.
    /// </summary>
    /// <param name="factors">What the passes took for gradients.</param>
    /// <param name="gradients">One for each parameter; those of factored weights, of the weight's shape, receive the sums, the others are left alone.</param>
    /// <param name="passRows">Rows of each pass, in order; at most 512 each.</param>
    /// <param name="accumulate">Whether the first pass adds to the gradients too.</param>
    /// <param name="fork">Threads that share large products.</param>
    /// <exception cref="ArgumentException">The factors have another number of rows than the passes.</exception>
    public void MultiplyOut(
        ReadOnlySpan<TensorView<T>> factors, ReadOnlySpan<TensorView<T>> gradients, ReadOnlySpan<int> passRows, bool accumulate, IForkJoin? fork = null)
    {
        CheckGradients(factors);
        for (int i = 0; i < _parameters.Length; i++)
        {
            if (_parameters[i].FactoredRows == 0)
            {
                continue;
            }

            CheckShape(gradients[i], _parameters[i].Rows, _parameters[i].Columns, _parameters[i].Name);
            GradientFactors<T> both = new(_parameters[i], factors[i]);
            Gemm.MultiplyParts(both.Deltas, both.Inputs, gradients[i], passRows, accumulate, fork);
            both.Clear();
        }
    }
}
