using Akka.Actor;
using Akka.Event;
using DistTrain.Akka.Security;

namespace DistTrain.Akka.Nodes;

/// <summary>Hands what Akka has to say (warnings and errors) to the node's log, one line each.</summary>
internal sealed class NoticeLogger : ReceiveActor
{
    public NoticeLogger()
    {
        Action<string> write = Context.System.Settings.Setup.Get<SealSetup>().Value.Log;
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(logged => write($"{(logged.LogLevel() == LogLevel.ErrorLevel ? "error" : "warning")}: {FirstLine(logged)}"));
    }

    /// <summary>What follows is a stack trace or a table of members.</summary>
    private static string FirstLine(LogEvent logged)
    {
        string text = $"{logged.Message}{(logged.Cause is Exception cause ? $" ({cause.GetType().Name}: {cause.Message})" : "")}";
        int end = text.IndexOfAny(['\r', '\n']);
        return end < 0 ? text : text[..end];
    }
}
