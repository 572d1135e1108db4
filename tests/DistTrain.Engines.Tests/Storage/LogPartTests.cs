using DistTrain.Engines.Shared;
using DistTrain.Engines.Storage;
using DistTrain.Engines.Tests.Support;
using DistTrain.Numerics;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Storage;

/// <summary>A log that several processes keep together.</summary>
public sealed class LogPartTests : IDisposable
{
    private const string Folder = "journal";
    private static readonly string[] Writers = ["coordinator", "shards-1-of-2", "shards-2-of-2"];
    private readonly RunRequest _request = CrashBoundaries.Request(Durability.Step, 2);
    private readonly SimulatedDisk _disk = new();
    private readonly BufferPool _pool = new();
    private readonly RunPlan _plan;

    public LogPartTests()
    {
        _plan = new RunPlan(_request.Settings, _request.Data.TrainRows, _request.Data.TestRows);
        _disk.CreateFolder(Folder);
    }

    public void Dispose() => _pool.Dispose();

    [Theory]
    [InlineData("log-000000007", 7, "", false)]
    [InlineData("log-000000012.coordinator", 12, "coordinator", false)]
    [InlineData("log-000000012.coordinator.taken", 12, "coordinator", true)]
    [InlineData("log-1234567890.shards-1-of-2", 1234567890, "shards-1-of-2", false)]
    public void ASegmentsNameSaysItsNumberAndWriter(string name, long number, string writer, bool taken)
    {
        LogSegment.Of(name).ShouldBe(new LogSegment(number, writer, taken));
        new LogSegment(number, writer, taken).FileName.ShouldBe(name);
    }

    [Theory]
    [InlineData("log-7")]
    [InlineData("log-000000007.")]
    [InlineData("log-+00000007")]
    [InlineData("step-000000007")]
    [InlineData("log-")]
    public void OtherFilesAreNoSegments(string name) => LogSegment.Of(name).ShouldBeNull();

    [Theory]
    [InlineData("coordinator", 9, true)]
    [InlineData("shards-1-of-2", 2, false)]
    [InlineData("shards-1-of-3", 2, true)]
    [InlineData("", 3, true)]
    [InlineData("", 4, false)]
    public void AProcessReadsItsOwnSegmentsAndThoseFromBeforeThatNobodyElseReads(string writer, long number, bool reads) =>
        new LogPart(Writers[0], Writers, Before: 3, Decides: true).Reads(new LogSegment(number, writer)).ShouldBe(reads);

    [Fact]
    public void EachSegmentOfTheCoordinatorBeginsWithWhatTheOnesBeforeAmountTo()
    {
        using RunLog log = Open(Writers[0]);
        log.Append(new MembershipRecord(2, [1, 1, 1]), _pool);
        Commit(log, 5, epoch: 2);
        log.OnSnapshot(4);
        _disk.Files(Folder).ShouldBe(["log-000000002.coordinator"]);
        LogIndex index = LogReader.Read(_disk, Folder).Index;
        index.Committed!.Step.ShouldBe(5);
        index.Membership!.Epoch.ShouldBe(2);
    }

    [Fact]
    public void NothingThatACoordinatorWritesAfterItsReplacementCounts()
    {
        using RunLog old = Open(Writers[0]);
        old.Append(new MembershipRecord(1, [1, 1, 1]), _pool);
        Commit(old, 1, epoch: 1);

        // Taken over, but not read yet: the old one cannot tell that its record is kept any more.
        LogPart part = PartOf(Writers[0]);
        part.TakeOver(_disk, Folder);
        Should.Throw<IOException>(() => Commit(old, 2, epoch: 1)).Message.ShouldContain("another process has taken this log over");
        using RunLog next = Open(Writers[0]);
        next.Append(new MembershipRecord(2, [2, 2, 2]), _pool);
        Should.Throw<IOException>(() => Commit(old, 3, epoch: 1));
        Should.Throw<IOException>(old.RequireOwn);
        Commit(next, 2, epoch: 2);
        _disk.Files(Folder).ShouldBe(["log-000000002.coordinator"]);
        LogReader.Read(_disk, Folder).Index.Committed!.Step.ShouldBe(2);
    }

    /// <summary>A shard answers while its log begins a segment because a snapshot is complete: the record waits for that, and is kept.</summary>
    [Fact]
    public async Task ARecordThatComesWhileASegmentBeginsIsWritten()
    {
        Task? writing = null;
        InterruptedDisk disk = new(_disk);
        RunRequest request = _request with { JournalFolder = Folder, Disk = disk };
        using RunStorage storage = new(request, _plan, _pool, PartOf(Writers[1]), _ => { });
        disk.OnCreate = () =>
        {
            writing = Task.Run(() => storage.Write(new PreparedRecord(1, 0, 1) { Updates = [new AppliedUpdate(0, 1, 0) { Step = 1, Update = 1 }] }));
            ((IAsyncResult)writing).AsyncWaitHandle.WaitOne(TimeSpan.FromMilliseconds(200));
        };
        storage.OnSnapshot(0);
        await writing.ShouldNotBeNull();
        LogReader.Read(_disk, Folder).Index.LastStep.ShouldBe(1);
    }

    [Fact]
    public void TheEndsOfSeveralWritersMayBeTorn()
    {
        foreach (string writer in Writers)
        {
            using RunLog log = Open(writer);
        }

        foreach (string name in _disk.Files(Folder))
        {
            _disk.Damage(Path.Combine(Folder, name), bytes => [.. bytes, .. new byte[40]]);
        }

        LogReader found = LogReader.Read(_disk, Folder);
        found.Torn.Count.ShouldBe(3);
        List<string> notices = [];
        RunLog.Open(_disk, Folder, _plan, found, 0, notices.Add, writes: false)!.Dispose();
        notices.Count.ShouldBe(3);
        LogReader.Read(_disk, Folder).Torn.ShouldBeEmpty();
    }

    [Fact]
    public async Task AJournalIsClaimedAnewAndHeldByWhomTheClaimIsOf()
    {
        using TestFolder folder = new();
        long first = JournalHold.Claim(folder.Journal);
        JournalHold.TryTake(folder.Journal, first).ShouldNotBeNull().Dispose();
        long second = JournalHold.Claim(folder.Journal);
        JournalHold.TryTake(folder.Journal, first).ShouldBeNull();
        using IDisposable hold = JournalHold.TryTake(folder.Journal, second).ShouldNotBeNull();
        using IDisposable other = JournalHold.TryTake(folder.Journal, second).ShouldNotBeNull();
        Task<long> third = Task.Run(() => JournalHold.Claim(folder.Journal));
        hold.Dispose();
        third.IsCompleted.ShouldBeFalse();
        other.Dispose();
        (await third).ShouldBe(second + 1);
    }

    private static LogPart PartOf(string writer) => new(writer, Writers, Before: 0, Decides: writer == Writers[0]);

    private RunLog Open(string writer)
    {
        LogPart part = PartOf(writer);
        return RunLog.Open(_disk, Folder, _plan, LogReader.Read(_disk, Folder, part), 0, _ => { }, part).ShouldNotBeNull();
    }

    private void Commit(RunLog log, long step, int epoch) => log.Append(new CommittedRecord(step, epoch, new CoordinatorProgress { Step = step }), _pool);
}
