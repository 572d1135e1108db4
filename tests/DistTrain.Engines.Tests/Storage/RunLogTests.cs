using System.Text.RegularExpressions;
using DistTrain.Conformance.Support;
using DistTrain.Engines.Storage;
using DistTrain.Engines.Tests.Support;
using DistTrain.Numerics;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Storage;

public sealed class RunLogTests
{
    private const string First = "journal/log-000000001";
    private static readonly RunRequest Request = CrashBoundaries.Request(Durability.Step, 2, settings => settings with { CheckpointEverySteps = 100 });

    [Fact]
    public void TheChecksumIsCrc32C()
    {
        // RFC 3720, B.4: 32 bytes of zeros, of ones, and 0 to 31.
        Crc32C.Of(new byte[32]).ShouldBe(0x8A9136AAu);
        Crc32C.Of(Enumerable.Repeat((byte)0xFF, 32).ToArray()).ShouldBe(0x62A8AB43u);
        Crc32C.Of(Enumerable.Range(0, 32).Select(value => (byte)value).ToArray()).ShouldBe(0x46DD794Eu);
        Crc32C.End(Crc32C.Add(Crc32C.Add(Crc32C.Start, "12345"u8), "6789"u8)).ShouldBe(0xE3069283u);
    }

    [Fact]
    public void ATornEndIsCutOffAndSaid()
    {
        SimulatedDisk disk = Crashed(out long committed);
        disk.Damage(First, bytes => [.. bytes, .. new byte[100]]);
        Observed observed = new();
        Journal.LastCommittedStep(disk, CrashBoundaries.Folder).ShouldBe(committed);
        CrashBoundaries.Run(Request, disk, committed, observed).Status.ShouldBe(RunStatus.Completed);
        observed.Notices[0].ShouldStartWith("log-000000001: its last ");
        observed.Notices[0].ShouldContain("torn by a crash and are cut off");
    }

    [Fact]
    public void DamageInTheMiddleIsRefusedWithFileAndOffset()
    {
        SimulatedDisk disk = Crashed(out _);
        disk.Damage(First, bytes =>
        {
            bytes[LogFormat.SegmentHeaderBytes + LogFormat.RecordHeaderBytes] ^= 1;
            return bytes;
        });
        string message = Should.Throw<InvalidInputException>(() => Journal.LastCommittedStep(disk, CrashBoundaries.Folder)).Message;
        message.ShouldStartWith($"{First}: offset {LogFormat.SegmentHeaderBytes}: a record does not match its checksum");
    }

    [Theory]
    [InlineData(0, "this is no segment of a log")]
    [InlineData(8, "the segment's header does not match its checksum")]
    public void AForeignSegmentIsRefused(int at, string expected)
    {
        SimulatedDisk disk = Crashed(out _);
        disk.Damage(First, bytes =>
        {
            bytes[at] = (byte)'x';
            return bytes;
        });
        Should.Throw<InvalidInputException>(() => Journal.LastCommittedStep(disk, CrashBoundaries.Folder)).Message.ShouldContain(expected);
    }

    [Fact]
    public void AnotherVersionIsRefused()
    {
        SimulatedDisk disk = Crashed(out _);
        disk.Damage(First, bytes =>
        {
            bytes[8] = 1;
            BitConverter.TryWriteBytes(bytes.AsSpan(32), Crc32C.Of(bytes.AsSpan(0, 32)));
            return bytes;
        });
        Should.Throw<InvalidInputException>(() => Journal.LastCommittedStep(disk, CrashBoundaries.Folder)).Message.ShouldContain("the log has version 1; expected 2");
    }

    [Fact]
    public void ViewsAndPromisesOfCopiesAreInTheLogAndOutliveItsSegments()
    {
        RunRequest request = CrashBoundaries.WithCopies(Request);
        SimulatedDisk disk = new();
        CrashBoundaries.Run(request with { Settings = request.Settings with { CheckpointEverySteps = 4 } }, disk, 0, new Observed()).Status.ShouldBe(RunStatus.Completed);
        LogIndex index = LogReader.Read(disk, CrashBoundaries.Folder).Index;
        disk.Files(CrashBoundaries.Folder).ShouldNotContain("log-000000001");
        index.Membership.ShouldNotBeNull().Copies.ShouldBe(Enumerable.Repeat((int)CopyState.Whole, 4));
        index.Promised.ShouldBeInRange(Limits.EpochsPerCoordinator, index.Membership.Epoch);
    }

    [Fact]
    public void WhoeverGoesOnIsAboveEveryPromise()
    {
        LogIndex index = new();
        index.Add(new MembershipRecord(3, [1, 1]));
        index.Before!.Epoch.ShouldBe(3);
        index.AddPromise(7);
        index.AddPromise(5);
        (index.Before!.Epoch, index.Membership!.Epoch).ShouldBe((7, 3));
        index.Add(new MembershipRecord(8, [2, 1]));
        index.Before!.Epoch.ShouldBe(8);
    }

    [Fact]
    public void TheLogDoesNotOutgrowTwoSnapshots()
    {
        RunRequest request = CrashBoundaries.Request(Durability.Step, 8);
        SimulatedDisk disk = new();
        CrashBoundaries.Run(request, disk, 0, new Observed());
        disk.Files(CrashBoundaries.Folder).Count.ShouldBeLessThanOrEqualTo(3);
        disk.Folders(CrashBoundaries.Folder).Count.ShouldBeLessThanOrEqualTo(2);
    }

    [Theory]
    [InlineData("step")]
    [InlineData("power")]
    public void AFullDiskEndsTheRunInWordsAndItGoesOnWhenThereIsRoom(string durability)
    {
        RunRequest request = CrashBoundaries.Request(Enum.Parse<Durability>(durability, ignoreCase: true), 2);
        SimulatedDisk whole = new();
        string expected = Bits.Of(CrashBoundaries.Run(request, whole, 0, new Observed()));
        int failed = 0;
        for (long capacity = 500; capacity < 40_000; capacity += 701)
        {
            SimulatedDisk disk = new() { Capacity = capacity };
            Observed observed = new();
            RunOutcome outcome;
            try
            {
                outcome = CrashBoundaries.Run(request, disk, 0, observed);
            }
            catch (IOException exception)
            {
                // Not even the first segment had room.
                exception.Message.ShouldContain("no space left");
                continue;
            }

            if (outcome.Status == RunStatus.Completed)
            {
                continue;
            }

            failed++;
            outcome.Status.ShouldBe(RunStatus.Failed);
            outcome.Reason.ShouldContain("no space left");
            disk.Capacity = long.MaxValue;
            long from = Journal.LastCommittedStep(disk, CrashBoundaries.Folder) ?? 0;
            from.ShouldBeGreaterThanOrEqualTo(observed.Steps.Count > 0 ? observed.Steps[^1].Step : 0);
            Bits.Of(CrashBoundaries.Run(request, disk, from, new Observed())).ShouldBe(expected);
        }

        failed.ShouldBeGreaterThan(5);
    }

    [Fact]
    public void TheMachinesDiskDoesWhatTheSimulatedOneDoes()
    {
        using TestFolder folder = new();
        foreach ((IDisk disk, string root) in ((IDisk, string)[])[(FileDisk.Instance, folder.Root), (new SimulatedDisk(), "root")])
        {
            string inside = Path.Combine(root, "a"), one = Path.Combine(inside, "one"), two = Path.Combine(inside, "two");
            disk.CreateFolder(inside);
            using (IDiskFile file = disk.Create(one))
            {
                file.Append("hello "u8);
                file.Append("world"u8);
                file.Sync();
                file.Length.ShouldBe(11);
            }

            disk.SyncFolder(inside);
            byte[] read = new byte[20];
            disk.Read(one, 6, read).ShouldBe(5);
            read[..5].ShouldBe("world"u8.ToArray());
            disk.Read(one, 100, read).ShouldBe(0);
            Should.Throw<IOException>(() => disk.Cut(one, 12));
            disk.Cut(one, 5);
            disk.Length(one).ShouldBe(5);
            disk.Rename(one, two);
            (disk.Exists(one), disk.Exists(two)).ShouldBe((false, true));
            disk.Files(inside).ShouldBe(["two"]);
            Should.Throw<IOException>(() => disk.DeleteFolder(inside));
            disk.Delete(two);
            disk.Delete(two);
            disk.Folders(root).ShouldBe(["a"]);
            disk.DeleteFolder(inside);
            disk.Folders(root).ShouldBeEmpty();
            Should.Throw<IOException>(() => disk.Create(one));
        }
    }

    [Fact]
    public void NothingElseInEnginesWritesFiles()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "DistTrain.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        Regex writes = new(
            @"\bFileStream\b|\bnew StreamWriter\((?!new DiskStream)|\bFile\.(Write|Append|Create|Open|Move|Copy|Delete|Replace)|\bDirectory\.(Create|Delete|Move)"
            + @"|\bRandomAccess\.(Write|Set|Flush)|\bSafetensorsFile\.Write\((?!\s*stream)");
        string[] files = Directory.GetFiles(Path.Combine(root.ShouldNotBeNull(), "src", "DistTrain.Engines"), "*.cs", SearchOption.AllDirectories);
        string[] own = [.. files.Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))];
        own.Length.ShouldBeGreaterThan(50);

        // The processes engine makes a folder for its sockets and removes them, and claims a journal by a lock that only a machine's own disk has: nothing of
        // that is kept for a run to read.
        string[] others = ["SocketFolder.cs", "PeerListener.cs", "JournalHold.cs"];
        own.Where(file => writes.IsMatch(File.ReadAllText(file))).Select(Path.GetFileName).Except(others).ShouldBe(["FileDisk.cs"]);
    }

    private static SimulatedDisk Crashed(out long committed)
    {
        SimulatedDisk disk = new() { CrashAt = 40 };
        Should.Throw<SimulatedCrashException>(() => CrashBoundaries.Run(Request, disk, 0, new Observed()));
        SimulatedDisk left = disk.AfterCrash(CrashKind.Process, 1);
        committed = Journal.LastCommittedStep(left, CrashBoundaries.Folder).ShouldNotBeNull();
        committed.ShouldBeGreaterThan(1);
        return left;
    }
}
