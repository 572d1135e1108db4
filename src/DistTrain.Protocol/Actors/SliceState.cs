using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// One slice on its shard: its versions from the last committed one to the newest, and the contributions that wait to become
/// the next one.
/// </summary>
internal sealed class SliceState
{
    private readonly List<SliceVersion> _versions = [];
    private readonly Stack<SliceVersion> _free = new();
    private readonly int _replicas;

    public SliceState(SlicePlan plan, int replicas, bool asynchronous)
    {
        Plan = plan;
        _replicas = replicas;
        Gradients = new BufferHandle[replicas];
        Carried = new BufferHandle[replicas * plan.CarriedCount];
        ContributedSteps = new long[replicas];
        AppliedSteps = new long[replicas];
        Unanswered = new bool[replicas];
        Jobs = new ShardJobs(plan.Index, replicas, asynchronous);
        Backlog = [.. Enumerable.Range(0, replicas).Select(_ => new Queue<Message>())];
    }

    public SlicePlan Plan { get; }

    /// <summary>This slice's job objects; replaced when an epoch begins.</summary>
    public ShardJobs Jobs { get; private set; }

    /// <summary>Waiting contributions by replica, or none.</summary>
    public BufferHandle[] Gradients { get; }

    /// <summary>Carried state that came with them, replica by replica; of each kind the newest position alone.</summary>
    public BufferHandle[] Carried { get; }

    /// <summary>The step of each replica's waiting contribution.</summary>
    public long[] ContributedSteps { get; }

    /// <summary>The last step of each replica whose contribution is in the newest version.</summary>
    public long[] AppliedSteps { get; }

    /// <summary>Replicas whose contributions wait, in order of arrival.</summary>
    public Queue<int> Arrivals { get; } = new();

    /// <summary>Asynchronous modes: replicas that wait for the weights of their next step.</summary>
    public bool[] Unanswered { get; }

    /// <summary>Asynchronous modes: the replica whose contribution is being applied.</summary>
    public int ApplyingReplica { get; set; }

    /// <summary>By replica, contributions and carried state that came while the one before still waited; only where there are several copies.</summary>
    public Queue<Message>[] Backlog { get; }

    /// <summary>The state that is arriving from the primary; null for none.</summary>
    public BufferHandle[]? Incoming { get; set; }

    /// <summary>Where a log is kept: what made the versions that no record has told of yet.</summary>
    public Queue<AppliedUpdate> Unlogged { get; } = new();

    /// <summary>Whether an apply job runs.</summary>
    public bool IsApplying { get; set; }

    /// <summary>Whether the partials of the waiting contributions were sent or are being computed.</summary>
    public bool PartialsAsked { get; set; }

    /// <summary>Whether there is a version at all; false until the first restore.</summary>
    public bool HasVersion => _versions.Count > 0;

    /// <summary>The newest version.</summary>
    public SliceVersion Newest => _versions[^1];

    /// <summary>The step that every replica has contributed up to.</summary>
    public long AppliedByAll => AppliedSteps.Min();

    /// <summary>The version of a step, or null.</summary>
    public SliceVersion? Find(long step)
    {
        foreach (SliceVersion version in _versions)
        {
            if (version.Step == step)
            {
                return version;
            }
        }

        return null;
    }

    /// <summary>A version object to fill.</summary>
    public SliceVersion NewVersion() => _free.TryPop(out SliceVersion? version) ? version : new SliceVersion(_replicas * Plan.CarriedCount);

    /// <summary>Adds a newer version.</summary>
    public void Push(SliceVersion version)
    {
        InvariantException.Require(!HasVersion || version.Step >= Newest.Step, "Versions grow.");
        _versions.Add(version);
    }

    /// <summary>Drops versions older than a step, but never the newest. The weights of some stay where the method carries
    /// them.</summary>
    public void DropBefore(long step, EffectList effects)
    {
        while (_versions.Count > 1 && _versions[0].Step < step - Plan.OlderVersions)
        {
            Drop(0, effects);
        }

        for (int index = 0; index < _versions.Count - 1 && _versions[index].Step < step; index++)
        {
            _versions[index].ReleaseAllButWeights(effects);
        }
    }

    /// <summary>Drops versions newer than a step.</summary>
    public void DropAfter(long step, EffectList effects)
    {
        while (HasVersion && Newest.Step > step)
        {
            Drop(_versions.Count - 1, effects);
        }

        for (int left = Unlogged.Count; left > 0; left--)
        {
            AppliedUpdate update = Unlogged.Dequeue();
            if (update.Step > step)
            {
                update.Release(effects);
            }
            else
            {
                Unlogged.Enqueue(update);
            }
        }
    }

    /// <summary>Takes a contribution; its reference now belongs here.</summary>
    public void Take(int replica, long step, BufferHandle gradient)
    {
        InvariantException.Require(Gradients[replica].IsNone, "A replica contributes to one step of a slice at a time.");
        Gradients[replica] = gradient;
        ContributedSteps[replica] = step;
        Arrivals.Enqueue(replica);
    }

    /// <summary>Takes carried state that belongs to the replica's next contribution.</summary>
    public void Carry(int replica, int position, BufferHandle buffer, EffectList effects)
    {
        ref BufferHandle place = ref Carried[(replica * Plan.CarriedCount) + position];
        effects.Release(place);
        place = buffer;
    }

    /// <summary>Forgets waiting contributions and jobs under way; versions stay.</summary>
    public void ForgetWork(EffectList effects)
    {
        for (int replica = 0; replica < _replicas; replica++)
        {
            effects.Release(Gradients[replica]);
        }

        foreach (BufferHandle buffer in Carried)
        {
            effects.Release(buffer);
        }

        foreach (Queue<Message> backlog in Backlog)
        {
            while (backlog.TryDequeue(out Message? message))
            {
                effects.Release(MessageBuffers.First(message));
                effects.Release(MessageBuffers.Second(message));
            }
        }

        foreach (BufferHandle buffer in Incoming ?? [])
        {
            effects.Release(buffer);
        }

        Incoming = null;
        Array.Clear(Gradients);
        Array.Clear(Carried);
        Array.Clear(Unanswered);
        Arrivals.Clear();
        IsApplying = false;
        PartialsAsked = false;
        Jobs = Jobs.Renew();
    }

    /// <summary>Forgets every version.</summary>
    public void DropAll(EffectList effects)
    {
        while (HasVersion)
        {
            Drop(_versions.Count - 1, effects);
        }

        while (Unlogged.TryDequeue(out AppliedUpdate? update))
        {
            update.Release(effects);
        }
    }

    private void Drop(int index, EffectList effects)
    {
        SliceVersion version = _versions[index];
        _versions.RemoveAt(index);
        version.Release(effects);
        _free.Push(version);
    }
}
