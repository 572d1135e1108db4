using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Methods;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Methods;

public sealed class PipeDreamTests
{
    [Fact]
    public void AForwardPassUsesTheWeightsThatAreItsStagesDepthOldAndNeverOlderThanTheLastBarrier()
    {
        const int Stages = 4;
        for (int stage = 0; stage < Stages; stage++)
        {
            PipeDreamInstructions source = new(Stages, stage, committedStep: 10);
            for (long step = 11; step <= 20; step++)
            {
                source.Issue(step, barrier: step == 20);
            }

            List<string> forwards = Forwards(source);
            forwards.ShouldBe([.. Enumerable.Range(11, 10).Select(step => $"{step}<-{Math.Max(10, step - (Stages - stage))}")]);
            for (long step = 21; step <= 24; step++)
            {
                source.Issue(step, barrier: step == 24);
            }

            Forwards(source).ShouldBe([.. Enumerable.Range(21, 4).Select(step => $"{step}<-{Math.Max(20, step - (Stages - stage))}")]);
        }
    }

    [Fact]
    public void AWarmStageAlternatesForwardAndBackward()
    {
        PipeDreamInstructions source = new(3, 0, 0);
        for (long step = 1; step <= 6; step++)
        {
            source.Issue(step, barrier: step == 6);
        }

        string passes = "";
        while (source.TryNext(out Instruction instruction))
        {
            passes += instruction.Kind switch
            {
                InstructionKind.Forward => $"F{instruction.Step} ",
                InstructionKind.Backward => $"B{instruction.Step} ",
                InstructionKind.Contribute => $"C{instruction.Step} ",
                _ => "",
            };
        }

        passes.TrimEnd().ShouldBe("F1 F2 F3 B1 C1 F4 B2 C2 F5 B3 C3 F6 B4 C4 B5 C5 B6 C6");
    }

    [Fact]
    public void WhateverIsIssuedAndDrainedEveryStepIsContributedAndNothingWaitsForEver()
    {
        RandomStream random = new(5, RandomPurpose.Faults);
        long draw = 0;
        for (int round = 0; round < 300; round++)
        {
            int stages = 1 + random.Below(draw++, 6);
            PipeDreamInstructions[] sources = [.. Enumerable.Range(0, stages).Select(stage => new PipeDreamInstructions(stages, stage, 0))];
            long[] contributed = new long[stages];
            State state = new(stages);
            long issued = 0;
            for (int segment = 0; segment < 4; segment++)
            {
                long last = issued + 1 + random.Below(draw++, 10);
                bool drains = random.Below(draw++, 2) == 0;
                while (issued < last)
                {
                    issued++;
                    Array.ForEach(sources, source => source.Issue(issued, barrier: issued == last && !drains));
                    Rendezvous(sources, state, contributed, random, ref draw);
                }

                if (drains)
                {
                    Array.ForEach(sources, source => source.Drain(issued));
                }

                Rendezvous(sources, state, contributed, random, ref draw);
                contributed.ShouldAllBe(step => step == issued);
            }
        }
    }

    private static List<string> Forwards(PipeDreamInstructions source)
    {
        List<string> forwards = [];
        while (source.TryNext(out Instruction instruction))
        {
            if (instruction.Kind == InstructionKind.Forward)
            {
                forwards.Add($"{instruction.Step}<-{source.WeightsFor(instruction)}");
            }
        }

        return forwards;
    }

    /// <summary>Steps the stages in random order until none can go on; a receive waits for its send, a forward pass for its
    /// weights.</summary>
    private static void Rendezvous(PipeDreamInstructions[] sources, State state, long[] contributed, RandomStream random, ref long draw)
    {
        for (int idle = 0; idle < 8 * sources.Length;)
        {
            int stage = random.Below(draw++, sources.Length);
            idle = TryStep(sources, stage, state, contributed) ? 0 : idle + 1;
        }

        for (int stage = 0; stage < sources.Length; stage++)
        {
            if (TryStep(sources, stage, state, contributed))
            {
                stage = -1;
            }
        }
    }

    private static bool TryStep(PipeDreamInstructions[] sources, int stage, State state, long[] contributed)
    {
        if (state.Current[stage] is null && sources[stage].TryNext(out Instruction next))
        {
            state.Current[stage] = next;
        }

        if (state.Current[stage] is not Instruction instruction)
        {
            return false;
        }

        bool waits = instruction.Kind switch
        {
            InstructionKind.ReceiveActivation => state.Activations[stage - 1] < instruction.Step,
            InstructionKind.ReceiveSignal => state.Signals[stage + 1] < instruction.Step,
            InstructionKind.Forward => sources[stage].WeightsFor(instruction) > contributed[stage],
            _ => false,
        };
        if (waits)
        {
            return false;
        }

        switch (instruction.Kind)
        {
            case InstructionKind.SendActivation:
                state.Activations[stage] = instruction.Step;
                break;
            case InstructionKind.SendSignal:
                state.Signals[stage] = instruction.Step;
                break;
            case InstructionKind.Contribute:
                instruction.Step.ShouldBe(contributed[stage] + 1);
                contributed[stage]++;
                break;
        }

        state.Current[stage] = null;
        return true;
    }

    private sealed class State(int stages)
    {
        public Instruction?[] Current { get; } = new Instruction?[stages];

        public long[] Activations { get; } = new long[stages];

        public long[] Signals { get; } = new long[stages];
    }
}
