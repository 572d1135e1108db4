using System.Collections.Concurrent;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Tests.Support;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

/// <summary>
/// The ordering contract with a persister that answers when it likes: what others can see waits for the actor's earlier
/// records; jobs and timers do not.
/// </summary>
public sealed class ActorCellTests : IDisposable
{
    private const long Run = 77;

    // One stage and one shard: actors 0 to 2 are coordinator, layer actor, shard; slice 0 is everything.
    private readonly RunRequest _request = Runs.Of(settings => settings with { Stages = [3] });
    private readonly RunPlan _plan;
    private readonly TestFolder _folder = new();
    private readonly BufferPool _pool = new();
    private readonly SnapshotStore _snapshots;
    private readonly ComputeCrew _crew;
    private readonly SlowHost _host;
    private readonly ManualTime _time = new();

    public ActorCellTests()
    {
        _plan = new RunPlan(_request.Settings, _request.Data.TrainRows, _request.Data.TestRows);
        _snapshots = new SnapshotStore(_pool, new SnapshotFiles(_folder.Journal, _plan));
        _crew = new ComputeCrew(2, new JobRunner<float>(_request, _plan, _pool, _snapshots));
        _host = new SlowHost(_pool);
    }

    [Fact]
    public void SendsAndSpawnsAfterAPersistWaitForIt()
    {
        using ActorCell cell = StartedCoordinator();
        _host.Seen.ShouldBeEmpty();
        _host.Keep();
        WaitFor(() => _host.Seen.Length >= 6);
        _host.Seen.Take(2).ShouldBe(["spawn 1", "spawn 2"]);
        _host.Seen.ShouldContain("begin-epoch to 1");

        // A suspicion asks for a record; what the machine says meanwhile stays here.
        int before = _host.Seen.Length;
        cell.Post(new Stimulus(StimulusKind.Suspected) { Actor = new ActorId(1) });
        cell.Post(new Stimulus(StimulusKind.StopRequested));
        WaitFor(() => _host.Unfinished == 1);
        _time.FireAll();
        Settle(cell);
        _host.Seen.Length.ShouldBe(before);

        _host.Keep();
        WaitFor(() => _host.Seen.Skip(before).Contains("begin-epoch to 2"));
        string[] after = [.. _host.Seen.Skip(before)];
        after[0].ShouldBe("drain to 1", "what was held comes first");
        Array.IndexOf(after, "spawn 1").ShouldBeGreaterThan(0);
    }

    [Fact]
    public void WhatWaitsForARecordThatCouldNotBeKeptIsNeverSeen()
    {
        using ActorCell cell = StartedCoordinator();
        _host.Keep();
        WaitFor(() => _host.Seen.Contains("issue-step to 2"));
        Settle(cell);
        int before = _host.Seen.Length;
        cell.Post(new Stimulus(StimulusKind.Suspected) { Actor = new ActorId(1) });
        cell.Post(new Stimulus(StimulusKind.StopRequested));
        WaitFor(() => _host.Unfinished == 1);
        _host.Keep(problem: "the disk is full");
        WaitFor(() => _host.LastEnd is not null);
        _host.Seen.Skip(before).ShouldBe(["report RunEnded"]);
        _host.LastEnd!.End.ShouldBe(RunEnd.Failed);
        _host.LastEnd.Reason.ShouldContain("the disk is full");
    }

    [Fact]
    public void WhatARecordHeldBackIsSeenWithoutAnAnswerWhereItIsKeptAtOnce()
    {
        using ActorCell cell = CoordinatorWhoseRecordsAreKeptAtOnce(out SlowHost host);
        host.Seen.Take(2).ShouldBe(["spawn 1", "spawn 2"]);
        host.Seen.ShouldContain("begin-epoch to 1");
        host.Unfinished.ShouldBe(0);
        cell.Kill();
        WaitFor(() => cell.Machine is null);
    }

    [Fact]
    public void LossesThatWaitTogetherAreOneRecoveryAlsoWhereRecordsAreKeptAtOnce()
    {
        using ActorCell cell = CoordinatorWhoseRecordsAreKeptAtOnce(out SlowHost host);
        int before = host.Seen.Length, pause = cell.Pause();
        cell.Post(new Stimulus(StimulusKind.Suspected) { Actor = new ActorId(1) });
        cell.Post(new Stimulus(StimulusKind.Suspected) { Actor = new ActorId(2) });
        cell.Resume(pause);
        WaitFor(() => host.Seen.Skip(before).Contains("spawn 2"));
        Settle(cell);
        string[] seen = [.. host.Seen.Skip(before)];
        seen.Count(what => what == "begin-epoch to 1").ShouldBe(1);
        seen.ShouldContain("spawn 1");
    }

    [Fact]
    public void WhatACrewsOnlyThreadSendsToAPausedActorWaitsAndKeepsItsOrder()
    {
        using ComputeCrew crew = new(1, _crew.Runner);
        using ActorCell paused = new(new ActorId(1), _host, crew, _pool, _time), sender = new(ActorId.Coordinator, _host, crew, _pool, _time);
        int pause = paused.Pause();
        _host.ForwardsTo = paused;
        sender.Start(new Coordinator(_plan, 1, Run, new CoordinatorProgress()));
        WaitFor(() => _host.Unfinished == 1);
        _host.Keep();
        WaitFor(() => _host.Seen.Contains("issue-step to 2"));
        Settle(sender);

        // A turn of the paused one has ended by now, and more comes.
        sender.Post(new Stimulus(StimulusKind.StopRequested));
        WaitFor(() => _host.Seen.Contains("drain to 1"));
        Settle(sender);
        _host.Lost.ShouldBeEmpty("nobody lives there, and a pause is not over");
        paused.Resume(pause);
        WaitFor(() => _host.Lost.Length >= 2);
        _host.Lost.ShouldBe(_host.Lost.Order());
    }

    [Fact]
    public void JobsDoNotWaitForAPersist()
    {
        using ActorCell cell = StartedShard(out BufferHandle gradient);
        WaitFor(() => _host.Unfinished == 1);
        _host.Seen.ShouldNotContain("prepared to 0");

        // The record of step 1 is on its way to the disk, and a snapshot is asked for: its job runs, its answer waits.
        Send(cell, 3, new TakeSnapshot(1));
        WaitFor(() => File.Exists(Path.Combine(_folder.Journal, "step-000000001", "slice-000.safetensors")));
        Settle(cell);
        _host.Seen.ShouldNotContain("snapshot-taken to 0");

        _host.Keep();
        WaitFor(() => _host.Seen.Contains("prepared to 0") && _host.Seen.Contains("snapshot-taken to 0"));
        _pool.Release(gradient);
    }

    [Fact]
    public void WhatATurnSendsIsSentOffTogetherAndAtItsEndAtTheLatest()
    {
        using ActorCell cell = CoordinatorWhoseRecordsAreKeptAtOnce(out SlowHost host);
        WaitFor(() => host.Unsent == 0);
        host.SentOffTogetherMax.ShouldBeGreaterThan(1);
    }

    [Fact]
    public void WhatWasSentBeforeARecordWithTensorsIsSentOffBeforeItIsWritten()
    {
        RunPlan logged = new(_request.Settings with { Durability = Durability.Step }, _request.Data.TrainRows, _request.Data.TestRows);
        using ActorCell cell = StartedShard(out BufferHandle gradient, logged);
        WaitFor(() => _host.Unfinished == 1);
        _host.Seen.Count(seen => seen == "weights to 1").ShouldBe(2, "those of step 2 go with the record of step 1");
        _host.UnsentAtRecords.ShouldBe([0]);
        _pool.Release(gradient);
    }

    [Fact]
    public void ARecordOfAnEarlierLifeIsNobodysBusiness()
    {
        using ActorCell cell = StartedShard(out BufferHandle gradient);
        WaitFor(() => _host.Unfinished == 1);
        cell.Kill();
        cell.Start(new ParameterShard(_plan, cell.Id, 2, Run));
        Settle(cell);
        _host.Keep();
        Settle(cell);
        _host.Seen.ShouldNotContain("prepared to 0");

        // The new life's own records hold its sends back as ever.
        Begin(cell, epoch: 2, incarnation: 2, gradient);
        WaitFor(() => _host.Unfinished == 1);
        Settle(cell);
        _host.Seen.ShouldNotContain("prepared to 0");
        _host.Keep();
        WaitFor(() => _host.Seen.Contains("prepared to 0"));
        _pool.Release(gradient);
    }

    [Fact]
    public void ADeadActorKeepsNothing()
    {
        ActorCell cell = StartedShard(out BufferHandle gradient);
        WaitFor(() => _host.Unfinished == 1);
        cell.Kill();
        Settle(cell);
        cell.Machine.ShouldBeNull();
        Send(cell, 3, new TakeSnapshot(1));
        Settle(cell);
        _crew.Dispose();
        cell.Dispose();
        _pool.Release(gradient);
        _pool.Live.ShouldBe(0);
    }

    public void Dispose()
    {
        _crew.Dispose();
        _snapshots.Dispose();
        _pool.Dispose();
        _folder.Dispose();
    }

    private ActorCell StartedCoordinator()
    {
        ActorCell cell = new(ActorId.Coordinator, _host, _crew, _pool, _time);
        cell.Start(new Coordinator(_plan, 1, Run, new CoordinatorProgress()));
        WaitFor(() => _host.Unfinished == 1);
        return cell;
    }

    private ActorCell CoordinatorWhoseRecordsAreKeptAtOnce(out SlowHost host)
    {
        SlowHost keeping = host = new SlowHost(_pool) { KeepsAtOnce = true };
        ActorCell cell = new(ActorId.Coordinator, host, _crew, _pool, _time);
        cell.Start(new Coordinator(_plan, 1, Run, new CoordinatorProgress()));
        WaitFor(() => keeping.Seen.Length >= 6);
        return cell;
    }

    /// <summary>A shard that has computed step 1 and asked for its record to be kept.</summary>
    private ActorCell StartedShard(out BufferHandle gradient, RunPlan? plan = null)
    {
        ActorCell cell = new(new ActorId(2), _host, _crew, _pool, _time);
        cell.Start(new ParameterShard(plan ?? _plan, cell.Id, 1, Run));
        gradient = _pool.Rent(_plan.Slices[0].Length * sizeof(float));
        _pool.Bytes(gradient).Clear();
        Begin(cell, epoch: 1, incarnation: 1, gradient);
        return cell;
    }

    private void Begin(ActorCell cell, int epoch, int incarnation, BufferHandle gradient)
    {
        int Weights() => _host.Seen.Count(seen => seen == "weights to 1");
        int before = Weights();
        Send(cell, 1, new BeginEpoch(0, [1, 1, incarnation], []), epoch, incarnation);
        Send(cell, 2, new IssueStep(1, 1, false), epoch, incarnation);
        WaitFor(() => Weights() > before);
        _pool.Retain(gradient);
        cell.Post(Arrival(new ActorId(1), cell, 1, new Contribution(1, 0, 0, gradient, BufferHandle.None), epoch, incarnation));
    }

    private static void Send(ActorCell cell, long sequence, Message message, int epoch = 1, int incarnation = 1) =>
        cell.Post(Arrival(ActorId.Coordinator, cell, sequence, message, epoch, incarnation));

    private static Stimulus Arrival(ActorId from, ActorCell to, long sequence, Message message, int epoch, int incarnation) =>
        Stimulus.Arrived(new Envelope(Run, epoch, from, 1, to.Id, incarnation, sequence, 0, message));

    /// <summary>Everything that was posted before is handled: a turn takes its mailbox in order.</summary>
    private static void Settle(ActorCell cell)
    {
        long handled = cell.Machine?.Stale ?? 0;
        if (cell.Machine is ActorMachine machine)
        {
            cell.Post(Stimulus.Arrived(new Envelope(Run + 1, 1, new ActorId(1), 1, cell.Id, 1, 1, 0, Acknowledge.Instance)));
            SpinWait.SpinUntil(() => machine.Stale > handled || cell.Machine != machine, TimeSpan.FromSeconds(10)).ShouldBeTrue();
        }
        else
        {
            WaitFor(() => true);
        }
    }

    private static void WaitFor(Func<bool> condition) => SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(20)).ShouldBeTrue();

    /// <summary>Keeps records when told to, and writes down what can be seen.</summary>
    private sealed class SlowHost(BufferPool pool) : IActorHost
    {
        private readonly ConcurrentQueue<(ActorCell Cell, int Life, PersistRecord Record)> _records = new();
        private readonly ConcurrentQueue<string> _seen = new();
        private readonly ConcurrentQueue<long> _lost = new();
        private int _unsent;

        private readonly ConcurrentQueue<int> _unsentAtRecords = new();

        /// <summary>Messages that have been delivered and not sent off.</summary>
        public int Unsent => Volatile.Read(ref _unsent);

        /// <summary>How many of them there were when records were given.</summary>
        public int[] UnsentAtRecords => [.. _unsentAtRecords];

        /// <summary>The most that were sent off at a time.</summary>
        public int SentOffTogetherMax { get; private set; }

        public string[] Seen => [.. _seen];

        /// <summary>Sequences of what was forwarded and found nobody.</summary>
        public long[] Lost => [.. _lost];

        /// <summary>Gets every message to it, on the thread that sends.</summary>
        public ActorCell? ForwardsTo { get; set; }

        public int Unfinished => _records.Count;

        public RunEnded? LastEnd { get; private set; }

        /// <summary>The oldest record is kept, or is not for a reason.</summary>
        public void Keep(string? problem = null)
        {
            _records.TryDequeue(out (ActorCell Cell, int Life, PersistRecord Record) oldest).ShouldBeTrue();
            oldest.Cell.OnPersisted(oldest.Life, oldest.Record, problem);
        }

        public void OnLost(Envelope envelope) => _lost.Enqueue(envelope.Sequence);

        public void Deliver(Envelope envelope)
        {
            Interlocked.Increment(ref _unsent);
            _seen.Enqueue($"{MessageCatalog.TagOf(envelope.Message)} to {envelope.To.Index}");
            if (ForwardsTo is ActorCell cell && cell.Id == envelope.To)
            {
                cell.Post(Stimulus.Arrived(envelope));
                return;
            }

            pool.Release(MessageBuffers.First(envelope.Message));
            pool.Release(MessageBuffers.Second(envelope.Message));
        }

        public void SendOff() => SentOffTogetherMax = Math.Max(SentOffTogetherMax, Interlocked.Exchange(ref _unsent, 0));

        /// <summary>Whether records are kept as soon as they are given.</summary>
        public bool KeepsAtOnce { get; init; }

        public bool Persist(ActorCell cell, int life, PersistRecord record)
        {
            _unsentAtRecords.Enqueue(Unsent);
            if (!KeepsAtOnce)
            {
                _records.Enqueue((cell, life, record));
            }

            return KeepsAtOnce;
        }

        public void Report(Report report)
        {
            _seen.Enqueue($"report {report.GetType().Name}");
            LastEnd = report as RunEnded ?? LastEnd;
        }

        public void Spawn(ActorId actor, int incarnation) => _seen.Enqueue($"spawn {actor.Index}");
    }

    /// <summary>Timers that fire when told to.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private readonly ConcurrentQueue<ManualTimer> _timers = new();

        public void FireAll()
        {
            foreach (ManualTimer timer in _timers)
            {
                timer.Fire();
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ManualTimer timer = new(callback, state);
            _timers.Enqueue(timer);
            return timer;
        }

        private sealed class ManualTimer(TimerCallback callback, object? state) : ITimer
        {
            public void Fire() => callback(state);

            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
