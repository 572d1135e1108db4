using DistTrain.Engines;
using MyTraining;

namespace DistTrain.Cli.Tests;

public sealed class LibraryExampleTests
{
    [Fact]
    public void TheExampleOfTheReadmeIsTheOneThatIsCompiledHereAndItTrains()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "DistTrain.sln")))
        {
            root = Path.GetDirectoryName(root).ShouldNotBeNull("the tests run inside the repository");
        }

        string example = File.ReadAllText(Path.Combine(root, "examples", "library", "Example.cs"));
        File.ReadAllText(Path.Combine(root, "README.md")).ShouldContain(example);
        RunOutcome outcome = Example.Train();
        outcome.Status.ShouldBe(RunStatus.Completed);
        outcome.TestAccuracy.ShouldNotBeNull().ShouldBeGreaterThan(0.95);
        outcome.Parameters.Count.ShouldBe(4);
    }
}
