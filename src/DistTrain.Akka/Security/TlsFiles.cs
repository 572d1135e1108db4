using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistTrain.Numerics;

namespace DistTrain.Akka.Security;

/// <summary>Mutual TLS with a private CA: this node's certificate and key, and the one CA that both ends must come from.</summary>
internal sealed class TlsFiles
{
    private readonly X509Certificate2 _authority;

    private TlsFiles(X509Certificate2 certificate, X509Certificate2 authority) => (Certificate, _authority) = (certificate, authority);

    /// <summary>This node's certificate with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Reads PEM files; throws <see cref="InvalidInputException"/> that names the key of the one that cannot be used.</summary>
    public static TlsFiles Read(string certificate, string key, string authority)
    {
        RequireFile("disttrain.tls.certificate", certificate);
        RequireFile("disttrain.tls.key", key);
        RequireFile("disttrain.tls.ca", authority);
        try
        {
            return new TlsFiles(X509Certificate2.CreateFromPemFile(certificate, key), X509CertificateLoader.LoadCertificateFromFile(authority));
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException)
        {
            throw new InvalidInputException(
                $"disttrain.tls: {certificate}, {key} and {authority}: {wrong.Message.TrimEnd('.')}; expected a certificate with its own key, and the CA's certificate, as PEM files that deploy/make-ca.sh writes", wrong);
        }
    }

    /// <summary>Secures the side that connects. Throws <see cref="IOException"/> when the other is not of this cluster.</summary>
    public SslStream Connect(Stream stream, string host)
    {
        SslStream secured = new(stream);
        return Secure(secured, () => secured.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            ClientCertificates = [Certificate],
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, other, _, errors) =>
                !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && IsOfCluster(other),
        }));
    }

    /// <summary>Secures the side that accepts, which asks for a certificate too.</summary>
    public SslStream Accept(Stream stream)
    {
        SslStream secured = new(stream);
        return Secure(secured, () => secured.AuthenticateAsServer(new SslServerAuthenticationOptions
        {
            ServerCertificate = Certificate,
            ClientCertificateRequired = true,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, other, _, _) => IsOfCluster(other),
        }));
    }

    /// <summary>This node's certificate and its signature of something.</summary>
    public byte[] Sign(byte[] text)
    {
        using ECDsa? curve = Certificate.GetECDsaPrivateKey();
        using RSA? rsa = Certificate.GetRSAPrivateKey();
        byte[] signature = curve?.SignData(text, HashAlgorithmName.SHA256)
            ?? rsa?.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)
            ?? throw new InvalidInputException("disttrain.tls.key: is neither an ECDSA nor an RSA key; expected what deploy/make-ca.sh writes");
        byte[] length = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, Certificate.RawData.Length);
        return [.. length, .. Certificate.RawData, .. signature];
    }

    /// <summary>Whether what <see cref="Sign"/> gave is of a certificate of the CA, and signs this text.</summary>
    public bool IsSigned(ReadOnlySpan<byte> text, ReadOnlySpan<byte> shown)
    {
        if (shown.Length < sizeof(int) || BinaryPrimitives.ReadInt32LittleEndian(shown) is var length && (length <= 0 || length > shown.Length - sizeof(int)))
        {
            return false;
        }

        try
        {
            using X509Certificate2 other = X509CertificateLoader.LoadCertificate(shown.Slice(sizeof(int), length));
            using ECDsa? curve = other.GetECDsaPublicKey();
            using RSA? rsa = other.GetRSAPublicKey();
            ReadOnlySpan<byte> signature = shown[(sizeof(int) + length)..];
            return IsOfCluster(other)
                && (curve?.VerifyData(text, signature, HashAlgorithmName.SHA256)
                    ?? rsa?.VerifyData(text, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)
                    ?? false);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static SslStream Secure(SslStream secured, Action authenticate)
    {
        try
        {
            authenticate();
            return secured;
        }
        catch (AuthenticationException refused)
        {
            secured.Dispose();
            throw new IOException($"TLS: {refused.Message}", refused);
        }
    }

    private bool IsOfCluster(X509Certificate? other)
    {
        if (other is not X509Certificate2 certificate)
        {
            return false;
        }

        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    private static void RequireFile(string key, string path)
    {
        if (!File.Exists(path))
        {
            throw new InvalidInputException($"{key}: there is no file {(path.Length == 0 ? "named" : path)}; expected a PEM file");
        }
    }
}
