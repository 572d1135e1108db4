using System.Reflection;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Tests.Wire;

/// <summary>One message of each type for each row of extreme values.</summary>
internal static class SampleMessages
{
    private static readonly int[] Integers = [int.MinValue, int.MaxValue, 0, -1];
    private static readonly long[] Longs = [long.MinValue, long.MaxValue, 0, 1L << 53];

    private static readonly double[] Doubles =
    [
        BitConverter.Int64BitsToDouble(0x7FF8_0000_DEAD_BEEF), double.NegativeInfinity, -0.0, double.Epsilon,
    ];

    private static readonly int[][] Arrays = [[], [int.MinValue, 0, int.MaxValue], [.. Enumerable.Range(0, 1000)], [-1]];

    public static int Variants => Integers.Length;

    public static IEnumerable<Message> All(ByteBuffers buffers) =>
        from entry in MessageCatalog.All from variant in Enumerable.Range(0, Variants) select Make(entry.Type, variant, buffers);

    public static Message Make(Type type, int variant, ByteBuffers buffers)
    {
        ConstructorInfo constructor = type.GetConstructors().Single();
        object[] arguments = [.. constructor.GetParameters().Select(parameter => Value(parameter.ParameterType, variant, buffers))];
        return (Message)constructor.Invoke(arguments);
    }

    public static Envelope Wrap(Message message, int variant) => new(
        Longs[variant], Integers[variant], new ActorId(Integers[variant]), Integers[variant], new ActorId(Integers[variant]), Integers[variant],
        Longs[variant], Longs[variant], message);

    private static object Value(Type type, int variant, ByteBuffers buffers) =>
        type == typeof(int) ? Integers[variant]
        : type == typeof(long) ? Longs[variant]
        : type == typeof(double) ? Doubles[variant]
        : type == typeof(bool) ? variant % 2 == 0
        : type == typeof(int[]) ? Arrays[variant]
        : type == typeof(BufferHandle) ? Buffer(variant, buffers)
        : type.IsEnum ? Enum.GetValues(type).GetValue(variant % Enum.GetValues(type).Length)!
        : throw new InvalidOperationException($"No sample of {type}.");

    private static BufferHandle Buffer(int variant, ByteBuffers buffers) => variant switch
    {
        0 => BufferHandle.None,
        1 => buffers.Add(),
        2 => buffers.Add([.. Enumerable.Range(0, 1000).Select(value => (byte)value)]),
        _ => buffers.Add(255),
    };
}
