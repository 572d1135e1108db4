namespace DistTrain.Commands.Dashboards;

/// <summary>Pages that are being served, until it is disposed of.</summary>
public interface IDashboardServer : IDisposable
{
    /// <summary>What to open in a browser; it carries the token where there is one.</summary>
    Uri Address { get; }

    /// <summary>Shows a run of this process from within, besides what its folder holds.</summary>
    /// <param name="folder">Absolute path of the run's folder.</param>
    ILiveRun Begin(string folder);
}
