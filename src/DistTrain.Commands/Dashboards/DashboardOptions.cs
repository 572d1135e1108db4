using System.Net;

namespace DistTrain.Commands.Dashboards;

/// <summary>Where to serve, and what.</summary>
/// <param name="Runs">Absolute path of the folder whose run folders are shown.</param>
/// <param name="Address">Address to listen on; loopback unless asked otherwise.</param>
/// <param name="Port">Port; 0 for any; null for the usual one, or any where that is taken.</param>
/// <param name="Controls">Whether faults may be brought about from the pages, by whoever has the token.</param>
public sealed record DashboardOptions(string Runs, IPAddress Address, int? Port, bool Controls);
