namespace DistTrain.Commands.Dashboards;

/// <summary>Draws run folders: live in a browser, or as one file. A program without it lacks the verbs that need it.</summary>
public interface IDashboard
{
    /// <summary>Why nothing can be drawn, and what to do about it; null when all is there.</summary>
    string? Missing { get; }

    /// <summary>Starts to serve. Throws <see cref="Numerics.InvalidInputException"/> where the address is taken or not of this machine.</summary>
    IDashboardServer Serve(DashboardOptions options);

    /// <summary>A run or study folder as one page of HTML that needs nothing else.</summary>
    /// <param name="folder">Absolute path of a run or study folder.</param>
    string Report(string folder);
}
