using System.Reflection;
using Akka.Actor;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;
using Shouldly;
using Xunit;
using Envelope = DistTrain.Protocol.Messages.Envelope;

namespace DistTrain.Akka.Tests.Wire;

public sealed class RoundTripTests
{
    private static readonly byte[] Contents = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];

    [Fact]
    public void EveryMessageOfTheActorsComesOutAsItWentIn()
    {
        using BufferPool pool = new();
        EnvelopePacker packer = new(new PoolBytes(pool));
        WireSerializer serializer = new(null!);
        foreach ((string tag, Type type) in MessageCatalog.All)
        {
            Envelope sent = new((7L << 40) + 3, 2, new ActorId(5), 6, new ActorId(8), 9, 10, 11, Sample(type, pool));
            PackedEnvelope packed = packer.Pack(sent);
            packed.Manifest.ShouldBe($"{tag}/{WireContract.Version}");
            object arrived = serializer.FromBinary(serializer.ToBinary(packed), serializer.Manifest(packed));
            Envelope received = arrived.ShouldBeOfType<ArrivedEnvelope>().Open(new PoolBytes(pool));
            (received with { Message = sent.Message }).ShouldBe(sent);
            foreach (PropertyInfo field in type.GetConstructors().Single().GetParameters().Select(parameter => type.GetProperty(parameter.Name!)!))
            {
                object? one = field.GetValue(sent.Message), other = field.GetValue(received.Message);
                if (one is BufferHandle buffer && !buffer.IsNone)
                {
                    pool.Bytes((BufferHandle)other!).ToArray().ShouldBe(pool.Bytes(buffer).ToArray(), tag);
                }
                else if (one is int[] numbers)
                {
                    ((int[])other!).ShouldBe(numbers);
                }
                else
                {
                    other.ShouldBe(one, tag);
                }
            }
        }
    }

    [Fact]
    public void ATensorTakesItsOwnBytesAndFewMore()
    {
        using BufferPool pool = new();
        BufferHandle buffer = pool.Rent(30_000);
        PackedEnvelope packed = new EnvelopePacker(new PoolBytes(pool)).Pack(
            new Envelope(1, 1, new ActorId(1), 1, new ActorId(2), 1, 1, 1, new Signal(1, 0, buffer)));
        packed.Bytes.Length.ShouldBeLessThan(30_000 + 64);
    }

    [Fact]
    public void EveryMessageOfTheNodesComesOutAsItWentIn()
    {
        WireSerializer serializer = new(null!);
        foreach (ClusterSchema schema in ClusterSchema.All)
        {
            object[] values = [.. schema.Fields.Select(field => Sample(field.Kind))];
            var sent = (ClusterMessage)schema.Type.GetConstructors().Single().Invoke(values);
            object received = serializer.FromBinary(serializer.ToBinary(sent), serializer.Manifest(sent));
            received.ShouldBeOfType(schema.Type);
            received.ToString().ShouldBe(sent.ToString());
            ClusterSchema.Of(sent).Write((ClusterMessage)received).ShouldBe(ClusterSchema.Of(sent).Write(sent));
        }
    }

    [Fact]
    public void BytesThatAreCutOrFollowedBySomethingAreRefused()
    {
        using BufferPool pool = new();
        WireSerializer serializer = new(null!);
        PackedEnvelope packed = new EnvelopePacker(new PoolBytes(pool)).Pack(
            new Envelope(1, 1, new ActorId(1), 1, new ActorId(2), 1, 1, 1, new Weights(3, 1, Filled(pool), BufferHandle.None)));
        for (int length = 0; length < packed.Bytes.Length; length += 7)
        {
            serializer.FromBinary(packed.Bytes[..length], packed.Manifest).ShouldBeOfType<RefusedMessage>();
        }

        serializer.FromBinary([.. packed.Bytes, 1], packed.Manifest).ShouldBeOfType<RefusedMessage>();
        serializer.FromBinary(packed.Bytes, "weights/0").ShouldBeOfType<RefusedMessage>();
        serializer.FromBinary(packed.Bytes, "System.Object, mscorlib").ShouldBeOfType<RefusedMessage>();
    }

    [Fact]
    public void AnArrayThatClaimsMoreThanItsBytesAllocatesNothing()
    {
        // An array of 2^31 − 1 integers in a begin-epoch of a few bytes.
        byte[] lie = [0x9a, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0xdd, 0x7f, 0xff, 0xff, 0xff];
        long before = GC.GetAllocatedBytesForCurrentThread();
        new WireSerializer(null!).FromBinary(lie, $"begin-epoch/{WireContract.Version}").ShouldBeOfType<RefusedMessage>();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1 << 20);
    }

    private static Message Sample(Type type, BufferPool pool)
    {
        ConstructorInfo constructor = type.GetConstructors().Single();
        ParameterInfo[] parameters = constructor.GetParameters();
        object[] values = [.. parameters.Select((parameter, index) => Sample(parameter.ParameterType, index, pool))];
        return (Message)constructor.Invoke(values);
    }

    private static object Sample(Type type, int index, BufferPool pool) =>
        type == typeof(BufferHandle) ? Filled(pool)
        : type == typeof(int[]) ? new[] { 1, -2, int.MaxValue }
        : type == typeof(double) ? (index % 2 == 0 ? double.NaN : -0.1)
        : type == typeof(bool) ? true
        : type == typeof(long) ? long.MaxValue - index
        : type.IsEnum ? Enum.GetValues(type).GetValue(Enum.GetValues(type).Length - 1)!
        : int.MinValue + index;

    private static BufferHandle Filled(BufferPool pool)
    {
        BufferHandle buffer = pool.Rent(Contents.Length);
        Contents.CopyTo(pool.Bytes(buffer));
        return buffer;
    }

    private static object Sample(ClusterFieldKind kind) => kind switch
    {
        ClusterFieldKind.Int32 => -7,
        ClusterFieldKind.Int64 => long.MinValue,
        ClusterFieldKind.Boolean => true,
        ClusterFieldKind.String => "größer",
        ClusterFieldKind.Bytes => Contents,
        ClusterFieldKind.Strings => new[] { "", "b" },
        _ => new[] { 0, -1, 300 },
    };
}
