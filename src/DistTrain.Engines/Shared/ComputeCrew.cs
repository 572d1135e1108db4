using DistTrain.Numerics.Kernels;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>
/// A run's compute threads, lent by the process (<see cref="CrewThread"/>), the only place kernels run. Actors are not threads: an actor with something to
/// do is an entry in a run queue, jobs are another queue, and before both comes a slot of each member's own (<see cref="HandOverSlot"/>). A member drains the turns that it caused itself, then takes what it
/// has been given, what is queued, and what others have been given and not begun with; it wakes a parked member only when it leaves a job behind: short turns are never worth a wake-up.
/// </summary>
internal sealed class ComputeCrew : IForkJoin, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<ActorCell> _turns = new();
    private readonly Queue<Job> _jobs = new();
    private readonly CrewMember[] _members;
    private readonly Stack<CrewMember> _parked = new();

    // Those of the members, beside them: what a member writes all the time would have to be fetched to find its slot.
    private readonly HandOverSlot[] _handOvers;

    // One for each member, and one for whoever else calls.
    private readonly ForkSlot[] _forks;
    private readonly ShortJobs? _shortJobs;
    private readonly int _lent;
    private Exception? _failure;
    private volatile bool _stopping;
    private bool _disposed;

    /// <summary>A crew of so many threads.</summary>
    /// <param name="threads">Compute threads.</param>
    /// <param name="runner">Runs the jobs.</param>
    /// <param name="shortJobs">The jobs that turns run themselves; null for none.</param>
    /// <param name="takesCaller">Whether one of the threads is that which calls <see cref="Work"/>, and so need neither be woken at the start nor wake anybody at the end.</param>
    public ComputeCrew(int threads, IJobRunner runner, ShortJobs? shortJobs = null, bool takesCaller = false)
    {
        _shortJobs = shortJobs;
        Runner = runner;
        _members = new CrewMember[threads];
        _forks = [.. Enumerable.Range(0, threads + 1).Select(_ => new ForkSlot())];
        for (int member = 0; member < threads; member++)
        {
            _members[member] = new CrewMember(this, member);
        }

        _handOvers = [.. _members.Select(member => member.HandOver)];
        _lent = takesCaller ? threads - 1 : threads;
        for (int member = 0; member < _lent; member++)
        {
            _members[member].Start();
        }
    }

    /// <summary>Called once, on a crew thread, with whatever exception a machine or kernel let through: a bug, or no
    /// memory.</summary>
    public Action<Exception>? OnFailure { get; set; }

    public IJobRunner Runner { get; }

    public int Width => _members.Length;

    /// <summary>Whether members should give up what they wait for.</summary>
    public bool IsStopping => _stopping;

    /// <summary>Whether a member would find a turn or a job; a hint, read without a lock.</summary>
    public bool HasWork => HasQueued || HasGiven;

    private bool HasQueued => _turns.Count > 0 || _jobs.Count > 0;

    private bool HasGiven
    {
        get
        {
            foreach (HandOverSlot slot in _handOvers)
            {
                if (slot.IsFull)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Queues an actor's turn: on the calling member if it is one, else for anybody.</summary>
    public void Schedule(ActorCell cell)
    {
        if (CrewMember.Current is CrewMember member && member.Crew == this)
        {
            member.LocalTurns.Enqueue(cell);
            return;
        }

        foreach (HandOverSlot slot in _handOvers)
        {
            if (slot.TryGive(cell))
            {
                WakeHelper();
                return;
            }
        }

        CrewMember? parked;
        lock (_lock)
        {
            _turns.Enqueue(cell);
            _parked.TryPop(out parked);
        }

        parked?.Wake();
    }

    /// <summary>Gives a job, which says whose it is, to another member than the calling one, or queues it.</summary>
    public void Schedule(Job job)
    {
        CrewMember? caller = CrewMember.Current is CrewMember current && current.Crew == this ? current : null;
        foreach (HandOverSlot slot in _handOvers)
        {
            if (slot != caller?.HandOver && slot.TryGive(job))
            {
                if (caller is null)
                {
                    WakeHelper();
                }

                return;
            }
        }

        CrewMember? parked = null;
        lock (_lock)
        {
            _jobs.Enqueue(job);
            if (caller is null)
            {
                // Here and not after it: whoever waits has seen the job by then and is about to take this lock.
                _parked.TryPop(out parked);
            }
        }

        parked?.Wake();
    }

    /// <summary>Whether the calling thread is the only one that runs turns and jobs here.</summary>
    public bool IsOnlyThread => Width == 1 && CrewMember.Current?.Crew == this;

    /// <summary>Whether the turn that asks for a job runs it, because nobody else would have it done sooner.</summary>
    public bool RunsInTurn(Job job) => _shortJobs is not null && (Width == 1 || _shortJobs.Contains(job));

    /// <summary>
    /// Takes the next turn or job, an <see cref="ActorCell"/> or a <see cref="Job"/>: what the member has been given, what is queued, or what another member has been given and not begun with. Null for
    /// nothing.
    /// </summary>
    /// <param name="member">Who asks.</param>
    /// <param name="queuedFirst">Whether what is queued comes first. Either of both alone could go on for ever.</param>
    public object? Take(CrewMember member, bool queuedFirst)
    {
        object? item = queuedFirst ? TakeQueued() ?? member.HandOver.Take() : member.HandOver.Take() ?? TakeQueued();
        for (int other = 1; item is null && other < _handOvers.Length; other++)
        {
            item = _handOvers[(member.Index + other) % _handOvers.Length].Take();
        }

        OnTaken(item);
        return item;
    }

    /// <summary>Takes what the member has been given, an <see cref="ActorCell"/> or a <see cref="Job"/>; null for nothing.</summary>
    /// <param name="member">Who asks.</param>
    public object? TakeGiven(CrewMember member)
    {
        object? item = member.HandOver.Take();
        OnTaken(item);
        return item;
    }

    /// <summary>Adds a member to the parked ones unless there is work after all.</summary>
    public bool TryPark(CrewMember member)
    {
        lock (_lock)
        {
            // Whoever gives something to another member looks for parked ones after that: one of both sees the other.
            _parked.Push(member);
            if (!_stopping && !HasQueued && member.HandOver.TryClose())
            {
                if (!HasGiven)
                {
                    return true;
                }

                member.HandOver.Open();
            }

            _parked.Pop();
            return false;
        }
    }

    /// <summary>Runs chunks with the members that are idle; alone when none is.</summary>
    public void Run(IChunkedWork work, int chunks)
    {
        int opener = CrewMember.Current is CrewMember member && member.Crew == this ? member.Index : Width;
        ForkSlot fork = _forks[opener];
        if (!fork.TryOpen(work, chunks))
        {
            SerialForkJoin.Instance.Run(work, chunks);
            return;
        }

        WakeHelper();
        fork.HelpAndClose(ClaimsFromLast(opener));
    }

    /// <summary>Whether somebody has forked what could be helped with; a hint.</summary>
    /// <param name="helper">The member that is idle.</param>
    public bool WantsHelp(int helper)
    {
        // Every few nanoseconds, so without a division.
        for (int fork = 0; fork < _forks.Length; fork++)
        {
            if (fork != helper && _forks[fork].WantsHelp)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Helps with what another member has forked; false when nobody needs help.</summary>
    /// <param name="helper">The member that is idle.</param>
    public bool TryHelp(int helper)
    {
        for (int other = 1; other < _forks.Length; other++)
        {
            if (_forks[(helper + other) % _forks.Length].TryHelp(ClaimsFromLast(helper)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends the run's computing because of a bug or lack of memory.</summary>
    public void Fail(Exception exception)
    {
        if (Interlocked.CompareExchange(ref _failure, exception, null) is null)
        {
            OnFailure?.Invoke(exception);
        }
    }

    /// <summary>Computes on the calling thread until the crew is stopped.</summary>
    public void Work()
    {
        InvariantException.Require(_lent < Width, "A crew has room for the thread that calls.");
        CrewThread.RunHere(_members[^1]);
    }

    /// <summary>Lets every member leave when it has done what it is doing.</summary>
    public void Stop()
    {
        _stopping = true;
        lock (_lock)
        {
            while (_parked.TryPop(out CrewMember? member))
            {
                member.Wake();
            }
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        Stop();
        for (int member = 0; member < Width; member++)
        {
            if (member < _lent)
            {
                _members[member].WaitForEnd();
            }

            _members[member].Dispose();
        }

        // Nobody will run these any more; what they hold goes back.
        foreach (HandOverSlot slot in _handOvers)
        {
            if (slot.Take() is Job given)
            {
                ActorCell.Of(given).DropJob(given);
            }
        }

        while (_jobs.TryDequeue(out Job? left))
        {
            ActorCell.Of(left).DropJob(left);
        }
    }

    private object? TakeQueued()
    {
        if (!HasQueued)
        {
            return null;
        }

        CrewMember? parked = null;
        object? taken;
        lock (_lock)
        {
            if (_turns.TryDequeue(out ActorCell? cell))
            {
                return cell;
            }

            taken = _jobs.TryDequeue(out Job? job) ? job : null;
            if (_jobs.Count > 0)
            {
                _parked.TryPop(out parked);
            }
        }

        parked?.Wake();
        return taken;
    }

    private void OnTaken(object? item)
    {
        if (item is not null && _parked.Count > 0 && item is Job && HasGiven)
        {
            // It leaves another one behind.
            WakeHelper();
        }
    }

    private static bool ClaimsFromLast(int member) => member % 2 == 1;

    private void WakeHelper()
    {
        // A hint: who parks at this moment is not missed for more than one fork.
        if (_parked.Count == 0)
        {
            return;
        }

        CrewMember? parked;
        lock (_lock)
        {
            _parked.TryPop(out parked);
        }

        parked?.Wake();
    }
}
