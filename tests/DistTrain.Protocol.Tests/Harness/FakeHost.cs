using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Tests.Harness;

/// <summary>
/// Runs all actors of a plan on one thread in virtual time, with symbolic jobs and seeded faults, and checks what hosts are
/// promised: references,
/// frozen buffers, jobs that run once.
/// </summary>
internal sealed partial class FakeHost
{
    private const long Run = 42;
    private const int EventsMax = 400_000;
    private readonly RunPlan _plan;
    private readonly Faults _faults;
    private readonly RandomStream _random;
    private readonly PriorityQueue<Action, (long Time, long Order)> _events = new();
    private readonly FakeActor?[] _actors;
    private readonly int[] _wanted;
    private readonly List<FakeActor> _replaced = [];
    private CoordinatorProgress _start = new();
    private readonly HashSet<Job> _running = new(ReferenceEqualityComparer.Instance);
    private readonly EffectList _effects = new();
    private long _draw, _order, _now;
    private int _faultsLeft;
    private bool _over;

    public FakeHost(RunPlan plan, Faults faults, ulong seed, SymbolicJobs? before = null, long divergingStep = 0)
    {
        _plan = plan;
        _faults = faults;
        _faultsLeft = faults.Most;
        _random = new RandomStream(seed, RandomPurpose.Faults);
        _actors = new FakeActor?[plan.Topology.Count];
        _wanted = new int[plan.Topology.Count];
        Jobs = new SymbolicJobs(Pool, plan, before?.Kept ?? []) { DivergingStep = divergingStep };
    }

    public BufferPool Pool { get; } = new();

    public SymbolicJobs Jobs { get; }

    public List<Report> Reports { get; } = [];

    /// <summary>What was kept, in order.</summary>
    public List<PersistRecord> Records { get; } = [];

    /// <summary>What coordinators kept and reported after they were replaced.</summary>
    public List<object> AfterReplacement { get; } = [];

    /// <summary>Coordinators that were replaced.</summary>
    public int Takeovers { get; private set; }

    /// <summary>Called after every event.</summary>
    public Action? OnEvent { get; set; }

    public RunEnded? End { get; private set; }

    public int Events { get; private set; }

    /// <summary>Runs to the end, and gives everything back.</summary>
    public FakeHost RunToEnd(int coordinatorIncarnation = 1, CoordinatorProgress? from = null)
    {
        _start = from ?? _start;
        _actors[0] = new FakeActor(new Coordinator(_plan, coordinatorIncarnation, Run, _start));
        Step(_actors[0]!, new Stimulus(StimulusKind.Started));
        while (End is null)
        {
            if (Events++ > EventsMax || !_events.TryDequeue(out Action? next, out (long Time, long) at))
            {
                throw new InvalidOperationException($"The run is stuck at {_now} ms after {Events} events. {Waits()}");
            }

            _now = at.Time;
            next();
            Disturb();
            OnEvent?.Invoke();
        }

        Stop();
        return this;
    }

    private void Stop()
    {
        _over = true;
        foreach (FakeActor? actor in _actors.Concat(_replaced))
        {
            if (actor is { IsAlive: true })
            {
                Abandon(actor);
            }
        }

        while (_events.TryDequeue(out Action? next, out _))
        {
            next();
        }

        if (Pool.Live != 0)
        {
            throw new InvalidOperationException($"{Pool.Live} buffers are never given back.");
        }
    }

    private string Waits() => string.Join("; ", _actors.Select((actor, index) => actor is null
        ? ""
        : $"{_plan.Topology.NameOf(new ActorId(index))} (epoch {actor.Machine.Epoch}{(actor.IsAlive ? "" : ", dead")}) waits for {actor.Machine.WaitsFor}"));

    private void At(long delay, Action action) => _events.Enqueue(action, (_now + delay, _order++));

    private bool Chance(double share) => share > 0 && _random.Uniform(_draw++) < share;

    private int Below(int bound) => _random.Below(_draw++, bound);

    private void Step(FakeActor actor, in Stimulus stimulus)
    {
        if (!actor.IsAlive)
        {
            return;
        }

        if (actor.Stopped is not null)
        {
            Wait(actor, stimulus);
            return;
        }

        _effects.Clear();
        actor.Machine.Step(stimulus, _effects);
        for (int i = 0; i < _effects.Count; i++)
        {
            Carry(actor, _effects[i]);
        }

        Flush(actor);
    }

    private void Wait(FakeActor actor, Stimulus stimulus)
    {
        Message? message = stimulus.Envelope?.Message;
        if (message is not null)
        {
            Pool.Retain(message);
        }

        actor.Stopped!.Enqueue(() =>
        {
            Step(actor, stimulus);
            if (message is not null)
            {
                Pool.Release(message);
            }
        });
    }

    private void Carry(FakeActor actor, Effect effect)
    {
        switch (effect.Kind)
        {
            case EffectKind.Send:
                Envelope envelope = effect.Envelope!;
                Pool.Retain(envelope.Message);
                Pool.Freeze(envelope.First);
                Pool.Freeze(envelope.Second);
                actor.Outgoing.Enqueue(effect);
                break;
            case EffectKind.Report or EffectKind.Spawn:
                actor.Outgoing.Enqueue(effect);
                break;
            case EffectKind.Persist:
                actor.Outgoing.Enqueue(effect);
                actor.PersistsUntil = Math.Max(actor.PersistsUntil, _now) + Below(4);
                At(actor.PersistsUntil - _now, () => OnPersisted(actor, effect.Record!));
                break;
            case EffectKind.RunJob:
                RunJob(actor, effect.Job!);
                break;
            case EffectKind.StartTimer:
                int generation = actor.Timers[effect.Timer] = actor.Timers.GetValueOrDefault(effect.Timer) + 1;
                At((long)effect.Delay.TotalMilliseconds, () => OnTimer(actor, effect.Timer, generation));
                break;
            case EffectKind.Retain:
                Pool.Retain(effect.Buffer);
                break;
            case EffectKind.Release:
                Pool.Release(effect.Buffer);
                break;
            default:
                throw new InvalidOperationException($"No machine asks for {effect.Kind}.");
        }
    }

    private void OnPersisted(FakeActor actor, PersistRecord record)
    {
        if (actor.IsAlive && !_over)
        {
            // It is the oldest unfinished one, so everything before it has gone.
            if (!ReferenceEquals(actor.Outgoing.Dequeue().Record, record))
            {
                throw new InvalidOperationException("Persists end in order.");
            }

            if (_replaced.Contains(actor))
            {
                AfterReplacement.Add(record);
            }
            else
            {
                Records.Add(record);
            }

            Flush(actor);
            Step(actor, Stimulus.Kept(record));
        }
    }

    private void OnTimer(FakeActor actor, int timer, int generation)
    {
        if (actor.Timers[timer] == generation && !_over)
        {
            Step(actor, new Stimulus(StimulusKind.Timer) { Timer = timer });
        }
    }

    private void Flush(FakeActor actor)
    {
        while (actor.Outgoing.TryPeek(out Effect effect) && FakeActor.IsVisible(effect))
        {
            actor.Outgoing.Dequeue();
            switch (effect.Kind)
            {
                case EffectKind.Send:
                    Transmit(effect.Envelope!);
                    break;
                case EffectKind.Report:
                    OnReport(actor, effect.Report!);
                    break;
                case EffectKind.Spawn when _replaced.Contains(actor):
                    break;
                default:
                    Spawn(effect.Actor, effect.Incarnation);
                    break;
            }
        }
    }

    private void OnReport(FakeActor actor, Report report)
    {
        if (_replaced.Contains(actor))
        {
            AfterReplacement.Add(report);
            return;
        }

        Reports.Add(report);
        End = report as RunEnded ?? End;
        Jobs.CommittedStep = report switch
        {
            StepCommitted committed => committed.Step,
            Recovered recovered => recovered.Step,
            _ => Jobs.CommittedStep,
        };
    }

    private void Spawn(ActorId id, int incarnation)
    {
        _wanted[id.Index] = incarnation;
        if (_faults.DownMax == 1)
        {
            Start(id, incarnation);
            return;
        }

        At(Below(_faults.DownMax), () => Start(id, incarnation));
    }

    private void Start(ActorId id, int incarnation)
    {
        if (_over || _wanted[id.Index] != incarnation)
        {
            return;
        }

        if (_actors[id.Index] is { IsAlive: true } old)
        {
            Abandon(old);
        }

        _actors[id.Index] = new FakeActor(Machines.Start(_plan, id, incarnation, Run));
        At(1 + Below(5), () => Tell(new Stimulus(StimulusKind.Joined) { Actor = id, Incarnation = incarnation }));
    }

    private void Tell(Stimulus stimulus)
    {
        if (!_over)
        {
            Step(_actors[0]!, stimulus);
        }
    }

    private void Transmit(Envelope envelope)
    {
        bool isCut = envelope.From.Index == _faults.Cut.From && envelope.To.Index == _faults.Cut.To && _now < _faults.Cut.Until
            && (envelope.Sequence == 0 || !_faults.CutsAcknowledgementsOnly);
        int copies = isCut || Chance(_faults.Loss) ? 0 : Chance(_faults.Duplication) ? 2 : 1;
        for (int copy = 0; copy < copies; copy++)
        {
            Pool.Retain(envelope.Message);
            At(1 + Below(_faults.LatencyMax), () => Deliver(envelope));
        }

        Pool.Release(envelope.Message);
    }

    private void Deliver(Envelope envelope)
    {
        if (_actors[envelope.To.Index] is FakeActor actor && !_over)
        {
            int incarnation = envelope.ToIncarnation;
            FakeActor to = envelope.To == ActorId.Coordinator ? _replaced.Find(one => one.Machine.Incarnation == incarnation) ?? actor : actor;
            Step(to, Stimulus.Arrived(envelope));
        }

        Pool.Release(envelope.Message);
    }

    private void RunJob(FakeActor actor, Job job)
    {
        if (!_running.Add(job))
        {
            throw new InvalidOperationException($"{job.GetType().Name} is asked for while it runs.");
        }

        BufferHandle[] inputs = [.. job.Inputs], outputs = [.. job.Outputs];
        foreach (BufferHandle input in inputs)
        {
            Pool.Retain(input);
        }

        At(Below(_faults.JobMax), () => OnJob(actor, job, inputs, outputs));
    }

    private void OnJob(FakeActor actor, Job job, BufferHandle[] inputs, BufferHandle[] outputs)
    {
        _running.Remove(job);
        if (!inputs.SequenceEqual(job.Inputs) || !outputs.SequenceEqual(job.Outputs))
        {
            throw new InvalidOperationException($"{job.GetType().Name} was changed while it ran.");
        }

        string? problem = null;
        if (actor.IsAlive && !_over)
        {
            problem = Jobs.Run(job);
        }
        else
        {
            // Given outputs travel with the job, so a dead actor's come back to the host.
            Array.ForEach(outputs, Pool.Release);
        }

        Array.ForEach(inputs, Pool.Release);
        if (actor.IsAlive && !_over)
        {
            Step(actor, Stimulus.Ended(job, problem));
        }
    }
}
