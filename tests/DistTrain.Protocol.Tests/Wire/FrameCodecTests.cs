using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Wire;

public sealed class FrameCodecTests
{
    private const string Signal =
        """{"tag":"signal","run":7,"epoch":1,"from":2,"from-incarnation":1,"to":1,"to-incarnation":1,"sequence":3,"acknowledges":2,"step":5,"micro-batch":0,"buffer":{"offset":0,"length":2}}""";

    private static readonly int Inputs =
        Environment.GetEnvironmentVariable("DISTTRAIN_FUZZ_INPUTS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 50_000;

    [Fact]
    public void EveryMessageRoundTripsWithExtremeValues()
    {
        using FrameCodec codec = new();
        ByteBuffers sent = new();
        int variant = 0;
        foreach (Message message in SampleMessages.All(sent))
        {
            Envelope envelope = SampleMessages.Wrap(message, variant++ % SampleMessages.Variants);
            ByteBuffers received = new();
            codec.Read(Frame(codec, envelope, sent), received, out Envelope read);
            (read with { Message = envelope.Message }).ShouldBe(envelope);
            ShouldBeSame(read.Message, received, message, sent);
        }
    }

    [Fact]
    public void BuffersThatAreStillOnTheWireAreReadTheSame()
    {
        using FrameCodec codec = new();
        ByteBuffers sent = new();
        foreach (Message message in SampleMessages.All(sent))
        {
            byte[] frame = Frame(codec, SampleMessages.Wrap(message, 0), sent);
            int header = (int)BinaryPrimitives.ReadUInt32LittleEndian(frame.AsSpan(4)), start = WireLimits.PrefixBytes + header;
            ByteBuffers received = new();
            Rest payload = new(frame, start);
            codec.Read(frame.AsSpan(WireLimits.PrefixBytes, header), frame.Length - start, payload, received, out Envelope read);
            ShouldBeSame(read.Message, received, message, sent);
            payload.Position.ShouldBe(frame.Length);
        }
    }

    [Fact]
    public void NothingOfThePayloadIsReadBehindAHeaderThatIsWrong()
    {
        using FrameCodec codec = new();
        Rest payload = new([1, 2], 0);
        ByteBuffers received = new();
        byte[] header = Encoding.UTF8.GetBytes(Signal.Replace("\"length\":2", "\"length\":3", StringComparison.Ordinal));
        Should.Throw<FrameException>(() => codec.Read(header, 2, payload, received, out _));
        (payload.Position, received.Count).ShouldBe((0, 0));
    }

    [Fact]
    public void AFrameLooksAsDocumented()
    {
        using FrameCodec codec = new();
        ByteBuffers buffers = new();
        Envelope envelope = new(7, 1, new ActorId(2), 1, new ActorId(1), 1, 3, 2, new Signal(5, 0, buffers.Add(0xAB, 0xCD)));
        byte[] frame = Frame(codec, envelope, buffers);
        frame.ShouldBe(Join(Signal, 0xAB, 0xCD));
        BinaryPrimitives.ReadUInt32LittleEndian(frame).ShouldBe((uint)(frame.Length - 4));
    }

    [Fact]
    public void ANaNKeepsItsBitsAndANegativeZeroItsSign()
    {
        using FrameCodec codec = new();
        foreach (long bits in new[] { 0x7FF0_0000_0000_0001, unchecked((long)0xFFF8_0000_0000_0000), long.MinValue, 1, 0x3FB9_9999_9999_999A })
        {
            var message = new Decision(1, BitConverter.Int64BitsToDouble(bits), 0);
            codec.Read(Frame(codec, SampleMessages.Wrap(message, 2), new ByteBuffers()), new ByteBuffers(), out Envelope read);
            BitConverter.DoubleToInt64Bits(((Decision)read.Message).GradientScale).ShouldBe(bits);
        }
    }

    [Theory]
    [InlineData("\"tag\":\"signal\"", "\"tag\":\"no-such\"", "the tag 'no-such' is unknown")]
    [InlineData("\"tag\":\"signal\"", "\"tag\":3", "'tag' is not a string")]
    [InlineData("\"tag\":\"signal\",", "", "the header does not start with 'tag'")]
    [InlineData("\"step\":5,", "", "the field 'step' is missing")]
    [InlineData("\"run\":7,", "", "the field 'run' is missing")]
    [InlineData("\"step\":5", "\"step\":5,\"step\":5", "the field 'step' is there twice")]
    [InlineData("\"step\":5", "\"step\":5,\"pace\":5", "'signal' has no field 'pace'")]
    [InlineData("\"step\":5", "\"\\u0073tep\":5", "'signal' has no field")]
    [InlineData("\"step\":5", "\"step\":\"5\"", "the field 'step' is no Int64")]
    [InlineData("\"step\":5", "\"step\":9223372036854775808", "the field 'step' is no Int64")]
    [InlineData("\"micro-batch\":0", "\"micro-batch\":2147483648", "the field 'micro-batch' is no Int32")]
    [InlineData("\"micro-batch\":0", "\"micro-batch\":0.5", "the field 'micro-batch' is no Int32")]
    [InlineData("\"offset\":0", "\"offset\":1", "the buffer 'buffer' is 2 bytes from 1 on, where 2 from 0 on are left")]
    [InlineData("\"offset\":0", "\"offset\":-1", "the buffer 'buffer' is 2 bytes from -1 on")]
    [InlineData("\"length\":2", "\"length\":3", "the buffer 'buffer' is 3 bytes from 0 on")]
    [InlineData("\"length\":2", "\"length\":2147483647", "the buffer 'buffer' is 2147483647 bytes")]
    [InlineData("\"length\":2", "\"length\":-2", "the buffer 'buffer' is -2 bytes")]
    [InlineData("\"length\":2", "\"length\":1", "1 bytes after the last buffer belong to nothing")]
    [InlineData("{\"offset\":0,\"length\":2}", "null", "2 bytes after the last buffer belong to nothing")]
    [InlineData("{\"offset\":0,\"length\":2}", "{\"offset\":0}", "the field 'buffer' is no Buffer")]
    [InlineData("{\"offset\":0,\"length\":2}", "[[[[]]]]", "the field 'buffer' is no Buffer")]
    [InlineData("\"offset\":0", "\"offset\":[[0]]", "the header is not JSON")]
    [InlineData("}}", "}", "the header is not JSON")]
    [InlineData("}}", "}}{}", "the header is not JSON")]
    [InlineData("{\"tag\"", "[\"tag\"", "the header is not a JSON object")]
    public void AWrongHeaderIsRefusedWithTheRuleItBreaks(string right, string wrong, string problem)
    {
        ByteBuffers sink = new();
        using FrameCodec codec = new();
        byte[] frame = Join(Signal.Replace(right, wrong, StringComparison.Ordinal), 1, 2);
        Should.Throw<FrameException>(() => codec.Read(frame, sink, out _)).Message.ShouldContain(problem);
        sink.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData("{\"round\":1,\"step\":2,\"split\":\"train\"", "{\"round\":1,\"step\":2,\"split\":\"none\"", "no Enumeration")]
    [InlineData("\"gradient-scale\":\"7ff0000000000000\"", "\"gradient-scale\":\"3ff0000000000000\"", "no Float64")]
    [InlineData("\"gradient-scale\":\"7ff0000000000000\"", "\"gradient-scale\":1e999", "no Float64")]
    [InlineData("\"gradient-scale\":\"7ff0000000000000\"", "\"gradient-scale\":\"7ff\"", "no Float64")]
    [InlineData("\"barrier\":true", "\"barrier\":1", "no Boolean")]
    [InlineData("\"incarnations\":[1,2]", "\"incarnations\":[1,2.5]", "no Int32Array")]
    [InlineData("\"incarnations\":[1,2]", "\"incarnations\":[1,null]", "no Int32Array")]
    public void AWrongValueIsRefusedWhateverItsKind(string right, string wrong, string problem)
    {
        using FrameCodec codec = new();
        Message[] messages =
        [
            new Evaluate(1, 2, DataSplit.Train), new Decision(1, double.PositiveInfinity, 0), new IssueStep(1, 1, true), new BeginEpoch(0, [1, 2], [1, 0]),
        ];
        string rightField = right.TrimStart('{'), wrongField = wrong.TrimStart('{');
        string[] headers = [.. messages.Select(message => Header(Frame(codec, SampleMessages.Wrap(message, 2), new ByteBuffers())))];
        string header = headers.Single(text => text.Contains(rightField, StringComparison.Ordinal));
        byte[] frame = Join(header.Replace(rightField, wrongField, StringComparison.Ordinal));
        Should.Throw<FrameException>(() => codec.Read(frame, new ByteBuffers(), out _)).Message.ShouldContain(problem);
    }

    [Fact]
    public void LengthsThatDoNotMatchTheBytesAreRefused()
    {
        using FrameCodec codec = new();
        byte[] frame = Join(Signal, 1, 2);
        for (int length = 0; length < frame.Length; length++)
        {
            byte[] cut = frame[..length];
            Should.Throw<FrameException>(() => codec.Read(cut, new ByteBuffers(), out _));
        }

        Should.Throw<FrameException>(() => codec.Read([.. frame, 0], new ByteBuffers(), out _)).Message.ShouldContain("the frame says");
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(4), uint.MaxValue);
        Should.Throw<FrameException>(() => codec.Read(frame, new ByteBuffers(), out _)).Message.ShouldContain("the header says");
        BinaryPrimitives.WriteUInt32LittleEndian(frame, uint.MaxValue);
        Should.Throw<FrameException>(() => FrameCodec.FrameLength(frame)).Message.ShouldContain("and this one says 4294967299");
    }

    [Fact]
    public void MutatedFramesAreReadOrRefusedAndNothingElse()
    {
        using FrameCodec codec = new();
        ByteBuffers buffers = new();
        byte[][] frames =
        [
            .. SampleMessages.All(buffers).Select((message, i) => Frame(codec, SampleMessages.Wrap(message, i % SampleMessages.Variants), buffers)),
        ];
        RandomStream random = new(11, RandomPurpose.Faults);
        long draw = 0;
        int read = 0, refused = 0;
        for (int round = 0; round < Inputs; round++)
        {
            byte[] frame = Mutate(frames, random, ref draw);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                codec.Read(frame, new ByteBuffers(), out Envelope envelope);
                _ = MessageCatalog.TagOf(envelope.Message);
                read++;
            }
            catch (FrameException)
            {
                refused++;
            }

            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(40_000 + (8 * frame.Length));
        }

        // Both happen often: mutations of values give other messages, mutations of structure give none.
        read.ShouldBeGreaterThan(Inputs / 50);
        refused.ShouldBeGreaterThan(Inputs / 5);
    }

    [Fact]
    public void ReadingAndWritingAControlMessageBoxesNothing()
    {
        using FrameCodec codec = new();
        ByteBuffers buffers = new();
        ArrayBufferWriter<byte> output = new(4096);
        Envelope envelope = SampleMessages.Wrap(new Prepared(1, 2, 3, -1), 2);
        codec.Write(envelope, buffers, output);
        byte[] frame = output.WrittenSpan.ToArray();
        codec.Read(frame, buffers, out _);
        output.ResetWrittenCount();
        long before = GC.GetAllocatedBytesForCurrentThread();
        codec.Write(envelope, buffers, output);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        before = GC.GetAllocatedBytesForCurrentThread();
        codec.Read(frame, buffers, out _);

        // The message and its envelope.
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThanOrEqualTo(48 + 88);
    }

    private static byte[] Mutate(byte[][] frames, RandomStream random, ref long draw)
    {
        byte[] frame = [.. frames[random.Below(draw++, frames.Length)]];
        int mutations = 1 + random.Below(draw++, 3);
        for (int mutation = 0; mutation < mutations; mutation++)
        {
            int at = random.Below(draw++, Math.Max(1, frame.Length));
            int kind = random.Below(draw++, 5);
            byte value = (byte)random.UInt64(draw++);
            byte[] other = frames[random.Below(draw++, frames.Length)];
            frame = kind switch
            {
                0 => [.. frame[..at], value, .. frame[Math.Min(frame.Length, at + 1)..]],
                1 => [.. frame[..at], (byte)"0123456789-{}[]\",:."[value % 19], .. frame[Math.Min(frame.Length, at + 1)..]],
                2 => frame[..at],
                3 => [.. frame[..at], .. other[Math.Min(at, other.Length)..]],
                _ => [.. frame[..at], .. frame[Math.Min(frame.Length, at + 1 + (value % 8))..]],
            };
            if (frame.Length >= 8 && random.Below(draw++, 4) != 0)
            {
                // Right lengths let the mutation reach the header's parser.
                BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)(frame.Length - 4));
            }
        }

        return frame;
    }

    private static void ShouldBeSame(Message read, ByteBuffers received, Message written, ByteBuffers sent)
    {
        read.GetType().ShouldBe(written.GetType());
        foreach (var property in written.GetType().GetProperties().Where(property => property.GetMethod!.IsStatic == false))
        {
            object? left = property.GetValue(read), right = property.GetValue(written);
            switch (right)
            {
                case double number:
                    BitConverter.DoubleToInt64Bits((double)left!).ShouldBe(BitConverter.DoubleToInt64Bits(number));
                    break;
                case int[] array:
                    ((int[])left!).ShouldBe(array);
                    break;
                case BufferHandle buffer:
                    ((BufferHandle)left!).IsNone.ShouldBe(buffer.IsNone);
                    if (!buffer.IsNone)
                    {
                        received.BytesOf((BufferHandle)left).ToArray().ShouldBe(sent.BytesOf(buffer).ToArray());
                    }

                    break;
                default:
                    left.ShouldBe(right, property.Name);
                    break;
            }
        }
    }

    private static byte[] Frame(FrameCodec codec, Envelope envelope, ByteBuffers buffers)
    {
        ArrayBufferWriter<byte> output = new();
        codec.Write(envelope, buffers, output);
        return output.WrittenSpan.ToArray();
    }

    private static string Header(byte[] frame) =>
        Encoding.UTF8.GetString(frame.AsSpan(8, (int)BinaryPrimitives.ReadUInt32LittleEndian(frame.AsSpan(4))));

    private static byte[] Join(string header, params byte[] payload)
    {
        byte[] text = Encoding.UTF8.GetBytes(header), prefix = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(prefix, (uint)(4 + text.Length + payload.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(prefix.AsSpan(4), (uint)text.Length);
        return [.. prefix, .. text, .. payload];
    }

    /// <summary>What follows a header on a wire.</summary>
    private sealed class Rest(byte[] bytes, int position) : IPayloadSource
    {
        public int Position { get; private set; } = position;

        public void Fill(Span<byte> destination)
        {
            bytes.AsSpan(Position, destination.Length).CopyTo(destination);
            Position += destination.Length;
        }
    }
}
