using System.Diagnostics;
using System.Net;
using DistTrain.Akka.Security;
using DistTrain.Akka.Streams;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Streams;

public sealed class TlsTests : IDisposable
{
    private const long Window = 1 << 20;
    private static readonly ClusterSecret Secret = ClusterSecret.Of(TestCluster.Secret);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("disttrain-tls-");

    [SkippableFact]
    public void CertificatesOfTheScriptSecureAStreamAndThoseOfAnotherCaDoNot()
    {
        string script = Path.Combine(AppContext.BaseDirectory, "make-ca.sh");
        Skip.IfNot(MakeCa(script, "own") && MakeCa(script, "other"), "openssl or bash is missing");
        TlsFiles own = Read("own"), other = Read("other");
        TicketOffice tickets = new(TimeProvider.System);
        using ManualResetEventSlim read = new();
        using SemaphoreSlim refused = new(0);
        using StreamListener listener = new(
            new IPEndPoint(IPAddress.Loopback, 0), Secret, own, tickets, Window, (_, stream) =>
            {
                if (stream.ReadByte() == 42)
                {
                    read.Set();
                }
            }, _ => refused.Release());
        using (Stream stream = new StreamConnector(Secret, own, Window).Open("127.0.0.1", listener.Port, tickets.Issue(1), CancellationToken.None))
        {
            stream.Write([42]);
            read.Wait(TestCluster.Patience).ShouldBeTrue();
        }

        Should.Throw<IOException>(() => new StreamConnector(Secret, other, Window).Open("127.0.0.1", listener.Port, tickets.Issue(1), CancellationToken.None));
        Should.Throw<IOException>(() => new StreamConnector(Secret, null, Window).Open("127.0.0.1", listener.Port, tickets.Issue(1), CancellationToken.None));
        refused.Wait(TestCluster.Patience).ShouldBeTrue();
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private bool MakeCa(string script, string name)
    {
        try
        {
            using Process make = Process.Start("bash", [script, Path.Combine(_folder.FullName, name), "127.0.0.1"]);
            make.WaitForExit();
            return make.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private TlsFiles Read(string name)
    {
        string folder = Path.Combine(_folder.FullName, name);
        return TlsFiles.Read(Path.Combine(folder, "127.0.0.1.crt"), Path.Combine(folder, "127.0.0.1.key"), Path.Combine(folder, "ca.crt"));
    }
}
