using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Protocol.Tests.Harness;

/// <summary>What happens to actors: crashes, pauses, suspicions, takeovers.</summary>
internal sealed partial class FakeHost
{
    private void Disturb()
    {
        if (Events == _faults.StopAfterEvents)
        {
            Step(_actors[0]!, new Stimulus(StimulusKind.StopRequested));
        }

        if (_faultsLeft <= 0)
        {
            return;
        }

        if (Chance(_faults.LayerCrash))
        {
            Crash(1 + Below(_plan.Topology.LayerActors));
        }

        if (Chance(_faults.ShardCrash))
        {
            Crash(_plan.Topology.ShardActor(Below(_plan.Topology.ShardActors)).Index);
        }

        if (Chance(_faults.CoordinatorCrash))
        {
            CrashCoordinator();
        }

        if (Chance(_faults.CoordinatorPause))
        {
            PauseCoordinator(Below(3000));
        }

        if (Chance(_faults.FalseSuspicion))
        {
            _faultsLeft--;
            Suspect(1 + Below(_plan.Topology.Count - 1));
        }
    }

    /// <summary>An actor dies, and is suspected some time later.</summary>
    public void Crash(int index)
    {
        if (_actors[index] is { IsAlive: true } actor)
        {
            _faultsLeft--;
            Abandon(actor);
            At(1 + Below(300), () => Suspect(index));
        }
    }

    /// <summary>The coordinator dies with its records; another goes on some time later.</summary>
    public void CrashCoordinator()
    {
        if (_actors[0] is { IsAlive: true } coordinator && !_replaced.Contains(coordinator))
        {
            _faultsLeft--;
            Abandon(coordinator);
            At(1 + Below(300), () => TakeOver(coordinator));
        }
    }

    /// <summary>The coordinator stops, is replaced, and goes on when that has happened.</summary>
    public void PauseCoordinator(int length)
    {
        if (_actors[0] is { IsAlive: true, Stopped: null } coordinator && !_replaced.Contains(coordinator))
        {
            _faultsLeft--;
            coordinator.Stopped = new Queue<Action>();
            _replaced.Add(coordinator);
            At(1 + Below(300), () => TakeOver(coordinator));
            At(500 + length, () => GoOn(coordinator));
        }
    }

    private void TakeOver(FakeActor before)
    {
        if (_over)
        {
            return;
        }

        // Its node has lost the records, and nothing that it asked for is done any more.
        Array.Clear(_wanted);
        Takeovers++;
        Coordinator next = new(_plan, before.Machine.Incarnation + 1, Run, _start, kept: Kept(), before: null);
        _actors[0] = new FakeActor(next);
        Step(_actors[0]!, new Stimulus(StimulusKind.Started));
        for (int index = 1; index < _actors.Length; index++)
        {
            if (_actors[index] is not { IsAlive: true })
            {
                int dead = index;
                At(1 + Below(300), () => Suspect(dead));
            }
        }
    }

    /// <summary>Snapshots are on a disk of their own here.</summary>
    private CoordinatorProgress Kept() => Records.OfType<SnapshotRecord>().LastOrDefault()?.Progress ?? _start;

    private static void GoOn(FakeActor actor)
    {
        Queue<Action> missed = actor.Stopped!;
        actor.Stopped = null;
        while (missed.TryDequeue(out Action? next))
        {
            next();
        }
    }

    /// <summary>The coordinator hears of a suspicion, right or wrong.</summary>
    public void Suspect(int index)
    {
        if (!_over)
        {
            Step(_actors[0]!, new Stimulus(StimulusKind.Suspected) { Actor = new ActorId(index) });
        }
    }

    private void Abandon(FakeActor actor)
    {
        actor.IsAlive = false;
        EffectList effects = new();
        actor.Machine.Abandon(effects);
        for (int i = 0; i < effects.Count; i++)
        {
            if (effects[i].Kind != EffectKind.Release)
            {
                throw new InvalidOperationException($"An abandoned machine asks for {effects[i].Kind}.");
            }

            Pool.Release(effects[i].Buffer);
        }

        actor.DropOutgoing(Pool);
    }
}
