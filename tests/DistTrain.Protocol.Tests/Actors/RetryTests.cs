using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using DistTrain.Protocol.Tests.Harness;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Actors;

/// <summary>When an actor to which nobody answers looks, and when it sends again.</summary>
public sealed class RetryTests
{
    [Fact]
    public void WhoeverWaitsForSomebodySilentLooksNoOftenerThanItSends()
    {
        (List<double> looks, List<double> sends) = Wait(new Scenario().Plan(), untilSeconds: 120);

        // Twice as long from one to the next, and then every five seconds.
        sends.ShouldBe([0, 0.4, 0.8, 1.6, 3.2, 6.4, .. Enumerable.Range(1, 22).Select(i => 6.4 + (5.0 * i))], 1e-9);
        looks.Count(at => at <= 6.4).ShouldBe(32);
        looks.Where(at => at > 6.4).ShouldBe(sends.Where(at => at > 6.4), 1e-9);
    }

    [Fact]
    public void WhenNobodyAnswersForAsLongAsPatienceLastsTheRunEnds()
    {
        RunPlan plan = new Scenario().Plan();
        double patience = plan.Settings.Patience.TotalSeconds;
        (List<double> looks, _) = Wait(plan, untilSeconds: 2 * patience);
        looks[^1].ShouldBeInRange(patience, patience + (2 * Limits.RetryCap.TotalSeconds));
    }

    /// <summary>Starts a coordinator whose actors never answer; the times in seconds at which its timers fire and at which it sends.</summary>
    private static (List<double> Looks, List<double> Sends) Wait(RunPlan plan, double untilSeconds)
    {
        Coordinator coordinator = new(plan, 1, 42, new CoordinatorProgress());
        EffectList effects = new();
        SortedDictionary<int, TimeSpan> timers = [];
        List<double> looks = [], sends = [];
        Queue<(TimeSpan At, Stimulus Stimulus)> now = new([(TimeSpan.Zero, new Stimulus(StimulusKind.Started))]);
        while (now.TryDequeue(out (TimeSpan At, Stimulus Stimulus) next) && next.At.TotalSeconds <= untilSeconds)
        {
            if (next.Stimulus.Kind == StimulusKind.Timer)
            {
                timers.Remove(next.Stimulus.Timer);
                looks.Add(next.At.TotalSeconds);
            }

            effects.Clear();
            coordinator.Step(next.Stimulus, effects);
            bool hasSent = false;
            for (int i = 0; i < effects.Count; i++)
            {
                Effect effect = effects[i];
                hasSent |= effect.Kind == EffectKind.Send;
                if (effect.Report is RunEnded)
                {
                    return (looks, sends);
                }

                if (effect.Kind == EffectKind.Persist)
                {
                    now.Enqueue((next.At, Stimulus.Kept(effect.Record!)));
                }
                else if (effect.Kind == EffectKind.StartTimer)
                {
                    timers[effect.Timer] = next.At + effect.Delay;
                }
            }

            if (hasSent)
            {
                sends.Add(next.At.TotalSeconds);
            }

            if (now.Count == 0 && timers.Count > 0)
            {
                (int timer, TimeSpan at) = timers.MinBy(pair => pair.Value);
                now.Enqueue((at, new Stimulus(StimulusKind.Timer) { Timer = timer }));
            }
        }

        return (looks, sends);
    }
}
