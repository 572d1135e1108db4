namespace DistTrain.Protocol.Settings;

/// <summary>How front contribution keeps what updates contribute.</summary>
public enum ContributionForm
{
    /// <summary>The form with fewer multiplications over the planned run.</summary>
    Auto,

    /// <summary>A coefficient for each training row, through the Gram matrix.</summary>
    Gram,

    /// <summary>A coefficient for each direction of a basis of the training rows.</summary>
    Basis,
}

/// <summary>Which stages front contribution takes out of training.</summary>
public enum Collapse
{
    /// <summary>The first layer; the final-layer actor keeps those between as weights of its own.</summary>
    Input,

    /// <summary>Every layer before the final one: those between are kept as histories of their inputs and deltas.</summary>
    All,
}

/// <summary>A method by its name, the schedule that it runs on, and what single methods take besides.</summary>
/// <param name="Name">For example <c>backprop</c>; see <see cref="Methods.MethodCatalog"/>.</param>
/// <param name="Schedule"><c>sequential</c>, <c>fill-drain</c> or <c>1f1b</c>.</param>
public sealed record MethodSettings(string Name = "backprop", string Schedule = "1f1b")
{
    /// <summary>front-contribution's form. Default auto.</summary>
    public ContributionForm Form { get; init; }

    /// <summary>front-contribution's reach. Default input.</summary>
    public Collapse Collapse { get; init; }

    /// <summary>First-stage actors of front-contribution, each with a share of the features; 1 …
    /// <see cref="Limits.ShardsMax"/>. Default 1.</summary>
    public int Shares { get; init; } = 1;
}
