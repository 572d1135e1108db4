using DistTrain.Dashboard.Pipelines;

namespace DistTrain.Dashboard.Tests;

public sealed class TraceFileTests : IDisposable
{
    private readonly RunFolders _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public void TheBubbleIsTheShareOfTimeWithoutAJobWhileAStepIsUnderWay()
    {
        // Two layers, one micro-batch: each works half of the time between the first job's start and the last one's end; between the steps nothing counts.
        PipelineSpan[] spans =
        [
            Job(1, 0, 10, "forward", 1), Job(2, 10, 20, "forward", 1), Job(2, 20, 30, "backward", 1), Job(1, 30, 40, "backward", 1),
            Job(1, 100, 110, "forward", 2), Job(2, 110, 120, "forward", 2), Job(2, 120, 130, "backward", 2), Job(1, 130, 140, "backward", 2),
            Job(1, 200, 210, "forward", 3),
        ];
        PipelineView view = PipelineView.Of(["coordinator", "layer-0", "layer-1", "parameter-server"], spans, []);
        (view.FirstStep, view.LastStep).ShouldBe((1, 2), "the third step is not over");
        view.Bubble.ShouldBe(0.5, 1e-12);
        view.BubbleFormula.ShouldBe(0.5, 1e-12);
        (view.Stages, view.MicroBatches, view.Spans.Count).ShouldBe((2, 1, 8));
        view.Staleness.Select(row => (row.Actor, row.Mean)).ShouldBe([("layer-0", 0), ("layer-1", 0)]);
    }

    [Fact]
    public void ALongPipelineIsCutToTheStepsThatFit()
    {
        PipelineSpan[] spans = [.. Enumerable.Range(0, 8000).Select(index => Job(1 + (index % 1000), index, index + 1, "forward", 1 + (index / 1000)))];
        PipelineView view = PipelineView.Of([.. Enumerable.Range(0, 1001).Select(index => index == 0 ? "coordinator" : $"layer-{index - 1}")], spans, []);
        view.Spans.Count.ShouldBeLessThanOrEqualTo(PipelineView.SpansMax);
        view.LastStep.ShouldBe(7);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"traceEvents\":7}")]
    [InlineData("{\"traceEvents\":[{\"ph\":\"X\",\"tid\":\"x\"}]}")]
    [InlineData("{\"traceEvents\":[{\"ph\":\"M\",\"name\":\"thread_name\",\"tid\":-5,\"args\":{\"name\":\"layer-0\"}},{\"ph\":\"X\",\"tid\":-5}]}")]
    [InlineData("{\"traceEvents\":[{\"ph\":\"M\",\"name\":\"thread_name\",\"tid\":2000000000,\"args\":{\"name\":\"layer-0\"}}]}")]
    public void ATraceThatIsNoneShowsNothing(string text)
    {
        string path = Path.Combine(_runs.Add("one"), "trace.json");
        File.WriteAllText(path, text);
        TraceFile.Read(path).ShouldBeNull();
    }

    private static PipelineSpan Job(int actor, double start, double end, string kind, long step) =>
        new(actor, start, end, kind, step, 0, step - 1, kind == "backward" ? 0 : -1);
}
