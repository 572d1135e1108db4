using System.Globalization;
using System.Text;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Clusters;

[Trait("Length", "long")]
public sealed class ShippingTests
{
    [Fact]
    public void NodesWithoutTheDataAreSentItWhenTheExperimentShips()
    {
        using TestCluster cluster = new(3);
        WriteRows(cluster.Folder);
        string experiment = Experiment(more: ", ship: true");
        TestCluster.Weights(cluster.Train(experiment)).ShouldBe(cluster.OnThreads(experiment));

        // What was sent goes with the run.
        cluster.WaitFor(
            () => !Directory.EnumerateFiles(cluster.Folder, "rows.csv", SearchOption.AllDirectories).Any(file => file.Contains("run-", StringComparison.Ordinal)),
            "the nodes to forget the run");
    }

    [Fact]
    public void OneNodeWithTheDataAndTwoWithoutTrainTheSameWeights()
    {
        using TestCluster cluster = new(3);
        WriteRows(cluster.Folder);
        WriteRows(Path.Combine(cluster.Folder, "node-1"));
        string shipped = Experiment(more: ", ship: true"), named = Experiment(more: "");
        string expected = cluster.OnThreads(named);

        // Without shipping the node that has the rows hosts every actor that reads them.
        TestCluster.Weights(cluster.Train(named)).ShouldBe(expected);
        TestCluster.Weights(cluster.Train(shipped)).ShouldBe(expected);
    }

    [Fact]
    public void WithoutShippingAClusterThatLacksTheDataNamesTheFile()
    {
        using TestCluster cluster = new(2);
        WriteRows(cluster.Folder);
        using NodeProcess client = cluster.BeginTraining(Experiment(more: ""));
        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        client.ExitCode.ShouldBe(2);
        client.Lines.ShouldContain(line => line.Contains("rows.csv", StringComparison.Ordinal));
    }

    private static string Experiment(string more) => $$"""
        name: rows
        seed: 11
        data: { source: csv, train: rows.csv, label: label, test-fraction: 0.2{{more}} }
        network:
          - dense: { units: 16, activation: tanh }
          - dense: { units: 3, activation: softmax }
        loss: cross-entropy
        optimizer: { name: sgd, learning-rate: 0.05 }
        training: { epochs: 3, batch-size: 32, shuffle: true }
        stages: 2
        replicas: 2
        compute-threads: 1
        """;

    /// <summary>More bytes than one piece holds.</summary>
    private static void WriteRows(string folder)
    {
        StringBuilder text = new("a,b,c,d,label\n");
        for (int row = 0; row < 3000; row++)
        {
            double angle = row * 0.37;
            text.AppendLine(CultureInfo.InvariantCulture, $"{Math.Sin(angle):F9},{Math.Cos(angle):F9},{Math.Sin(2 * angle):F9},{row % 7},{row % 3}");
        }

        File.WriteAllText(Path.Combine(folder, "rows.csv"), text.ToString());
    }
}
