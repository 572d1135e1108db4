namespace DistTrain.Engines.Tests.Support;

/// <summary>A folder of one test, deleted at its end.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("disttrain-engines-").FullName;

    /// <summary>A folder inside that does not exist yet.</summary>
    public string Journal => Path.Combine(Root, "journal");

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
