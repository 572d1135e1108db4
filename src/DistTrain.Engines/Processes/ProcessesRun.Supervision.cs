using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Processes;

/// <content>Starts processes, notices their end or silence, and starts others in their places.</content>
internal sealed partial class ProcessesRun
{
    private void Start(SupervisedProcess process)
    {
        ChildJob job = new(
            process.Number,
            _folder.FullPath,
            _token,
            _request.Experiment!,
            _request.Settings.Seed,
            _request.Settings.Precision,
            _request.Data.Facts,
            _journal,
            _claim,
            _logBefore,
            [.. _faults.Select(fault => fault.At.Step).OfType<long>()],
            _request.Workers,
            _cores,
            _request.ComputeThreads > 0 ? _request.ComputeThreads : _placement.ComputeThreadsOf(process.Number, _cores),
            (int)_beatEvery.TotalMilliseconds);
        if (process == Coordinator)
        {
            Lead();
            if (_stopRequested)
            {
                process.Send(new Command(CommandKind.Stop));
            }
        }

        process.SilentUntil = _recorder.Elapsed + ProcessesLimits.StartMax;
        process.IsDoubted = false;
        process.OnStarted(new ChildProcess(
            _program, job, (child, note) => Happened(() => OnNote(process, child, note)), child => Happened(() => OnEnded(process, child))));
    }

    /// <summary>The first coordinator, or the next.</summary>
    private void Lead()
    {
        Volatile.Write(ref _incarnations[ActorId.Coordinator.Index], ++_leads);
        bool isNext = _run > 0, isSameRun = _plan.KeepsLog || _plan.Topology.Copies > 1;
        _run = isSameRun ? 1 : _run + 1;
        Coordinator.Send(new Command(CommandKind.Lead)
        {
            Run = _run,
            Progress = _plan.KeepsLog ? null : _from,
            Incarnation = isSameRun ? _coordinatorIncarnation++ : 0,
            On = isNext,
        });
        if (isNext && _plan.Topology.Copies > 1)
        {
            TellWhoIsGone();
        }
    }

    /// <summary>A coordinator that inquires waits for whoever lives. A process that was started again meanwhile has no actors yet.</summary>
    private void TellWhoIsGone()
    {
        foreach (SupervisedProcess process in _processes.Where(process => process != Coordinator))
        {
            foreach (ActorId actor in process.Actors.Where(actor => process.Child is null || Volatile.Read(ref _incarnations[actor.Index]) == 0))
            {
                Coordinator.Send(new Command(CommandKind.Suspect) { Actor = actor.Index });
            }
        }
    }

    /// <summary>Where the actors live now, from any thread; children tell no more than that of themselves.</summary>
    private ActorStatus[] Actors()
    {
        ActorStatus[] actors = new ActorStatus[_incarnations.Length];
        foreach (SupervisedProcess process in _processes)
        {
            ChildProcess? child = process.Child;
            string place = child is null ? $"{process.Name}, being started" : $"{process.Name}, process {child.Id}";
            foreach (ActorId actor in process.Actors)
            {
                actors[actor.Index] = new ActorStatus(
                    actor, _plan.Topology.NameOf(actor), place, child is null ? 0 : Volatile.Read(ref _incarnations[actor.Index]), MailboxDepth: null, Dropped: null);
            }
        }

        return actors;
    }

    private void StartDue()
    {
        foreach (SupervisedProcess process in _processes.Where(process => process.RestartAt <= _recorder.Elapsed))
        {
            Start(process);
        }
    }

    private void KillSilent()
    {
        TimeSpan now = _recorder.Elapsed;
        foreach (SupervisedProcess process in _processes)
        {
            if (process.Child is not ChildProcess child || process.SilentUntil >= now)
            {
                continue;
            }

            if (!process.IsDoubted)
            {
                (process.IsDoubted, process.SilentUntil) = (true, now + _doubtFor);
                continue;
            }

            process.SilentUntil = TimeSpan.MaxValue;
            _observer.OnNotice($"{process.Name} (process {child.Id}) has been silent for {_silenceMax.TotalSeconds} s and is {(SparesSilent ? "left" : "killed")}");
            if (SparesSilent)
            {
                GiveUp(process, child);
            }
            else
            {
                child.Kill();
            }
        }
    }

    private void GiveUp(SupervisedProcess process, ChildProcess child)
    {
        _given.Add(child);

        // A stopped process still takes connections, and swallows what comes over them: nobody may reach it where its replacement is not listening yet.
        _folder.Remove(process.Number);
        OnGone(process, $"{process.Name} (process {child.Id}) was left");
        foreach (SupervisedProcess other in _processes.Where(other => other != process))
        {
            other.Send(new Command(CommandKind.Reconnect) { Process = process.Number });
        }
    }

    private void OnEnded(SupervisedProcess process, ChildProcess child)
    {
        if (_over || process.Child != child)
        {
            return;
        }

        child.Close();
        OnGone(process, $"{process.Name} (process {child.Id}) {child.Ending}");
    }

    private void OnGone(SupervisedProcess process, string ending)
    {
        process.OnEnded();
        foreach (ActorId actor in process.Actors)
        {
            Volatile.Write(ref _incarnations[actor.Index], 0);
        }

        if (process.Restarts.OnEnded(_commits) is not TimeSpan wait)
        {
            _recorder.On(new RunEnded(RunEnd.Failed, 0, $"{ending}; it was restarted {process.Restarts.Restarts - 1} times, so its fault is not passing"));
            return;
        }

        TimeSpan at = _recorder.Elapsed + wait;
        process.RestartAt = process.DownUntil == TimeSpan.MaxValue ? null : at > process.DownUntil ? at : process.DownUntil;
        _observer.OnNotice($"{ending}; it is {(process.RestartAt is null ? "not " : "")}started again");
        if (process == Coordinator)
        {
            GoBack();
            return;
        }

        foreach (ActorId actor in process.Actors)
        {
            // A coordinator that is being started starts every actor anyway.
            Coordinator.Child?.Send(new Command(CommandKind.Suspect) { Actor = actor.Index });
        }
    }

    /// <summary>Without a log, what the coordinator had committed since the last snapshot was in its memory alone; with one, the next says itself where it goes on.</summary>
    private void GoBack()
    {
        if (_plan.KeepsLog)
        {
            return;
        }

        _from = SnapshotFiles.Newest(_journal) ?? _from;
        if (_plan.Topology.Copies > 1)
        {
            // The next coordinator says itself where it goes on; this is for when every copy of a shard is gone too.
            return;
        }

        OnReport(new Recovered(0, _from.Step, Math.Max(0, _lastStep - _from.Step)));
    }

    /// <summary>Ends all processes, in order those that can; returns what they counted.</summary>
    private Note[] EndProcesses()
    {
        _over = true;
        ChildProcess[] children = [.. _processes.Select(process => process.Child).OfType<ChildProcess>()];
        foreach (ChildProcess child in children)
        {
            child.Send(new Command(CommandKind.End));
        }

        TimeSpan until = _recorder.Elapsed + ProcessesLimits.EndMax;
        int left = children.Length;
        while (left > 0 && until > _recorder.Elapsed && _events.TryTake(out Action? happened, until - _recorder.Elapsed))
        {
            happened();
            left = children.Count(child => child.Ending.Length == 0);
        }

        return [.. children.Select(child => child.Counts).OfType<Note>()];
    }
}
