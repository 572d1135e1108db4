using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistTrain.Akka.Security;

namespace DistTrain.Akka.Tests.Support;

/// <summary>A certificate for loopback, its key, and the CA that signed it, as PEM files.</summary>
internal sealed record TestCertificates(string Certificate, string Key, string Authority)
{
    /// <summary>As a node reads them.</summary>
    public TlsFiles Read() => TlsFiles.Read(Certificate, Key, Authority);

    /// <summary>As settings of a node.</summary>
    public string Settings => $$"""
        tls { enabled = on, certificate = "{{Certificate}}", key = "{{Key}}", ca = "{{Authority}}" }
        """;

    /// <summary>Those that were written into a folder.</summary>
    public static TestCertificates At(string folder) =>
        new(Path.Combine(folder, "node.crt"), Path.Combine(folder, "node.key"), Path.Combine(folder, "ca.crt"));

    /// <summary>Makes a CA and a certificate of it.</summary>
    public static TestCertificates Write(string folder)
    {
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        CertificateRequest authority = new("CN=test CA", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 signer = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        CertificateRequest node = new("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        node.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = node.Create(signer, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
        Directory.CreateDirectory(folder);
        TestCertificates written = At(folder);
        File.WriteAllText(written.Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(written.Key, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(written.Authority, signer.ExportCertificatePem());
        return written;
    }
}
