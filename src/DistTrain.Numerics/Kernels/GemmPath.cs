namespace DistTrain.Numerics.Kernels;

/// <summary>Which way a product is computed. All give the same bits.</summary>
internal enum GemmPath
{
    /// <summary>Chosen by shape.</summary>
    Best,

    /// <summary>Operands are read in place where their layout allows it.</summary>
    InPlace,

    /// <summary>Both operands are packed.</summary>
    Packed,

    /// <summary>Plain loops.</summary>
    Reference,
}
