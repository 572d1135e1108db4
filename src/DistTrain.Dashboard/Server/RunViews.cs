using DistTrain.Dashboard.Folders;
using DistTrain.Dashboard.Live;
using DistTrain.Dashboard.Pages;
using DistTrain.Dashboard.Pipelines;

namespace DistTrain.Dashboard.Server;

/// <summary>The views of runs by the name of their folders, from the folder or, for runs of this process, from within. Thread-safe.</summary>
internal sealed class RunViews(RunCatalog catalog)
{
    // A log that nobody has looked at for so many others is read anew when somebody does.
    private const int LogsMax = 64;

    private readonly Lock _lock = new();
    private readonly List<(string Folder, MetricsFile Log)> _logs = [];
    private readonly List<LiveRun> _live = [];
    private (string Path, DateTime Modified, PipelineView? View) _trace;

    /// <summary>The list.</summary>
    public RunCatalog Catalog => catalog;

    /// <summary>A run of this process begins.</summary>
    public LiveRun Begin(string folder)
    {
        LiveRun run = new(folder, ended =>
        {
            lock (_lock)
            {
                _live.Remove(ended);
            }
        });
        lock (_lock)
        {
            _live.Add(run);
        }

        return run;
    }

    /// <summary>The run of this process in a folder; null where there is none.</summary>
    public LiveRun? Live(string folder)
    {
        lock (_lock)
        {
            return _live.Find(run => run.Folder == folder);
        }
    }

    /// <summary>What a folder's metrics log says.</summary>
    public MetricsView Metrics(string folder)
    {
        MetricsFile log;
        lock (_lock)
        {
            int index = _logs.FindIndex(known => known.Folder == folder);
            if (index >= 0)
            {
                log = _logs[index].Log;
                _logs.RemoveAt(index);
            }
            else
            {
                log = new MetricsFile(Path.Combine(folder, "metrics.jsonl"));
            }

            _logs.Add((folder, log));
            if (_logs.Count > LogsMax)
            {
                _logs.RemoveAt(0);
            }
        }

        return log.Read();
    }

    /// <summary>The last steps of a run; null where nothing recorded them.</summary>
    public PipelineView? Pipeline(string folder)
    {
        if (Live(folder)?.Pipeline() is PipelineView live)
        {
            return live;
        }

        FileInfo file = new(Path.Combine(folder, "trace.json"));
        if (!file.Exists)
        {
            return null;
        }

        lock (_lock)
        {
            if (_trace.Path == file.FullName && _trace.Modified == file.LastWriteTimeUtc)
            {
                return _trace.View;
            }
        }

        PipelineView? view = TraceFile.Read(file.FullName);
        lock (_lock)
        {
            _trace = (file.FullName, file.LastWriteTimeUtc, view);
        }

        return view;
    }

    /// <summary>A view by its name: its JSON, made when it is asked for, and what it changes by; null where there is none of that name.</summary>
    public (Func<byte[]> Json, string Version)? View(string name, string folder)
    {
        LiveRun? live = Live(folder);
        switch (name)
        {
            case "run":
                RunDetails details = RunDetails.Read(folder, live);
                return (() => JsonPages.Write(details), $"{details.Entry.Status} {details.Entry.Steps} {details.Live?.Step} {details.Live?.NoticeCount} {details.HasTrace}");
            case "metrics":
                MetricsView metrics = Metrics(folder);
                return (() => JsonPages.Write(metrics), $"{metrics.Version}");
            case "pipeline":
                PipelineView? pipeline = Pipeline(folder);
                return (() => JsonPages.Write(pipeline), $"{pipeline?.FirstStep} {pipeline?.LastStep} {pipeline?.Spans.Count}");
            case "actors":
                byte[] actors = JsonPages.Write(live?.Actors());
                return (() => actors, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(actors)));
            case "study":
                return (() => JsonPages.Write(StudyFolder.Read(folder)), "");
            default:
                return null;
        }
    }
}
