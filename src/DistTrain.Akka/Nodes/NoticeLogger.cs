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
        Receive<LogEvent>(logged => write($"{logged.LogLevel()}: {logged.Message}{(logged.Cause is Exception cause ? $" ({cause.GetType().Name}: {cause.Message})" : "")}"));
    }
}
