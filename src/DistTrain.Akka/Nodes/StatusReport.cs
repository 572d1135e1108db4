namespace DistTrain.Akka.Nodes;

/// <summary>A member of the cluster, for people.</summary>
/// <param name="Address">Its address.</param>
/// <param name="State">up, joining, leaving, unreachable, …</param>
/// <param name="Roles">What it may host.</param>
/// <param name="Actors">What it hosts; empty for nothing.</param>
internal sealed record StatusMember(string Address, string State, IReadOnlyList<string> Roles, IReadOnlyList<string> Actors);

/// <summary>The run under way, for people.</summary>
/// <param name="Id">Which run.</param>
/// <param name="Name">The experiment's name.</param>
/// <param name="Step">The last committed step.</param>
/// <param name="Steps">Planned steps.</param>
/// <param name="Leader">How many leaders it has had.</param>
/// <param name="Lag">Seconds since the last commit.</param>
/// <param name="SnapshotStep">The newest whole snapshot.</param>
internal sealed record StatusRun(long Id, string Name, long Step, long Steps, long Leader, double Lag, long SnapshotStep);

/// <summary>What <c>status</c> shows.</summary>
/// <param name="Node">Who answers.</param>
/// <param name="Members">The members in the order of their addresses.</param>
/// <param name="Run">The run; null for none.</param>
/// <param name="Refusals">Connections and messages that the answering node refused.</param>
internal sealed record StatusReport(string Node, IReadOnlyList<StatusMember> Members, StatusRun? Run, long Refusals);
