using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// The blocked product for one vector width and tile shape, after Goto and van de Geijn, "Anatomy of High-Performance Matrix
/// Multiplication", ACM TOMS 34, 2008. An operand is packed where it is reused enough to pay for that.
/// </summary>
internal static unsafe partial class GemmBlocks<T, TVector, TSimd, TShape>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : ISimd<TVector, T>
    where TShape : ITileShape
{
    private const int PanelColumnsMax = 64;

    private static bool IsWide => TSimd.Count * sizeof(T) == 64;

    /// <summary>Whether what tiles of 6 rows leave of 128, 256 or 16 rows is computed by tiles of 4: a tile of 6 takes as long for 2 rows as for 6.</summary>
    private static bool EndsInLowTiles => !IsWide && TShape.Rows == 6;

    private static int TileColumns => TShape.Vectors * TSimd.Count;

    /// <summary>Runs the product; k is at least 1.</summary>
    public static void Run(in GemmProblem<T> problem, GemmPath path)
    {
        // Rows of a left operand are read in place as fast as from panels, and a right operand is until it is read very often.
        // The columns of a transposed one are panels as they are, if tiles fit them and one k is not far from the next.
        bool panels = problem.TransposeA && problem.StrideA <= (problem.K <= GemmBlocks.ShallowK ? 2 : 1) * PanelColumnsMax && problem.M % TShape.Rows == 0 && path == GemmPath.Best;
        bool packA = (problem.TransposeA && !panels) || path == GemmPath.Packed;
        bool packB = problem.TransposeB || path == GemmPath.Packed || (path == GemmPath.Best && IsReadOften(problem));
        bool isFar = !packB && !packA && !panels && IsFar(problem);
        bool whole = problem.Sink is null && !isFar && HasWholeTiles(problem.M, !packA && !panels) && problem.N % TileColumns == 0 && problem.K <= GemmReference.BlockK;
        if (whole && !packA && !packB && !problem.TurnC && problem.Diagonal == GemmProblem<T>.WholeProduct
            && (long)problem.M * problem.K <= GemmBlocks.BlockM * GemmReference.BlockK)
        {
            if (panels)
            {
                RunWhole<LeftInPanels>(problem, 1);
            }
            else
            {
                RunWhole<OfAllRows<LeftInPlace>>(problem, problem.StrideA);
            }
        }
        else if (isFar)
        {
            Run<RightOnManyPages>(problem, packA, packB);
        }
        else if (packA || panels)
        {
            Run<LeftInPanels>(problem, packA, packB);
        }
        else
        {
            Run<LeftInPlace>(problem, packA, packB);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TOperands>(in GemmProblem<T> problem, bool packA, bool packB)
        where TOperands : ITileOperands
    {
        PackingBuffers buffers = PackingBuffers.Current;
        T* left = (T*)buffers.Left, right = (T*)buffers.Right;
        int blockM = problem.Sink is null ? GemmBlocks.BlockM : GemmBlocks.SunkM;
        blockM -= blockM % TShape.Rows;
        int blockN = BlockColumns(problem, packA, packB);
        int acrossBlocks = (problem.N + blockN - 1) / blockN, deepBlocks = (problem.K + GemmReference.BlockK - 1) / GemmReference.BlockK;
        bool acrossFirst = SweepsAcross(problem), goesAlong = GoesAlong(problem);
        for (int block = 0; block < acrossBlocks * deepBlocks; block++)
        {
            int j = (acrossFirst ? block % acrossBlocks : block / deepBlocks) * blockN, p = (acrossFirst ? block / acrossBlocks : block % deepBlocks) * GemmReference.BlockK;
            int columns = Math.Min(Math.Min(blockN, problem.N - j), problem.M + problem.Diagonal - j);
            if (columns <= 0)
            {
                continue;
            }

            int depth = Math.Min(GemmReference.BlockK, problem.K - p);
            T* b = problem.B + (problem.TransposeB ? (j * problem.StrideB) + p : (p * problem.StrideB) + j);

            // In place, the last panel still needs packing when a vector would read past its columns.
            int inPlace = packB ? 0 : columns - (columns % TileColumns);
            if (inPlace < columns)
            {
                PackRight(problem, b + inPlace, depth, columns - inPlace, right);
            }

            for (int i = 0; i < problem.M; i += blockM)
            {
                int rows = Math.Min(blockM, problem.M - i);
                T* a = problem.A + (problem.TransposeA ? (p * problem.StrideA) + i : (i * problem.StrideA) + p);
                if (packA)
                {
                    PackLeft(problem, a, depth, rows, left);
                    a = left;
                }

                Part part = new()
                {
                    Rows = rows,
                    Depth = depth,
                    Add = p > 0 || problem.Accumulate,
                    Bias = p + depth == problem.K && problem.Bias != null ? problem.Bias + (problem.TurnC ? i : j) : null,
                    C = problem.TurnC ? problem.C + (j * problem.StrideC) + i : problem.C + (i * problem.StrideC) + j,
                    StrideC = problem.StrideC,
                    TurnC = problem.TurnC,
                    A = a,
                    StrideA = packA ? TShape.Rows : problem.StrideA,
                    StepA = packA ? depth : problem.TransposeA ? 1 : problem.StrideA,
                    Diagonal = problem.Diagonal + i - j,
                    GoesAlong = goesAlong,
                };
                if (problem.Sink is not null)
                {
                    part.C = (T*)buffers.Product;
                    part.StrideC = columns;
                }

                RunPanels<TOperands>(part, b, problem.StrideB, inPlace, 0);
                if (inPlace < columns)
                {
                    RunPanels<TOperands>(part, right, 0, columns - inPlace, inPlace);
                }

                problem.Sink?.Take(part.C, problem.FirstRow + i, rows, j, columns);
            }
        }
    }

    /// <summary>A small product of whole tiles, where setting up blocks would take longer than to multiply.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunWhole<TOperands>(in GemmProblem<T> problem, nint stepA)
        where TOperands : ITileOperands
    {
        nint strideA = problem.StrideA, strideB = problem.StrideB, strideC = problem.StrideC;
        int m = problem.M, n = problem.N, k = problem.K;
        bool add = problem.Accumulate;
        if (IsWide && k <= GemmBlocks.ShallowK)
        {
            RunAlong<TOperands>(problem, stepA);
            return;
        }

        for (int j = 0; j < n; j += TileColumns)
        {
            T* b = problem.B + j, bias = problem.Bias == null ? null : problem.Bias + j, a = problem.A, c = problem.C + j;
            for (int i = 0; i < m;)
            {
                int height = HeightOf(m - i, !TOperands.LeftPacked);
                if (EndsInLowTiles && height == Tile4By2.Rows)
                {
                    GemmTile<T, TVector, TSimd, Tile4By2, TOperands>.Run(a, strideA, height, b, strideB, k, c, strideC, add, bias);
                }
                else
                {
                    GemmTile<T, TVector, TSimd, TShape, TOperands>.Run(a, strideA, height, b, strideB, k, c, strideC, add, bias);
                }

                i += height;
                a += height * stepA;
                c += height * strideC;
            }
        }
    }

    /// <summary>The same row by row of tiles: a tile is computed so soon that what it is written to should be foreseen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunAlong<TOperands>(in GemmProblem<T> problem, nint stepA)
        where TOperands : ITileOperands
    {
        nint strideA = problem.StrideA, strideB = problem.StrideB, strideC = problem.StrideC;
        int n = problem.N, k = problem.K;
        bool add = problem.Accumulate;
        for (int i = 0; i < problem.M; i += TShape.Rows)
        {
            T* a = problem.A + (i * stepA), b = problem.B, c = problem.C + (i * strideC), bias = problem.Bias;
            for (int j = 0; j < n; j += TileColumns)
            {
                GemmTile<T, TVector, TSimd, TShape, TOperands>.Run(a, strideA, TShape.Rows, b, strideB, k, c, strideC, add, bias);
                b += TileColumns;
                c += TileColumns;
                bias += bias == null ? 0 : TileColumns;
            }
        }
    }

    /// <summary>Rows of the next tile of so many that are left. Two tiles of 4 in place of one of 6 and one of 2; in panels every tile but the last has their height.</summary>
    private static int HeightOf(int left, bool inPlace) =>
        EndsInLowTiles && inPlace && left == 2 * Tile4By2.Rows ? Tile4By2.Rows : Math.Min(left, TShape.Rows);

    /// <summary>Whether tiles of so many rows are all as high as their kind.</summary>
    private static bool HasWholeTiles(int rows, bool inPlace)
    {
        int rest = rows % TShape.Rows;
        return rest == 0 || (EndsInLowTiles && inPlace && (rest == 4 || (rest == 2 && rows >= 8)));
    }

    /// <summary>All tiles of <paramref name="columns"/> columns of c; a stride of 0 stands for packed panels.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPanels<TOperands>(in Part part, T* b, nint strideB, int columns, int firstColumn)
        where TOperands : ITileOperands
    {
        // On cache lines of its own what was just written is read back at once. Eight rows are transposed whatever the tile's height.
        byte* memory = stackalloc byte[(Math.Max(8, TShape.Rows) * TileColumns * sizeof(T)) + 64];
        T* edge = (T*)(((nint)memory + 63) & -64);
        nint step = strideB == 0 ? TileColumns : strideB, panelStep = strideB == 0 ? part.Depth : 1;
        if (part.GoesAlong)
        {
            for (int i = 0; i < part.Rows; i += TShape.Rows)
            {
                int height = Math.Min(TShape.Rows, part.Rows - i), end = Math.Min(columns, part.Diagonal + i + height - firstColumn);
                for (int j = 0; j < end; j += TileColumns)
                {
                    RunTile<TOperands>(part, i, height, firstColumn + j, Math.Min(TileColumns, columns - j), b + (j * panelStep), step, edge);
                }
            }

            return;
        }

        for (int j = 0; j < columns; j += TileColumns)
        {
            T* panel = b + (j * panelStep);
            int width = Math.Min(TileColumns, columns - j);
            if (EndsInLowTiles && !TOperands.LeftPacked && !part.TurnC && width <= TSimd.Count && firstColumn + j + width <= part.Diagonal + 1)
            {
                RunNarrowPanel<TOperands>(part, panel, step, firstColumn + j, width, edge);
                continue;
            }

            // Tiles wholly right of the diagonal are not asked for.
            int above = Math.Max(0, firstColumn + j - part.Diagonal) / TShape.Rows * TShape.Rows;
            for (int i = above; i < part.Rows;)
            {
                int height = HeightOf(part.Rows - i, !TOperands.LeftPacked);
                RunTile<TOperands>(part, i, height, firstColumn + j, width, panel, step, edge);
                i += height;
            }
        }
    }

    /// <summary>Columns that fill no more than one vector, by tiles of eight rows of one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunNarrowPanel<TOperands>(in Part part, T* panel, nint step, int j, int width, T* edge)
        where TOperands : ITileOperands
    {
        for (int i = 0; i < part.Rows; i += Tile8By1.Rows)
        {
            RunTileOf<Tile8By1, TOperands>(part, i, Math.Min(Tile8By1.Rows, part.Rows - i), j, width, panel, step, edge);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunTile<TOperands>(in Part part, int i, int height, int j, int width, T* panel, nint step, T* edge)
        where TOperands : ITileOperands
    {
        if (part.TurnC)
        {
            T* a = part.A + (i * part.StepA), c = part.C + (j * part.StrideC) + i, bias = part.Bias == null ? null : part.Bias + i;
            if (!TOperands.LeftPacked && height == TShape.Rows)
            {
                GemmTile<T, TVector, TSimd, TShape, OfAllRows<TOperands>>.Run(a, part.StrideA, height, panel, step, part.Depth, edge, TileColumns, add: false, bias: null);
            }
            else
            {
                GemmTile<T, TVector, TSimd, TShape, TOperands>.Run(a, part.StrideA, height, panel, step, part.Depth, edge, TileColumns, add: false, bias: null);
            }

            GemmTurnedStore.Store(edge, TileColumns, height, width, c, part.StrideC, part.Add, bias);
        }
        else
        {
            if (TShape.Rows == 8 && TShape.Vectors == 2 && Math.Min(width, part.Diagonal + i + height - j) <= TSimd.Count)
            {
                // Of the second vector nothing is asked for.
                RunTileOf<Tile8By1, TOperands>(part, i, height, j, Math.Min(width, TSimd.Count), panel, step, edge);
                return;
            }

            if (EndsInLowTiles && height <= Tile4By2.Rows)
            {
                RunTileOf<Tile4By2, TOperands>(part, i, height, j, width, panel, step, edge);
            }
            else
            {
                RunTileOf<TShape, TOperands>(part, i, height, j, width, panel, step, edge);
            }
        }
    }

    /// <summary>A tile straight into c, or by way of <paramref name="edge"/> where c has no room for all of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunTileOf<TTile, TOperands>(in Part part, int i, int height, int j, int width, T* panel, nint step, T* edge)
        where TTile : ITileShape
        where TOperands : ITileOperands
    {
        T* a = part.A + (i * part.StepA), c = part.C + (i * part.StrideC) + j, bias = part.Bias == null ? null : part.Bias + j;
        bool whole = height == TTile.Rows && width == TTile.Vectors * TSimd.Count;
        if (whole && !TOperands.LeftPacked)
        {
            GemmTile<T, TVector, TSimd, TTile, OfAllRows<TOperands>>.Run(a, part.StrideA, height, panel, step, part.Depth, c, part.StrideC, part.Add, bias);
            return;
        }

        GemmTile<T, TVector, TSimd, TTile, TOperands>.Run(
            a, part.StrideA, height, panel, step, part.Depth, whole ? c : edge, whole ? part.StrideC : TileColumns, whole && part.Add, whole ? bias : null);
        if (!whole)
        {
            GemmTile<T, TVector, TSimd, TShape, TOperands>.Merge(edge, TileColumns, height, width, c, part.StrideC, part.Add, bias);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackLeft(in GemmProblem<T> problem, T* source, int depth, int rows, T* target)
    {
        if (problem.TransposeA)
        {
            GemmPacking.Copy(source, problem.StrideA, depth, rows, TShape.Rows, target);
        }
        else
        {
            GemmPacking.Transpose(source, problem.StrideA, depth, rows, TShape.Rows, target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackRight(in GemmProblem<T> problem, T* source, int depth, int columns, T* target)
    {
        if (problem.TransposeB)
        {
            GemmPacking.Transpose(source, problem.StrideB, depth, columns, TileColumns, target);
        }
        else
        {
            GemmPacking.Copy(source, problem.StrideB, depth, columns, TileColumns, target);
        }
    }

    /// <summary>A block of rows over a block of k.</summary>
    private struct Part
    {
        public T* A, C, Bias;
        public nint StrideA, StepA, StrideC;
        public int Rows, Depth, Diagonal;
        public bool Add, TurnC, GoesAlong;
    }
}
