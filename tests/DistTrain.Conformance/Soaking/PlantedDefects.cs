using DistTrain.Engines.Checking;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Conformance.Soaking;

/// <summary>Defects put between a host and its machines, one against each guarantee. The protocol knows nothing of them.</summary>
internal static class PlantedDefects
{
    /// <summary>The defects by name.</summary>
    public static IReadOnlyDictionary<string, Func<RunPlan, HostSeams>> All { get; } = new Dictionary<string, Func<RunPlan, HostSeams>>
    {
        ["a contribution that arrives twice is applied twice"] = _ => new ReplayedApply().Seams,
        ["messages of an older incarnation are taken for those of the newest"] = _ => new RewrittenIncarnation().Seams,
        ["the retry timer fires for nobody"] = _ => new HostSeams { Step = SwallowRetries },
        ["what a disk reports as kept is not there after a crash"] = _ => new HostSeams { Keeps = _ => false },
    };

    private static void SwallowRetries(ActorMachine machine, in Stimulus stimulus, EffectList effects)
    {
        if (stimulus.Kind != StimulusKind.Timer)
        {
            machine.Step(stimulus, effects);
        }
    }

    private sealed class ReplayedApply : IHostTap
    {
        private readonly HashSet<(ActorId From, ActorId To, int Epoch, long Sequence)> _seen = [];
        private readonly HashSet<(int Slice, long Step)> _twice = [];

        public HostSeams Seams => new() { Tap = this, Compute = Compute };

        public void OnDelivered(Envelope envelope)
        {
            if (envelope.Message is Contribution contribution && !_seen.Add((envelope.From, envelope.To, envelope.Epoch, envelope.Sequence)))
            {
                _twice.Add((contribution.Slice, contribution.Step));
            }
        }

        private void Compute(Job job, Action<Job> run)
        {
            run(job);
            if (job is not ApplyJob apply || !_twice.Contains((apply.Slice, apply.Step)))
            {
                return;
            }

            (BufferHandle weights, BufferHandle state) = (job.Inputs[0], job.Inputs[1]);
            (job.Inputs[0], job.Inputs[1]) = (job.Outputs[0], job.Outputs[1]);
            Array.Clear(job.Outputs);
            run(job);
            (job.Inputs[0], job.Inputs[1]) = (weights, state);
        }
    }

    private sealed class RewrittenIncarnation : IHostTap
    {
        private readonly Dictionary<ActorId, int> _incarnations = [];

        public HostSeams Seams => new() { Tap = this, Step = Step };

        public void OnStarted(ActorId actor, int incarnation) => _incarnations[actor] = incarnation;

        private void Step(ActorMachine machine, in Stimulus stimulus, EffectList effects)
        {
            if (stimulus.Envelope is Envelope envelope && machine.Epoch > 0 && envelope.Epoch < machine.Epoch)
            {
                Envelope rewritten = envelope with
                {
                    Epoch = machine.Epoch, FromIncarnation = _incarnations[envelope.From], ToIncarnation = machine.Incarnation,
                };
                machine.Step(Stimulus.Arrived(rewritten), effects);
                return;
            }

            machine.Step(stimulus, effects);
        }
    }
}
