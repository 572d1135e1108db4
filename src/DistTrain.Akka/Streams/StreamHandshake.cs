using System.Buffers.Binary;
using DistTrain.Akka.Security;
using DistTrain.Akka.Wire;
using DistTrain.Protocol.Wire;

namespace DistTrain.Akka.Streams;

/// <summary>
/// What a stream of tensors begins with: wire version, ticket and a nonce from who connects; nonce and proof of the secret from who accepts;
/// proof from who connects. The ticket says which run, the proofs say that both ends are of the cluster.
/// </summary>
internal static class StreamHandshake
{
    private const uint Magic = 0x53525444;
    private const int StartBytes = sizeof(uint) + sizeof(int) + StreamLimits.TicketBytes + ClusterSecret.ProofBytes;

    /// <summary>The side that connects. Throws <see cref="IOException"/> when the other is not of the cluster.</summary>
    public static void Connect(Stream stream, ClusterSecret secret, byte[] ticket)
    {
        byte[] own = ClusterSecret.Nonce(), start = new byte[StartBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(start, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(start.AsSpan(sizeof(uint)), WireContract.Version);
        ticket.CopyTo(start, sizeof(uint) + sizeof(int));
        own.CopyTo(start, StartBytes - own.Length);
        stream.Write(start);
        stream.Flush();
        byte[] other = new byte[ClusterSecret.ProofBytes], proof = new byte[ClusterSecret.ProofBytes];
        stream.ReadExactly(other);
        stream.ReadExactly(proof);
        if (!secret.IsProof(proof, "stream accept", ticket, own, other))
        {
            throw new IOException("the other end of a stream does not know the cluster's secret");
        }

        stream.Write(secret.Prove("stream connect", ticket, own, other));
        stream.Flush();
    }

    /// <summary>The side that accepts: the run that the ticket is for. Throws <see cref="FrameException"/> with the reason for a refusal.</summary>
    public static long Accept(Stream stream, ClusterSecret secret, TicketOffice tickets)
    {
        byte[] start = new byte[StartBytes];
        stream.ReadExactly(start);
        if (BinaryPrimitives.ReadUInt32LittleEndian(start) != Magic)
        {
            throw new FrameException("it does not begin as a stream of DistTrain does");
        }

        int version = BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(sizeof(uint)));
        if (version != WireContract.Version)
        {
            throw new FrameException($"it speaks wire version {version}; expected {WireContract.Version}");
        }

        byte[] ticket = start.AsSpan(sizeof(uint) + sizeof(int), StreamLimits.TicketBytes).ToArray();
        byte[] other = start.AsSpan(StartBytes - ClusterSecret.ProofBytes).ToArray(), own = ClusterSecret.Nonce();
        stream.Write(own);
        stream.Write(secret.Prove("stream accept", ticket, other, own));
        stream.Flush();
        byte[] proof = new byte[ClusterSecret.ProofBytes];
        stream.ReadExactly(proof);
        if (!secret.IsProof(proof, "stream connect", ticket, other, own))
        {
            throw new FrameException("it does not know the cluster's secret");
        }

        return tickets.Redeem(ticket) ?? throw new FrameException("its ticket is not good, or not any more");
    }
}
