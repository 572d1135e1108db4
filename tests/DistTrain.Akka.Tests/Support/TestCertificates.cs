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
        string PathOf(string name, string pem)
        {
            string path = Path.Combine(folder, name);
            File.WriteAllText(path, pem);
            return path;
        }

        return new TestCertificates(
            PathOf("node.crt", certificate.ExportCertificatePem()), PathOf("node.key", key.ExportPkcs8PrivateKeyPem()), PathOf("ca.crt", signer.ExportCertificatePem()));
    }
}
