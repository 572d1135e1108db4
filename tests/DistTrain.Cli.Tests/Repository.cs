namespace DistTrain.Cli.Tests;

/// <summary>Where these tests run.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The configuration of these tests, which have built the command as well.</summary>
    public static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static string FindRoot()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "DistTrain.sln")))
        {
            root = Path.GetDirectoryName(root).ShouldNotBeNull("the tests run inside the repository");
        }

        return root;
    }
}
