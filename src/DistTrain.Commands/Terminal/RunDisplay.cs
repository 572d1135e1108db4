using DistTrain.Engines;
using Spectre.Console;

namespace DistTrain.Commands.Terminal;

/// <summary>Shows a run while it lasts.</summary>
internal abstract class RunDisplay
{
    /// <summary>A progress bar on a terminal, plain lines otherwise, nothing but notices on standard error when quiet.</summary>
    public static RunDisplay For(CommandHost host, bool quiet)
    {
        if (quiet)
        {
            return new LineDisplay(TextWriter.Null, host.Error);
        }

        return host.Interactive ? new BarDisplay(TerminalOn(host)) : new LineDisplay(host.Out, host.Out);
    }

    /// <summary>The terminal behind the host's output.</summary>
    public static IAnsiConsole TerminalOn(CommandHost host) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = host.OutTerminal });

    /// <summary>Runs something and shows what it reports.</summary>
    /// <param name="title">What is running.</param>
    /// <param name="run">Takes the observer to report to.</param>
    public abstract RunOutcome Show(string title, Func<IRunObserver, RunOutcome> run);
}

/// <summary>One line per epoch, but not more than one a second, and one every few seconds within a long epoch.</summary>
internal sealed class LineDisplay(TextWriter output, TextWriter notices) : RunDisplay
{
    /// <inheritdoc/>
    public override RunOutcome Show(string title, Func<IRunObserver, RunOutcome> run) =>
        run(new Observer(output, notices, title));

    private sealed class Observer(TextWriter output, TextWriter notices, string title) : IRunObserver
    {
        private static readonly TimeSpan BetweenEpochs = TimeSpan.FromSeconds(1), BetweenSteps = TimeSpan.FromSeconds(5);
        private readonly Pace _pace = new();
        private readonly NoticeFilter _notices = new();
        private TimeSpan _lastLine = TimeSpan.MinValue;

        public void OnStep(in StepProgress step)
        {
            _pace.Add(step);
            if (_lastLine == TimeSpan.MinValue)
            {
                _lastLine = step.Elapsed;
            }

            if (step.Elapsed - _lastLine >= BetweenSteps)
            {
                string accuracy = double.IsNaN(step.Accuracy) ? "" : $"  accuracy {Words.Percent(step.Accuracy)}";
                Line(step.Elapsed, $"step {step.Step}/{step.TotalSteps}  loss {Words.Loss(step.Loss)}{accuracy}{_pace}");
            }
        }

        public void OnEpoch(EpochProgress epoch)
        {
            // A resumed run may begin with the evaluation of an epoch whose last step was committed before.
            bool due = epoch.Epoch == 1 || epoch.Epoch == epoch.Epochs || _lastLine == TimeSpan.MinValue || epoch.Elapsed - _lastLine >= BetweenEpochs;
            if (due)
            {
                Line(epoch.Elapsed, $"epoch {epoch.Epoch}/{epoch.Epochs}  {Figures(epoch)}{_pace}");
            }
        }

        public void OnNotice(string text)
        {
            if (_notices.Passes(text, _pace.Last.Elapsed))
            {
                notices.WriteLine($"{title}: {text}");
            }
        }

        private void Line(TimeSpan elapsed, string text)
        {
            _lastLine = elapsed;
            output.WriteLine(text);
        }
    }

    /// <summary>An epoch's losses and accuracies.</summary>
    public static string Figures(EpochProgress epoch)
    {
        string text = $"loss {Words.Loss(epoch.TrainLoss)}";
        text += double.IsNaN(epoch.TrainAccuracy) ? "" : $"  accuracy {Words.Percent(epoch.TrainAccuracy)}";
        text += epoch.TestLoss is double loss ? $"  test loss {Words.Loss(loss)}" : "";
        return text + (epoch.TestAccuracy is double accuracy ? $"  test accuracy {Words.Percent(accuracy)}" : "");
    }
}

/// <summary>A progress bar with loss, accuracy, pace and time left.</summary>
internal sealed class BarDisplay(IAnsiConsole terminal) : RunDisplay
{
    // Columns that percentage and figures take; the bar gets the rest of the line.
    private const int FiguresWidth = 80;

    /// <inheritdoc/>
    public override RunOutcome Show(string title, Func<IRunObserver, RunOutcome> run) => terminal.Progress()
        .AutoClear(true)
        .HideCompleted(false)
        .Columns(new ProgressBarColumn { Width = Math.Clamp(terminal.Profile.Width - FiguresWidth, 6, 30) },
            new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
        .Start(context => run(new Observer(terminal, context.AddTask(Markup.Escape(title), maxValue: 1))));

    private sealed class Observer(IAnsiConsole terminal, ProgressTask task) : IRunObserver
    {
        // A terminal repaints ten times a second; describing every step would only cost training time.
        private static readonly TimeSpan BetweenPaints = TimeSpan.FromMilliseconds(100);
        private readonly Pace _pace = new();
        private readonly NoticeFilter _notices = new();
        private TimeSpan _painted = TimeSpan.MinValue;
        private string _epoch = "";
        private bool _tested;

        public void OnStep(in StepProgress step)
        {
            _pace.Add(step);
            if (_painted == TimeSpan.MinValue || step.Elapsed - _painted >= BetweenPaints || step.Step == step.TotalSteps)
            {
                _painted = step.Elapsed;
                task.MaxValue = Math.Max(1, step.TotalSteps);
                task.Value = step.Step;
                string accuracy = _tested || double.IsNaN(step.Accuracy) ? "" : $"  accuracy {Words.Percent(step.Accuracy)}";
                task.Description = Markup.Escape($"{_epoch}loss {Words.Loss(step.Loss)}{accuracy}{_pace}");
            }
        }

        public void OnEpoch(EpochProgress epoch)
        {
            _tested |= epoch.TestAccuracy is not null;
            string test = epoch.TestAccuracy is double accuracy ? $", test {Words.Percent(accuracy)}" : "";
            _epoch = $"epoch {epoch.Epoch}/{epoch.Epochs}{test}  ";
        }

        public void OnNotice(string text)
        {
            if (_notices.Passes(text, _pace.Last.Elapsed))
            {
                terminal.MarkupLineInterpolated($"[grey]{text}[/]");
            }
        }
    }
}
