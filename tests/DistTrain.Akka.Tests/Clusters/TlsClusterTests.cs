using System.Text.Json;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Clusters;

public sealed class TlsClusterTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("disttrain-ca-");

    [Fact]
    public void AClusterWithTlsTrainsTheSameWeightsAndRefusesCertificatesOfAnotherCa()
    {
        TestCertificates own = TestCertificates.Write(Path.Combine(_folder.FullName, "own")), other = TestCertificates.Write(Path.Combine(_folder.FullName, "other"));
        using TestCluster cluster = new(3, own.Settings, clientsReadThem: true);
        string experiment = Experiments.Wide(epochs: 6);
        using NodeProcess client = cluster.BeginTraining(experiment);
        cluster.WaitForStep(5);

        // Both know the secret. One shows a certificate of another CA, the other none.
        using (NodeProcess stranger = Join(cluster, "stranger", other.Settings), bare = Join(cluster, "bare", ""))
        {
            cluster.WaitFor(() => Refusals(cluster, "shows no certificate of the cluster's CA") > 0, "the stranger to be refused");
            stranger.Lines.ShouldNotContain(line => line.Contains("is a member", StringComparison.Ordinal));
            bare.Lines.ShouldNotContain(line => line.Contains("is a member", StringComparison.Ordinal));
            cluster.Answer().Members.Count.ShouldBe(3);
        }

        JsonElement summary = cluster.Finish(client);
        TestCluster.Weights(summary).ShouldBe(cluster.OnThreads(experiment));
        summary.GetProperty("restarts").GetInt32().ShouldBe(0);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static NodeProcess Join(TestCluster cluster, string name, string tls)
    {
        string folder = Path.Combine(cluster.Folder, name);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "cluster.conf"), cluster.ConfigOf(TestPorts.Take(1)[0], tls));
        return NodeProcess.Start(folder, TestCluster.Secret, [], "node", "--config", "cluster.conf");
    }

    private static int Refusals(TestCluster cluster, string text) =>
        cluster.Nodes.Sum(node => node.Lines.Count(line => line.Contains(text, StringComparison.Ordinal)));
}
