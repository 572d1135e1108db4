using System.CommandLine;
using DistTrain.Numerics;

namespace DistTrain.Akka.Clients;

/// <summary>The options of <c>train</c> that name a cluster.</summary>
internal sealed class ClusterOptions
{
    private const string ClusterName = "--cluster";

    private readonly string _workingFolder;
    private string? _cluster, _datasets;

    /// <param name="workingFolder">The user's folder.</param>
    public ClusterOptions(string workingFolder)
    {
        _workingFolder = workingFolder;
        Options =
        [
            new Option<string?>(ClusterName)
            {
                HelpName = "host:port|file",
                Description = "Has a cluster train: the address of any node, several with commas, or a cluster.conf.",
                CustomParser = result => _cluster = result.Tokens.Single().Value,
            },
            new Option<string?>("--datasets")
            {
                HelpName = "folder",
                Description = "The folder that holds the experiment's data files, as each node's datasets-dir does. Default: the current folder.",
                CustomParser = result => _datasets = result.Tokens.Single().Value,
            },
        ];
    }

    /// <summary>The options.</summary>
    public IReadOnlyList<Option> Options { get; }

    /// <summary>Whether an argument names a cluster.</summary>
    public static bool Names(string argument) =>
        argument == ClusterName || argument.StartsWith($"{ClusterName}=", StringComparison.Ordinal);

    /// <summary>The cluster that was named; throws <see cref="InvalidInputException"/> when none was.</summary>
    public ClusterTarget Target() => _cluster is null
        ? throw new InvalidInputException("engine: akka trains on a cluster, and none is named; expected --cluster host:port, or a cluster.conf")
        : ClusterTarget.Of(_cluster, _datasets, _workingFolder);
}
