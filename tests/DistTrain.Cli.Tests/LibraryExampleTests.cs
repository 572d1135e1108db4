using DistTrain.Engines;
using MyTraining;

namespace DistTrain.Cli.Tests;

public sealed class LibraryExampleTests
{
    [Fact]
    public void TheExampleOfTheReadmeIsTheOneThatIsCompiledHereAndItTrains()
    {
        string example = File.ReadAllText(Path.Combine(Repository.Root, "examples", "library", "Example.cs"));
        File.ReadAllText(Path.Combine(Repository.Root, "README.md")).ShouldContain(example);
        RunOutcome outcome = Example.Train();
        outcome.Status.ShouldBe(RunStatus.Completed);
        outcome.TestAccuracy.ShouldNotBeNull().ShouldBeGreaterThan(0.95);
        outcome.Parameters.Count.ShouldBe(4);
    }
}
