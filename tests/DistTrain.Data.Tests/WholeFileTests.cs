using System.Diagnostics;
using System.IO.Pipes;
using System.Text;
using Shouldly;
using Xunit;

namespace DistTrain.Data.Tests;

public sealed class WholeFileTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("what was there before, and longer")]
    public void AFileIsThereWholeAndNothingBesideIt(string? before)
    {
        string path = Path.Combine(_folder.Root, "file");
        if (before is not null)
        {
            File.WriteAllText(path, before);
        }

        Write(path, "new");
        File.ReadAllText(path).ShouldBe("new");
        Directory.GetFileSystemEntries(_folder.Root).ShouldBe([path]);
    }

    [Fact]
    public void WhenItCannotBeWrittenWhatWasThereStays()
    {
        string path = _folder.Text("file", "old");
        Should.Throw<IOException>(() => WholeFile.Write(path, file =>
        {
            file.Write("half"u8);
            throw new IOException("the disk is full");
        })).Message.ShouldBe("the disk is full");
        File.ReadAllText(path).ShouldBe("old");
        Directory.GetFileSystemEntries(_folder.Root).ShouldBe([path]);
    }

    [Fact]
    public void ALinkIsFollowedAndStaysOne()
    {
        string path = _folder.Text("file", "old"), link = Path.Combine(_folder.Root, "link");
        File.CreateSymbolicLink(link, "file");
        Write(link, "new");
        File.ReadAllText(path).ShouldBe("new");
        new FileInfo(link).LinkTarget.ShouldBe("file");
    }

    [SkippableFact]
    public void APipeIsWrittenAndNotReplaced()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Makes a named pipe.");
        string pipe = Path.Combine(_folder.Root, "pipe");
        using (Process make = Process.Start("mkfifo", [pipe]))
        {
            make.WaitForExit();
            Skip.If(make.ExitCode != 0, "There is no mkfifo.");
        }

        Task<string> read = Task.Run(() => File.ReadAllText(pipe));
        Write(pipe, "through");
        read.Wait(TimeSpan.FromSeconds(30)).ShouldBeTrue();
        read.Result.ShouldBe("through");
        Directory.GetFileSystemEntries(_folder.Root).ShouldBe([pipe]);
    }

    [SkippableFact]
    public void ALinkToADescriptorOfTheProcessIsWrittenThrough()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Looks at /proc.");
        string link = Path.Combine(_folder.Root, "stdout");
        using AnonymousPipeServerStream server = new(PipeDirection.In);
        File.CreateSymbolicLink(link, $"/proc/self/fd/{server.GetClientHandleAsString()}");
        string target = new FileInfo(link).LinkTarget!;
        Write(link, "through");

        // First, for where a file had taken its place nothing would ever come to be read.
        new FileInfo(link).LinkTarget.ShouldBe(target);
        byte[] read = new byte[7];
        server.ReadExactly(read);
        Encoding.UTF8.GetString(read).ShouldBe("through");
        Directory.GetFileSystemEntries(_folder.Root).ShouldBe([link]);
    }

    private static void Write(string path, string text) => WholeFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(text)), synced: true);
}
