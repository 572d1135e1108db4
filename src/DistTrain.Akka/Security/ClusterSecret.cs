using System.Security.Cryptography;
using System.Text;
using DistTrain.Numerics;

namespace DistTrain.Akka.Security;

/// <summary>What every node and client of a cluster knows and nobody else. Keys are derived from it, each for one purpose; it never goes
/// over a wire.</summary>
internal sealed class ClusterSecret
{
    /// <summary>The environment variable that holds it.</summary>
    public const string Variable = "DISTTRAIN_SECRET";

    /// <summary>Shortest secret: 16 random bytes in hexadecimal, so that it cannot be found by trying.</summary>
    public const int LengthMin = 32;

    /// <summary>Bytes of nonces and proofs.</summary>
    public const int ProofBytes = 32;

    private readonly byte[] _key;

    private ClusterSecret(byte[] key, bool isSet) => (_key, IsSet) = (key, isSet);

    /// <summary>Whether there is a secret. Without one every process of the machine can take part, so nodes stay on loopback.</summary>
    public bool IsSet { get; }

    /// <summary>The environment's secret. Throws <see cref="InvalidInputException"/> when it is too short.</summary>
    public static ClusterSecret FromEnvironment() => Of(Environment.GetEnvironmentVariable(Variable));

    /// <summary>A given secret; none for null or empty.</summary>
    public static ClusterSecret Of(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return new ClusterSecret(new byte[ProofBytes], isSet: false);
        }

        string secret = text.Trim();
        return secret.Length >= LengthMin
            ? new ClusterSecret(SHA256.HashData(Encoding.UTF8.GetBytes(secret)), isSet: true)
            : throw new InvalidInputException(
                $"{Variable}: has {secret.Length} characters; expected at least {LengthMin}, for example what `openssl rand -hex 32` prints");
    }

    /// <summary>A proof of knowing the secret, for one purpose and these nonces.</summary>
    public byte[] Prove(string purpose, params ReadOnlySpan<byte[]> parts)
    {
        using IncrementalHash hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(Encoding.ASCII.GetBytes(purpose));
        foreach (byte[] part in parts)
        {
            hash.AppendData(part);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Whether a proof is right; takes the same time wherever it differs.</summary>
    public bool IsProof(ReadOnlySpan<byte> proof, string purpose, params ReadOnlySpan<byte[]> parts) =>
        CryptographicOperations.FixedTimeEquals(proof, Prove(purpose, parts));

    /// <summary>A nonce.</summary>
    public static byte[] Nonce() => RandomNumberGenerator.GetBytes(ProofBytes);
}
