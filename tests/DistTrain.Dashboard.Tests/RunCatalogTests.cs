using DistTrain.Dashboard.Folders;

namespace DistTrain.Dashboard.Tests;

public sealed class RunCatalogTests : IDisposable
{
    private readonly RunFolders _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../inside")]
    [InlineData("inside/..")]
    [InlineData("inside/")]
    [InlineData("/etc")]
    [InlineData("nothing")]
    [InlineData("no-run")]
    [InlineData("inside\0")]
    public void NoNameLeadsAnywhereButToARunFolder(string id)
    {
        _runs.Add("inside");
        Directory.CreateDirectory(Path.Combine(_runs.Root, "no-run"));
        new RunCatalog(_runs.Root).Find(id).ShouldBeNull();
        new RunCatalog(_runs.Root).Find("inside").ShouldBe(Path.Combine(_runs.Root, "inside"));
    }

    [Fact]
    public void ARunUnderWayOneThatWasKilledAndOneThatEndedAreToldApart()
    {
        string running = _runs.Add("running", metrics: RunFolders.Steps(1, 3));
        using FileStream held = new(Path.Combine(running, ".running"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        string killed = _runs.Add("killed");
        File.WriteAllText(Path.Combine(killed, ".running"), "");
        _runs.Add("ended", summary: "{\"status\":\"completed\",\"name\":\"x\",\"steps\":7,\"final_loss\":0.5,\"wall_seconds\":2}");
        _runs.Add("broken", summary: "[1, 2");
        _runs.Add("no-text", summary: "{\"status\":\"completed\",\"name\":\"\\ud800x\"}");
        File.WriteAllText(Path.Combine(_runs.Add("no-name"), "study.json"), "{\"name\":\"\\udc00\"}");
        IReadOnlyList<RunEntry> entries = new RunCatalog(_runs.Root).List().Entries;
        string Status(string id) => entries.Single(entry => entry.Id == id).Status;
        (Status("running"), Status("killed"), Status("ended"), Status("broken")).ShouldBe(("running", "interrupted", "completed", "interrupted"));
        (Status("no-text"), entries.Single(entry => entry.Id == "no-text").Name, entries.Single(entry => entry.Id == "no-name").Name).ShouldBe(("completed", "", ""));
        RunEntry one = entries.Single(entry => entry.Id == "running");
        (one.Steps, one.Method, one.Engine).ShouldBe((3, "backprop", "threads"));
        one.FinalLoss.ShouldBe(1.0 / 3, 1e-12);
    }

    [Fact]
    public void AListFollowsWhatChangesInFoldersThatItHasRead()
    {
        string one = _runs.Add("one", metrics: RunFolders.Steps(1, 3));
        _runs.Add("other", metrics: RunFolders.Steps(1, 1));
        RunCatalog catalog = new(_runs.Root);
        RunEntry One() => catalog.List().Entries.Single(entry => entry.Id == "one");
        using (FileStream held = new(Path.Combine(one, ".running"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
        {
            (One().Status, One().Steps).ShouldBe(("running", 3));
            File.AppendAllText(Path.Combine(one, "metrics.jsonl"), RunFolders.Steps(4, 2));
            (One().Status, One().Steps).ShouldBe(("running", 5));
        }

        One().Status.ShouldBe("interrupted");
        File.WriteAllText(Path.Combine(one, "summary.json"), "{\"status\":\"completed\",\"steps\":5}");
        One().Status.ShouldBe("completed");
        Directory.Delete(one, recursive: true);
        catalog.List().Entries.Select(entry => entry.Id).ShouldBe(["other"]);
    }

    [Fact]
    public void OfVeryManyFoldersTheNewestAreListedAndAllAreCounted()
    {
        for (int run = 0; run < RunCatalog.EntriesMax + 3; run++)
        {
            string folder = _runs.Add($"run-{run:D4}");
            Directory.SetLastWriteTimeUtc(folder, DateTime.UnixEpoch.AddDays(run));
        }

        RunEntries list = new RunCatalog(_runs.Root).List();
        (list.Count, list.Entries.Count, list.Entries[0].Id, list.Entries[^1].Id).ShouldBe((RunCatalog.EntriesMax + 3, RunCatalog.EntriesMax, "run-0502", "run-0003"));
    }
}
