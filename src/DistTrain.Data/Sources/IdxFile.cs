using System.Buffers.Binary;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>
/// One IDX file: two zero bytes, an element type, the number of dimensions, each dimension as 32 bits, and the elements, all
/// big-endian.
/// </summary>
internal sealed class IdxFile
{
    private const int UnsignedByte = 0x08, SignedByte = 0x09, Int16 = 0x0B, Int32 = 0x0C, Float32 = 0x0D, Float64 = 0x0E;

    private const int BufferBytesMin = 1 << 20;

    private readonly string _path;
    private readonly int _type, _rows, _columns;
    private readonly byte[] _elements;

    private IdxFile(string path, int type, int rows, int columns, byte[] elements) =>
        (_path, _type, _rows, _columns, _elements) = (path, type, rows, columns, elements);

    public static IdxFile Read(string path) => InputFile.Read(path, (stream, bytes) => Read(path, stream, bytes));

    /// <summary>The file as images: the first dimension counts rows, the others are flattened.</summary>
    public RawFeatures ToFeatures()
    {
        if (_rows == 0 || _columns == 0)
        {
            throw new InvalidInputException(
                $"{_path}: it has {_rows} rows of {_columns} values; at least one of each is needed.");
        }

        if (_type == UnsignedByte)
        {
            return new RawBytes(_elements, _rows, _columns);
        }

        double[] values = new double[_rows * _columns];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Element(i);
            if (!double.IsFinite(values[i]))
            {
                throw new InvalidInputException(
                    $"{_path}: row {(i / _columns) + 1}, column {(i % _columns) + 1} is {values[i]}, not a finite number.");
            }
        }

        return new RawDense(values, _rows, _columns);
    }

    /// <summary>The file as labels: one dimension of unsigned bytes.</summary>
    public byte[] ToLabels() => _type == UnsignedByte && _columns == 1 && _rows > 0
        ? _elements
        : throw new InvalidInputException(
            $"{_path}: labels need one dimension of unsigned bytes (magic 0x00000801), "
            + $"and this is type 0x{_type:X2} with {_rows} rows of {_columns}.");

    private static IdxFile Read(string path, Stream stream, long likelyBytes)
    {
        byte[] head = new byte[4];
        int got = stream.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        int size = SizeOf(head[2]);
        if (got < 4 || head[0] != 0 || head[1] != 0 || size == 0 || head[3] is < 1 or > 8)
        {
            string found = got < 4 ? $"{got} bytes" : $"0x{BinaryPrimitives.ReadUInt32BigEndian(head):X8}";
            throw new InvalidInputException(
                $"{path}: not an IDX file: it starts with {found}; "
                + "images of bytes start with 0x00000803, labels with 0x00000801.");
        }

        byte[] sizes = new byte[4 * head[3]];
        int sizesRead = stream.ReadAtLeast(sizes, sizes.Length, throwOnEndOfStream: false);
        if (sizesRead < sizes.Length)
        {
            throw new InvalidInputException(
                $"{path}: cut short: {4 + sizesRead} bytes are there and the header alone needs {4 + sizes.Length}.");
        }

        long rows = BinaryPrimitives.ReadUInt32BigEndian(sizes), columns = 1;
        for (int i = 4; i < sizes.Length; i += 4)
        {
            columns = Math.Min(Array.MaxLength + 1L, columns * BinaryPrimitives.ReadUInt32BigEndian(sizes.AsSpan(i)));
        }

        // Both factors are below 2^32, so their product fits, and the element size is kept out of it.
        if (columns > Array.MaxLength || rows * columns > Array.MaxLength / size)
        {
            throw new InvalidInputException(
                $"{path}: {rows} rows of {columns} values are more than the {Array.MaxLength:N0} bytes that one file may hold.");
        }

        byte[] elements = ReadElements(path, stream, (int)(rows * columns * size), 4 + sizes.Length, likelyBytes);
        return new IdxFile(path, head[2], (int)rows, (int)columns, elements);
    }

    /// <summary>
    /// Reads exactly <paramref name="needed"/> bytes. Beyond <paramref name="likelyBytes"/> the buffer grows as bytes arrive, so that a damaged header cannot demand
    /// gigabytes.
    /// </summary>
    private static byte[] ReadElements(string path, Stream stream, int needed, int headerBytes, long likelyBytes)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(needed, Math.Max(BufferBytesMin, likelyBytes)));
        int got = 0;
        while (got < needed)
        {
            if (got == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(needed, buffer.Length * 2L));
            }

            int read = stream.Read(buffer, got, buffer.Length - got);
            if (read == 0)
            {
                throw new InvalidInputException(
                    $"{path}: cut short: {(long)headerBytes + got} bytes are there "
                    + $"and its header needs {(long)headerBytes + needed}.");
            }

            got += read;
        }

        return stream.ReadByte() < 0
            ? buffer
            : throw new InvalidInputException(
                $"{path}: there are more bytes than the {(long)headerBytes + needed} that its header needs.");
    }

    private static int SizeOf(int type) => type switch
    {
        UnsignedByte or SignedByte => 1,
        Int16 => 2,
        Int32 or Float32 => 4,
        Float64 => 8,
        _ => 0,
    };

    private double Element(int index) => _type switch
    {
        SignedByte => (sbyte)_elements[index],
        Int16 => BinaryPrimitives.ReadInt16BigEndian(_elements.AsSpan(index * 2)),
        Int32 => BinaryPrimitives.ReadInt32BigEndian(_elements.AsSpan(index * 4)),
        Float32 => BinaryPrimitives.ReadSingleBigEndian(_elements.AsSpan(index * 4)),
        _ => BinaryPrimitives.ReadDoubleBigEndian(_elements.AsSpan(index * 8)),
    };
}
