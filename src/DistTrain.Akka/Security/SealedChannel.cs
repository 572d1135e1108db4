using System.Buffers.Binary;
using System.Security.Cryptography;
using DistTrain.Akka.Wire;
using DistTrain.Protocol.Wire;
using Google.Protobuf;

namespace DistTrain.Akka.Security;

/// <summary>
/// The handshake of an association and what follows it. Both ends send a hello with wire version and nonce; then each proves with HMAC-SHA256
/// over both nonces that it knows the secret, and, where the cluster has a CA, signs that proof with a certificate of it; then every payload is sealed with AES-256-GCM under a key for that association and direction,
/// with its number as nonce. So nothing reaches Akka's deserializers that was not written by a holder of the secret, in this order, once.
/// </summary>
internal sealed class SealedChannel : IDisposable
{
    private const uint Magic = 0x4E525444;
    private const int HelloBytes = sizeof(uint) + sizeof(int) + ClusterSecret.ProofBytes;
    private const int NonceBytes = 12, TagBytes = 16;

    private readonly Lock _lock = new();
    private readonly ClusterSecret _secret;
    private readonly bool _connects;
    private readonly TlsFiles? _tls;
    private readonly byte[] _ownNonce = ClusterSecret.Nonce();
    private byte[] _otherNonce = [];
    private AesGcm? _seals, _opens;
    private ulong _sealed, _opened;
    private bool _closed;

    /// <param name="secret">The cluster's.</param>
    /// <param name="connects">Whether this end opened the association.</param>
    /// <param name="tls">Certificates that both ends must show; null for none.</param>
    public SealedChannel(ClusterSecret secret, bool connects, TlsFiles? tls = null) => (_secret, _connects, _tls) = (secret, connects, tls);

    /// <summary>Bytes that a sealed payload is longer.</summary>
    public const int OverheadBytes = TagBytes;

    /// <summary>The first payload.</summary>
    public byte[] Hello()
    {
        byte[] hello = new byte[HelloBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(hello, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(hello.AsSpan(sizeof(uint)), WireContract.Version);
        _ownNonce.CopyTo(hello, HelloBytes - ClusterSecret.ProofBytes);
        return hello;
    }

    /// <summary>Takes the other's hello; returns the second payload. Throws <see cref="FrameException"/> for anything else.</summary>
    public byte[] OnHello(ReadOnlySpan<byte> hello)
    {
        if (hello.Length != HelloBytes || BinaryPrimitives.ReadUInt32LittleEndian(hello) != Magic)
        {
            throw new FrameException("it does not begin as a node of DistTrain does");
        }

        int version = BinaryPrimitives.ReadInt32LittleEndian(hello[sizeof(uint)..]);
        if (version != WireContract.Version)
        {
            throw new FrameException($"it speaks wire version {version}; expected {WireContract.Version}: the same version of this program everywhere");
        }

        _otherNonce = hello[(HelloBytes - ClusterSecret.ProofBytes)..].ToArray();
        byte[] proof = _secret.Prove(Purpose(_connects), _ownNonce, _otherNonce);
        return _tls is null ? proof : [.. proof, .. _tls.Sign(proof)];
    }

    /// <summary>Takes the other's proof; from then on payloads are sealed. Throws <see cref="FrameException"/> when it does not hold.</summary>
    public void OnProof(ReadOnlySpan<byte> proof)
    {
        ReadOnlySpan<byte> shown = proof[Math.Min(proof.Length, ClusterSecret.ProofBytes)..];
        proof = proof[..^shown.Length];
        if (!_secret.IsProof(proof, Purpose(!_connects), _otherNonce, _ownNonce))
        {
            throw new FrameException($"it does not know the cluster's secret; expected the same {ClusterSecret.Variable} everywhere");
        }

        if (_tls is null ? shown.Length > 0 : !_tls.IsSigned(proof, shown))
        {
            throw new FrameException(_tls is null
                ? "it shows a certificate, and this end has none; expected the same disttrain.tls.enabled everywhere"
                : "it shows no certificate of the cluster's CA; expected disttrain.tls with certificates of one CA everywhere");
        }

        (byte[] first, byte[] second) = _connects ? (_ownNonce, _otherNonce) : (_otherNonce, _ownNonce);
        AesGcm forward = new(_secret.Prove("seal connecting", first, second), TagBytes);
        AesGcm back = new(_secret.Prove("seal accepting", first, second), TagBytes);
        (_seals, _opens) = _connects ? (forward, back) : (back, forward);
    }

    /// <summary>Hands a sealed payload to <paramref name="write"/>; the order of the calls is the order on the wire.</summary>
    public bool Seal(ByteString payload, Func<ByteString, bool> write)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            Span<byte> nonce = stackalloc byte[NonceBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(nonce, _sealed);
            byte[] bytes = new byte[payload.Length + TagBytes];
            _seals!.Encrypt(nonce, payload.Span, bytes.AsSpan(TagBytes), bytes.AsSpan(0, TagBytes));

            // A payload that was not taken is offered again, as the same number.
            bool taken = write(UnsafeByteOperations.UnsafeWrap(bytes));
            _sealed += taken ? 1UL : 0;
            return taken;
        }
    }

    /// <summary>The payload in a sealed one. Throws <see cref="FrameException"/> when its seal is broken. One thread at a time.</summary>
    public ByteString Open(ByteString payload)
    {
        ReadOnlySpan<byte> bytes = payload.Span;
        if (_opens is null)
        {
            throw new FrameException("a payload before the handshake was done");
        }

        if (bytes.Length < TagBytes)
        {
            throw new FrameException("a payload without a seal");
        }

        Span<byte> nonce = stackalloc byte[NonceBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, _opened++);
        byte[] opened = new byte[bytes.Length - TagBytes];
        try
        {
            _opens.Decrypt(nonce, bytes[TagBytes..], bytes[..TagBytes], opened);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new FrameException("a payload with a broken seal");
        }

        return UnsafeByteOperations.UnsafeWrap(opened);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            _seals?.Dispose();
        }

        // Opening may still be under way on another thread; its key is freed with it.
    }

    private static string Purpose(bool connects) => connects ? "connect" : "accept";
}
