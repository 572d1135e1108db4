using System.Text.Json;
using DistTrain.Data;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Engines.Storage;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Processes;

/// <summary>The actors of one process: their cells, connections to the other processes, and what the parent says.</summary>
internal sealed class ChildRun : IActorHost, IDisposable
{
    // Where what the calling thread has sent in its turn waits, so that what it sends to a process at a time is written at once.
    [ThreadStatic]
    private static List<FrameLink>? t_gathering;

    private readonly RunPlan _plan;
    private readonly Placement _placement;
    private readonly int _process;
    private readonly SharedArena? _arena = SharedArena.TryCreate(ProcessesLimits.ArenaBytes);
    private readonly BufferPool _pool;
    private readonly IDisposable? _hold;
    private readonly RunStorage _storage;
    private readonly GroupCommit? _commits;
    private readonly ComputeCrew _crew;
    private readonly ActorCell?[] _cells;
    private readonly EarlyMail?[] _early;
    private readonly FrameLink?[] _links;
    private readonly PeerListener _listener;
    private readonly NoteWriter _notes;
    private readonly AloneCounter _alone;
    private readonly Lock _reportLock = new();
    private readonly ITimer _beat;
    private readonly Queue<long> _tellSteps;
    private long _run;
    private int _refusals;

    public ChildRun(ChildJob job, ChildExperiment experiment, NoteWriter notes)
    {
        (_notes, _process) = (notes, job.Process);
        _pool = new BufferPool(_arena);
        _tellSteps = new Queue<long>(job.TellSteps.Order());
        _beat = TimerThread.Shared.CreateTimer(_ => notes.WriteBeat(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(job.BeatEveryMs));
        RunRequest request = RequestOf(job, experiment);
        _plan = new RunPlan(request.Settings, job.Data.TrainRows, job.Data.TestRows);
        _placement = new Placement(_plan.Topology, job.Workers, job.Cores);
        _alone = new AloneCounter(_plan);
        LogPart? part = _placement.LogPartOf(_process, job.LogBefore);
        _hold = part is null ? null : JournalHold.TryTake(job.Journal, job.Claim)
            ?? throw new InvalidInputException($"{job.Journal}: another run has claimed this folder since; expected the parent to live");
        _storage = new RunStorage(request, _plan, _pool, part, text => notes.Write(new Note(NoteKind.Notice) { Text = text }));
        _commits = _storage.Syncs ? new GroupCommit(_storage, _pool, OnFailure) : null;
        IJobRunner runner = request.Settings.Precision == Precision.Float32
            ? new JobRunner<float>(request, _plan, _pool, _storage.Snapshots)
            : new JobRunner<double>(request, _plan, _pool, _storage.Snapshots);
        _crew = new ComputeCrew(job.ComputeThreads, runner) { OnFailure = OnFailure };
        _cells = new ActorCell[_plan.Topology.Count];
        _early = new EarlyMail[_plan.Topology.Count];
        foreach (ActorId actor in _placement.ActorsOf(_process))
        {
            _cells[actor.Index] = new ActorCell(actor, this, _crew, _pool, TimerThread.Shared);
            _early[actor.Index] = actor == ActorId.Coordinator ? null : new EarlyMail();
        }

        byte[] token = Convert.FromHexString(job.Token);
        _listener = new PeerListener(
            SocketFolder.SocketOf(job.Folder, _process), token, _placement, _process, _plan.Topology.Count, _pool, Receive, OnRefused);
        _links = new FrameLink[_placement.Count];
        for (int process = 0; process < _links.Length; process++)
        {
            PeerStream peer = new(SocketFolder.SocketOf(job.Folder, process), token, _process, _arena);
            _links[process] = process == _process ? null : new FrameLink(peer.Connect, ProcessesLimits.ReconnectCap, _pool);
        }

        LoadAhead(request.Data);
        YoungHeap.Settle(_plan.TotalSteps);
    }

    /// <summary>Does what the parent says; returns true at the end of the run, and false when the parent has ended instead.</summary>
    public bool Obey(StreamReader lines)
    {
        while (lines.ReadLine() is string line)
        {
            Command command = JsonSerializer.Deserialize(line, ControlJson.Default.Command);
            switch (command.Kind)
            {
                case CommandKind.Lead:
                    Lead(command);
                    break;
                case CommandKind.Spawn:
                    Start(new ActorId(command.Actor), command.Incarnation, command.Run);
                    break;
                case CommandKind.Suspect:
                    _cells[ActorId.Coordinator.Index]!.Post(new Stimulus(StimulusKind.Suspected) { Actor = new ActorId(command.Actor) });
                    break;
                case CommandKind.Joined:
                    _cells[ActorId.Coordinator.Index]!.Post(
                        new Stimulus(StimulusKind.Joined) { Actor = new ActorId(command.Actor), Incarnation = command.Incarnation });
                    break;
                case CommandKind.Stop:
                    _cells[ActorId.Coordinator.Index]!.Post(new Stimulus(StimulusKind.StopRequested));
                    break;
                case CommandKind.Alone:
                    SetAlone(command.On);
                    break;
                case CommandKind.Snapshot:
                    _storage.OnSnapshot(command.Step);
                    break;
                case CommandKind.Reconnect:
                    _links[command.Process]?.Reconnect();
                    break;
                case CommandKind.End:
                    End();
                    return true;
            }
        }

        return false;
    }

    public void Deliver(Envelope envelope)
    {
        _alone.See(envelope);
        if (envelope.Message is IssueStep issue)
        {
            TellIssued(issue.Step);
        }

        if (_cells[envelope.To.Index] is ActorCell here)
        {
            here.Post(Stimulus.Arrived(envelope));
        }
        else
        {
            FrameLink link = _links[_placement.ProcessOf(envelope.To)]!;
            link.Gather(envelope);
            List<FrameLink> gathering = t_gathering ??= [];
            if (!gathering.Contains(link))
            {
                gathering.Add(link);
            }
        }
    }

    public void SendOff()
    {
        if (t_gathering is List<FrameLink> gathering)
        {
            foreach (FrameLink link in gathering)
            {
                link.Flush();
            }

            gathering.Clear();
        }
    }

    public bool Persist(ActorCell cell, int life, PersistRecord record)
    {
        if (_commits is not null)
        {
            _commits.Add(cell, life, record);
            return false;
        }

        try
        {
            _storage.Write(record);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            RunStorage.Release(record, _pool);
            cell.OnPersisted(life, record, exception.Message);
            return false;
        }

        RunStorage.Release(record, _pool);
        return true;
    }

    public void Report(Report report)
    {
        lock (_reportLock)
        {
            _alone.On(report);
            _notes.Write(Note.Of(report));
        }
    }

    /// <summary>The coordinator, which is here, wants an actor started, wherever that is.</summary>
    public void Spawn(ActorId actor, int incarnation) =>
        _notes.Write(new Note(NoteKind.Spawn) { Run = Interlocked.Read(ref _run), Actor = actor.Index, Incarnation = incarnation });

    public void Dispose()
    {
        _beat.Dispose();
        _listener.Dispose();
        _commits?.Dispose();
        _crew.Dispose();
        foreach (FrameLink? link in _links)
        {
            link?.Dispose();
        }

        foreach (ActorCell? cell in _cells)
        {
            cell?.Dispose();
        }

        _storage.Dispose();
        _pool.Dispose();
        _arena?.Dispose();
        _hold?.Dispose();
    }

    private static RunRequest RequestOf(ChildJob job, ChildExperiment experiment)
    {
        NetworkSpec network = experiment.Settings.Network with { Inputs = job.Data.Inputs };
        return new RunRequest
        {
            Settings = experiment.Settings with { Network = network, Seed = job.Seed },
            Data = RunData.Deferred(job.Precision, job.Data, experiment.LoadData),
            JournalFolder = job.Journal,
            InitialWeights = experiment.ReadInitialWeights(network),
            ComputeThreads = job.ComputeThreads,
            Byzantine = experiment.Byzantine,
        };
    }

    /// <summary>First and last stages need the rows for sure: they are read while the connections are made. Others read them when a
    /// method has them ask.</summary>
    private void LoadAhead(RunData data)
    {
        Topology topology = _plan.Topology;
        bool needs = _placement.ActorsOf(_process).Any(actor =>
            topology.RoleOf(actor) == ActorRole.LayerActor && (topology.ShareOf(actor) >= 0 || _plan.IsLastStage(topology.StageOf(actor).Stage)));
        if (needs)
        {
            new Thread(() => TryLoad(data)) { IsBackground = true, Name = "data" }.Start();
        }
    }

    private void TryLoad(RunData data)
    {
        try
        {
            data.Load();
        }
        catch (Exception failure) when (failure is InvalidInputException or IOException or UnauthorizedAccessException)
        {
            OnFailure(failure);
        }
    }

    /// <summary>Called by one thread at a time: only the coordinator issues steps.</summary>
    private void TellIssued(long step)
    {
        while (_tellSteps.TryPeek(out long told) && told <= step)
        {
            _tellSteps.Dequeue();
            _notes.Write(new Note(NoteKind.Issued) { Issued = told });
        }
    }

    private void Lead(Command command)
    {
        Interlocked.Exchange(ref _run, command.Run);
        (CoordinatorProgress from, MembershipRecord? before) = command.Progress is null ? (_storage.From, _storage.Before) : (command.Progress, null);
        if (command.On && _plan.Topology.Copies > 1)
        {
            _cells[ActorId.Coordinator.Index]!.Start(
                Machines.NextCoordinator(_plan, command.Run, from, from, before, command.Incarnation));
            return;
        }

        if (command.On && command.Progress is null)
        {
            Report(new Recovered((before?.Epoch ?? 0) + 1, from.Step, 0));
        }

        _cells[ActorId.Coordinator.Index]!.Start(Machines.Coordinator(_plan, command.Run, from, before, command.Incarnation));
    }

    private void Start(ActorId actor, int incarnation, long run)
    {
        _cells[actor.Index]!.Start(Machines.Start(_plan, actor, incarnation, run));
        _early[actor.Index]!.OnSpawned(run, incarnation, Post);
        if (_plan.Topology.Copies > 1 && _plan.Topology.RoleOf(actor) == ActorRole.Shard)
        {
            _notes.Write(new Note(NoteKind.Joined) { Run = run, Actor = actor.Index, Incarnation = incarnation });
        }
    }

    private void Receive(Envelope envelope)
    {
        if (envelope.Message is BeginEpoch or Expand or Coefficients or ExpandedShare or Expanded)
        {
            // They belong to the time after the time alone, and come before the parent can say that it is over.
            SetAlone(false);
        }

        if (_early[envelope.To.Index] is EarlyMail early)
        {
            early.OnMessage(envelope, Post);
        }
        else
        {
            Post(envelope);
        }
    }

    private void Post(Envelope envelope) =>
        _cells[envelope.To.Index]!.Post(Stimulus.Arrived(envelope));

    private void SetAlone(bool alone)
    {
        lock (_reportLock)
        {
            _alone.On(new TrainsAlone(alone));
        }
    }

    private void OnRefused(string problem)
    {
        // Once is enough to look into it; whoever knocks often must not fill the log.
        if (Interlocked.Increment(ref _refusals) == 1)
        {
            _notes.Write(new Note(NoteKind.Notice) { Text = $"{_placement.NameOf(_process)} closed a connection: {problem}" });
        }
    }

    /// <summary>A machine or kernel let an exception through: a bug, or no memory. Other processes may live on.</summary>
    private void OnFailure(Exception exception)
    {
        _notes.Write(new Note(NoteKind.Failed) { Text = exception is InvalidInputException ? exception.Message : exception.ToString() });
        Environment.Exit(3);
    }

    private void End()
    {
        _commits?.Dispose();
        _crew.Dispose();
        MessageCounters[] counters = [.. _cells.OfType<ActorCell>().Select(cell => cell.Sent)];
        _notes.Write(new Note(NoteKind.Counts)
        {
            Messages = new SortedDictionary<string, long>(MessageCounters.Sum(counters).ToDictionary(), StringComparer.Ordinal),
            Bytes = counters.Sum(counter => counter.Bytes),
            MessagesWhileAlone = _alone.Outcome?.MessagesWhileAlone ?? 0,
        });
    }
}
