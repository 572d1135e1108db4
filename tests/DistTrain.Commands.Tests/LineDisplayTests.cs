using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using Shouldly;
using Xunit;

namespace DistTrain.Commands.Tests;

public sealed class LineDisplayTests
{
    [Fact]
    public void AResumedRunMayBeginWithTheEvaluationOfAnEpochThatEndedBefore()
    {
        using StringWriter lines = new();
        new LineDisplay(lines, TextWriter.Null).Show("resumed", observer =>
        {
            observer.OnEpoch(new EpochProgress(2, 5, 20, 0.5, 0.5, null, double.NaN, TimeSpan.FromSeconds(1)));
            return null!;
        });
        lines.ToString().ShouldContain("epoch 2/5");
    }
}
