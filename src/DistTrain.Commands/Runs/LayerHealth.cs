namespace DistTrain.Commands.Runs;

/// <summary>How a layer does on some training rows, in evaluation form; NaN where a figure means nothing for it.</summary>
/// <param name="Layer">For example <c>layers.0</c>.</param>
/// <param name="Zero">Share of its outputs that are zero.</param>
/// <param name="Dead">Share of its units that are zero for every row.</param>
/// <param name="Saturated">Share of its outputs within 0.01 of a bound of tanh or sigmoid.</param>
/// <param name="GradientNorm">Euclidean norm of the mean loss's gradient by its parameters.</param>
/// <param name="UpdateRatio">Norm of the change of its parameters since the last measurement, a step, over their norm.</param>
internal sealed record LayerHealth(string Layer, double Zero, double Dead, double Saturated, double GradientNorm, double UpdateRatio);
