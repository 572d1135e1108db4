using System.Buffers;
using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Shared;
using DistTrain.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Wire;

namespace DistTrain.Conformance.Chaos;

/// <summary>
/// Real machines with real arithmetic on one thread and virtual time, where everything that may go wrong does. Every
/// envelope passes through the
/// bytes of a frame. The same seed gives the same run.
/// </summary>
internal sealed class ChaosRun : IDisposable
{
    private const long RunIdentity = 0x5EED;
    private const int StimuliMax = 3_000_000;

    private readonly RunPlan _plan;
    private readonly ChaosFaults _faults;
    private readonly Draw _draw;
    private readonly BufferPool _pool = new();
    private readonly SnapshotStore _snapshots;
    private readonly IJobRunner _runner;
    private readonly RunRecorder _recorder;
    private readonly ComputeScratch _scratch = new();
    private readonly FrameCodec _codec = new();
    private readonly PoolBytes _bytes;
    private readonly EffectList _effects = new();
    private readonly ChaosActor?[] _actors;
    private readonly PriorityQueue<Action, (double At, long Order)> _events = new();
    private double _now;
    private long _order, _staleness;
    private int _crashes, _dropped;

    public ChaosRun(RunRequest request, ChaosFaults faults, IRunObserver observer)
    {
        _plan = new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        _faults = faults;
        _draw = new Draw(faults.Seed, stream: 7);
        _snapshots = new SnapshotStore(_pool, null);
        _runner = request.Settings.Precision == Precision.Float32
            ? new JobRunner<float>(request, _plan, _pool, _snapshots)
            : new JobRunner<double>(request, _plan, _pool, _snapshots);
        _recorder = new RunRecorder(_plan, request.Data.TargetsAreClasses, observer, TimeProvider.System);
        _actors = new ChaosActor[_plan.Topology.Count];
        _bytes = new PoolBytes(_pool);
    }

    /// <summary>Asks for a stop once so many stimuli were handled.</summary>
    public int? StopAfterStimuli { get; init; }

    public ChaosAccount ToEnd()
    {
        Start(ActorId.Coordinator, new Coordinator(_plan, 1, RunIdentity, new CoordinatorProgress()));
        int handled = 0;
        while (_recorder.Ended is null && handled < StimuliMax && _events.TryDequeue(out Action? happens, out (double At, long Order) when))
        {
            _now = when.At;
            happens();
            if (handled++ == StopAfterStimuli)
            {
                Step(ActorId.Coordinator, _actors[0]!, new Stimulus(StimulusKind.StopRequested));
            }

            MisbehaveSometimes();
        }

        if (_recorder.Ended is null)
        {
            _recorder.On(new RunEnded(RunEnd.Failed, 0, $"stuck after {handled} stimuli: {WhoWaits()}"));
        }

        long step = _recorder.Ended!.Step;
        long[] updates = _recorder.Ended.End == RunEnd.Failed ? [] : [.. _plan.Slices.Select(slice => UpdatesOf(slice, step))];
        RunOutcome outcome = _recorder.Outcome(_runner.ReadParameters(step), []);
        GiveEverythingBack();
        return new ChaosAccount
        {
            Outcome = outcome,
            LiveBuffers = _pool.Live,
            Updates = updates,
            StalenessSteps = _staleness,
            Crashes = _crashes,
            Dropped = _dropped,
        };
    }

    public void Dispose()
    {
        _scratch.Dispose();
        _codec.Dispose();
        _pool.Dispose();
    }

    private string WhoWaits() => string.Join("; ", Enumerable.Range(0, _actors.Length)
        .Select(index => $"{_plan.Topology.NameOf(new ActorId(index))}: {_actors[index]?.Machine.WaitsFor ?? "dead"}"));

    private void After(double milliseconds, Action happens) => _events.Enqueue(happens, (_now + milliseconds, _order++));

    private void Start(ActorId actor, ActorMachine machine)
    {
        Kill(actor);
        ChaosActor life = new(machine);
        _actors[actor.Index] = life;
        After(_draw.Uniform(0, 1), () => Step(actor, life, new Stimulus(StimulusKind.Started)));
    }

    private void Kill(ActorId actor)
    {
        if (_actors[actor.Index] is not ChaosActor life)
        {
            return;
        }

        life.IsDead = true;
        _actors[actor.Index] = null;
        _effects.Clear();
        life.Machine.Abandon(_effects);
        for (int i = 0; i < _effects.Count; i++)
        {
            _pool.Release(_effects[i].Buffer);
        }

        foreach (Effect effect in life.TakeUnpublished())
        {
            ReleaseSent(effect);
        }
    }

    private void Step(ActorId actor, ChaosActor life, in Stimulus stimulus)
    {
        if (life.IsDead)
        {
            return;
        }

        _effects.Clear();
        life.Machine.Step(stimulus, _effects);
        CarryOut(actor, life);
    }

    private void CarryOut(ActorId actor, ChaosActor life)
    {
        for (int i = 0; i < _effects.Count; i++)
        {
            Effect effect = _effects[i];
            switch (effect.Kind)
            {
                case EffectKind.Retain:
                    _pool.Retain(effect.Buffer);
                    break;
                case EffectKind.Release:
                    _pool.Release(effect.Buffer);
                    break;
                case EffectKind.RunJob:
                    StartJob(actor, life, effect.Job!);
                    break;
                case EffectKind.StartTimer:
                    StartTimer(actor, life, effect.Timer, effect.Delay);
                    break;
                case EffectKind.CancelTimer:
                    life.SetTimer(effect.Timer);
                    break;
                case EffectKind.Persist:
                    Persist(actor, life, effect.Record!);
                    break;
                default:
                    RetainSent(effect);
                    life.Hold(effect);
                    break;
            }
        }

        Publish(life);
    }

    private void StartTimer(ActorId actor, ChaosActor life, int timer, TimeSpan delay)
    {
        int setting = life.SetTimer(timer);
        After(delay.TotalMilliseconds, () =>
        {
            if (life.IsCurrent(timer, setting))
            {
                Step(actor, life, new Stimulus(StimulusKind.Timer) { Timer = timer });
            }
        });
    }

    private void StartJob(ActorId actor, ChaosActor life, Job job)
    {
        foreach (BufferHandle input in job.Inputs)
        {
            _pool.Retain(input);
        }

        // The arithmetic runs late, at the end of its time: buffers that were given back too early show.
        After(_draw.Uniform(0.1, 20), () =>
        {
            _runner.Run(job, _scratch, SerialForkJoin.Instance);
            foreach (BufferHandle input in job.Inputs)
            {
                _pool.Release(input);
            }

            if (life.IsDead)
            {
                ReleaseOutputs(job);
                return;
            }

            Step(actor, life, Stimulus.Ended(job));
        });
    }

    private void Persist(ActorId actor, ChaosActor life, PersistRecord record)
    {
        life.Hold(record);
        life.PersistsEnd = Math.Max(life.PersistsEnd, _now) + _draw.Uniform(0.1, 15);
        After(life.PersistsEnd - _now, () =>
        {
            if (life.IsDead)
            {
                return;
            }

            if (record is SnapshotRecord snapshot)
            {
                _snapshots.Complete(snapshot.Progress);
            }

            life.OnPersisted(record);
            Publish(life);
            Step(actor, life, Stimulus.Kept(record));
        });
    }

    private void Publish(ChaosActor life)
    {
        while (life.TryPublish(out Effect effect))
        {
            switch (effect.Kind)
            {
                case EffectKind.Send:
                    Send(effect.Envelope!);
                    ReleaseSent(effect);
                    break;
                case EffectKind.Report:
                    _recorder.On(effect.Report!);
                    break;
                case EffectKind.Spawn:
                    Spawn(effect.Actor, effect.Incarnation);
                    break;
            }
        }
    }

    private void Spawn(ActorId actor, int incarnation) => Start(actor, Machines.Start(_plan, actor, incarnation, RunIdentity));

    private void Send(Envelope envelope)
    {
        if (envelope.Message is Prepared prepared)
        {
            _staleness = Math.Max(_staleness, prepared.StalenessSteps);
        }

        if (_draw.Chance(_faults.Drop))
        {
            _dropped++;
            return;
        }

        ArrayBufferWriter<byte> frame = new();
        _codec.Write(envelope, _bytes, frame);
        ActorId to = envelope.To;
        int copies = _draw.Chance(_faults.Duplicate) ? 2 : 1;
        for (int copy = 0; copy < copies; copy++)
        {
            After(_draw.Uniform(0.05, _faults.DelayMillisecondsMax), () => Arrive(to, frame.WrittenMemory));
        }
    }

    private void Arrive(ActorId to, ReadOnlyMemory<byte> frame)
    {
        if (_actors[to.Index] is not ChaosActor life)
        {
            return;
        }

        _codec.Read(frame.Span, _bytes, out Envelope envelope);
        Step(to, life, Stimulus.Arrived(envelope));
        _pool.Release(MessageBuffers.First(envelope.Message));
        _pool.Release(MessageBuffers.Second(envelope.Message));
    }

    private void MisbehaveSometimes()
    {
        // Without members nobody can fail yet.
        if (_crashes >= _faults.CrashesMax || _actors[0]!.Machine.Epoch == 0)
        {
            return;
        }

        Topology topology = _plan.Topology;
        if (_draw.Chance(_faults.LayerActorCrash))
        {
            Crash(new ActorId(1 + _draw.Below(topology.LayerActors)), dies: true);
        }
        else if (_draw.Chance(_faults.ShardCrash))
        {
            Crash(topology.Shard(_draw.Below(topology.Shards)), dies: true);
        }
        else if (_draw.Chance(_faults.FalseSuspicion))
        {
            Crash(new ActorId(1 + _draw.Below(topology.Count - 1)), dies: false);
        }
    }

    private void Crash(ActorId actor, bool dies)
    {
        _crashes++;
        if (dies)
        {
            Kill(actor);
        }

        // Suspicion takes its time, and may come twice.
        ChaosActor coordinator = _actors[ActorId.Coordinator.Index]!;
        int times = _draw.Chance(0.2) ? 2 : 1;
        for (int time = 0; time < times; time++)
        {
            After(_draw.Uniform(1, 300), () => Step(ActorId.Coordinator, coordinator, new Stimulus(StimulusKind.Suspected) { Actor = actor }));
        }
    }

    private long UpdatesOf(SlicePlan slice, long step)
    {
        RestoreJob job = new(slice, _plan.Settings.Replicas) { Step = step };
        _runner.Run(job, _scratch, SerialForkJoin.Instance);
        ReleaseOutputs(job);
        return job.Updates;
    }

    private void GiveEverythingBack()
    {
        for (int index = 0; index < _actors.Length; index++)
        {
            Kill(new ActorId(index));
        }

        // What is still under way ends in the hands of the dead.
        while (_events.TryDequeue(out Action? happens, out _))
        {
            happens();
        }

        _snapshots.Dispose();
    }

    private void RetainSent(in Effect effect)
    {
        if (effect.Envelope is Envelope envelope)
        {
            _pool.Retain(envelope.First);
            _pool.Retain(envelope.Second);
        }
    }

    private void ReleaseSent(in Effect effect)
    {
        if (effect.Envelope is Envelope envelope)
        {
            _pool.Release(envelope.First);
            _pool.Release(envelope.Second);
        }
    }

    private void ReleaseOutputs(Job job)
    {
        foreach (BufferHandle output in job.Outputs)
        {
            _pool.Release(output);
        }
    }
}
