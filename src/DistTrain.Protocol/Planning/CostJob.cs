namespace DistTrain.Protocol.Planning;

/// <summary>What one job costs on any machine.</summary>
/// <param name="Flops">Floating-point operations, a multiply-add counted as two.</param>
/// <param name="Bytes">Bytes read and written, each operand once.</param>
public readonly record struct CostJob(double Flops, double Bytes);
