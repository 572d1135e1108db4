using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Processes;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Leading;

/// <summary>The end of a run: nodes say what they counted, the client fetches the model, and the cluster is free.</summary>
internal sealed partial class LeaderActor
{
    private void End(RunEnded ended)
    {
        if (_phase != Phase.Running)
        {
            return;
        }

        _ended = ended;
        _trace?.SetTag("end", ended.End.ToString())?.Dispose();
        _trace = null;
        Enter(Phase.Ending);
        TellEnd();
    }

    private void TellEnd()
    {
        foreach (LeaderNode node in Taking.Where(node => !_counts.ContainsKey(node.Address)))
        {
            node.Actor.Tell(new EndRun(_run));
        }
    }

    private void OnCounts(RunCounts counts)
    {
        if (counts.Run == _run && _phase == Phase.Ending && Find(Sender) is LeaderNode node)
        {
            _counts[node.Address] = counts.Note;
            if (Taking.All(taking => _counts.ContainsKey(taking.Address)))
            {
                TellOver();
            }
        }
    }

    private void TellOver()
    {
        if (_clientLostAt != 0)
        {
            // Nobody fetches the model; what a log keeps is there for whoever resumes the run.
            Forget(isCollected: false);
            return;
        }

        Enter(Phase.Collecting);
        SendOver();
    }

    /// <summary>A run whose client is gone stops at a committed step; one that commits none any more must not take the cluster for ever.</summary>
    private void FailIfNobodyWaits()
    {
        if (_clientLostAt != 0 && _time.GetElapsedTime(_clientLostAt) > StopFor)
        {
            Fail($"its client is gone, and no step could be committed for {StopFor.TotalSeconds} s");
        }
    }

    private void SendOver()
    {
        SendWaiting();
        byte[] ended = JsonSerializer.SerializeToUtf8Bytes(Note.Of(_ended!), ControlJson.Default.Note);
        byte[] counts = JsonSerializer.SerializeToUtf8Bytes(Sum(), ControlJson.Default.Note);
        string[] holders = [.. Taking.Where(node => node.SnapshotStep == _snapshot?.Step).Select(HolderPath)];
        _client.Tell(new RunOver(_run, ended, counts, holders), _host.Node);
    }

    private Note Sum()
    {
        Note[] notes = [.. _counts.Values.Select(bytes => JsonSerializer.Deserialize(bytes, ControlJson.Default.Note)!)];
        SortedDictionary<string, long> messages = new(StringComparer.Ordinal);
        foreach ((string tag, long count) in notes.SelectMany(note => note.Messages ?? []))
        {
            messages[tag] = messages.GetValueOrDefault(tag) + count;
        }

        return new Note(NoteKind.Counts)
        {
            Messages = messages,
            Bytes = notes.Sum(note => note.Bytes),
            MessagesWhileAlone = notes.Sum(note => note.MessagesWhileAlone),
        };
    }

    /// <summary>The run is over. One that keeps a log can be resumed from it, unless its client has the model.</summary>
    private void Forget(bool isCollected)
    {
        if (_job is not null)
        {
            foreach (LeaderNode node in _nodes)
            {
                node.Actor.Tell(new ForgetRun(_job.RunId, KeepsLog && !isCollected));
            }
        }

        Context.Unwatch(_client);
        _client = ActorRefs.Nobody;
        (_job, _from, _snapshot, _found, _keeping) = (null, null, null, null, null);
        Enter(Phase.Idle);
    }
}
