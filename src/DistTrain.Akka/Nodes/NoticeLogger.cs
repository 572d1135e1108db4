using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;
using DistTrain.Akka.Security;

namespace DistTrain.Akka.Nodes;

/// <summary>Hands what Akka has to say (warnings and errors) to the node's log, one line each, and the same line not again for a minute: a node
/// that is gone is tried every second.</summary>
internal sealed partial class NoticeLogger : ReceiveActor
{
    private const int KnownMax = 256;
    private static readonly TimeSpan QuietFor = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly Dictionary<string, long> _said = new(StringComparer.Ordinal);

    public NoticeLogger()
    {
        Action<string> write = Context.System.Settings.Setup.Get<SealSetup>().Value.Log;
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(logged =>
        {
            string line = $"{(logged.LogLevel() == LogLevel.ErrorLevel ? "error" : "warning")}: {FirstLine(logged)}";
            if (IsNews(line))
            {
                write(line);
            }
        });
    }

    private bool IsNews(string line)
    {
        // A stranger has another port each time.
        line = Channel().Replace(line, "");
        if (_said.TryGetValue(line, out long at) && _time.GetElapsedTime(at) < QuietFor)
        {
            return false;
        }

        if (_said.Count >= KnownMax)
        {
            _said.Clear();
        }

        _said[line] = _time.GetTimestamp();
        return true;
    }

    /// <summary>What follows is a stack trace or a table of members.</summary>
    private static string FirstLine(LogEvent logged)
    {
        string text = $"{logged.Message}{(logged.Cause is Exception cause ? $" ({cause.GetType().Name}: {cause.Message})" : "")}";
        int end = text.IndexOfAny(['\r', '\n']);
        return end < 0 ? text : text[..end];
    }

    [GeneratedRegex(@"\[\[.*\]\(Id=[0-9a-f]+\)")]
    private static partial Regex Channel();
}
