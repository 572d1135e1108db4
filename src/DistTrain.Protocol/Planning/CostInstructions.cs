using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// What a method's own instructions make of a run: its instruction lists are walked, stage by stage and step by step, and every pass, message and update in them
/// is counted. Of very long runs some epochs stand for others of the same kind.
/// </summary>
internal sealed class CostInstructions
{
    // About a second of walking.
    private const long StageStepsMax = 2_000_000;

    private readonly RunPlan _plan;
    private readonly CostJobs _jobs;
    private readonly IReadOnlyList<StageProgram<float>> _programs;
    private readonly double[] _stored, _storedNow;
    private readonly int[] _storedCount, _storedCountNow;

    public CostInstructions(RunPlan plan, IReadOnlyList<StageProgram<float>> programs)
    {
        (_plan, _jobs, _programs) = (plan, new CostJobs(plan), programs);
        int stages = plan.Stages.Count;
        (_stored, _storedNow) = (new double[stages], new double[stages]);
        (_storedCount, _storedCountNow) = (new int[stages], new int[stages]);
        long perEpoch = (long)plan.StepsPerEpoch * stages * plan.Settings.Training.MicroBatches;
        int epochs = plan.Settings.Training.Epochs, stride = (int)Math.Max(1, (perEpoch * epochs) / StageStepsMax);
        for (int epoch = 0; epoch < epochs; epoch += stride)
        {
            WalkEpoch(epoch, Math.Min(stride, epochs - epoch));
        }
    }

    /// <summary>Of a full step in the last epoch.</summary>
    public CostCounts PerStep { get; private set; }

    /// <summary>Of the whole run.</summary>
    public CostCounts Total { get; private set; }

    /// <summary>Whether a method is counted this way; the others have formulas of their own.</summary>
    public static bool Serves(Method method) => method is not (Backprop or PipeDream or FrontContribution);

    /// <summary>Micro-batches of which a stage holds something at once.</summary>
    public int StoredActivations(int stage) => _storedCount[stage];

    /// <summary>Most values of inputs, outputs and stashes that a stage holds at once.</summary>
    public double StoredValues(int stage) => _stored[stage];

    private void WalkEpoch(int epoch, int times)
    {
        long first = ((long)epoch * _plan.StepsPerEpoch) + 1, last = first + _plan.StepsPerEpoch - 1;
        for (int stage = 0; stage < _plan.Stages.Count; stage++)
        {
            InstructionSource source = _plan.Method.Instructions(_plan, stage, first - 1);
            source.Issue(last, barrier: true);
            CostCounts step = new();
            (_storedNow[stage], _storedCountNow[stage]) = (0, 0);
            bool updates = false;
            for (long now = first; now <= last && source.TryNext(out Instruction instruction);)
            {
                updates |= instruction.Kind == InstructionKind.Backward;
                step = step.Plus(Count(stage, instruction));
                Store(stage, instruction);
                if (instruction.Kind == InstructionKind.Contribute)
                {
                    step = step.Plus(Contribution(stage, now, updates));
                    Total = Total.Plus(step.Times(times));
                    bool isSample = epoch + times == _plan.Settings.Training.Epochs && now == Math.Max(first, last - 1);
                    PerStep = isSample ? PerStep.Plus(step) : PerStep;
                    (step, updates) = (new CostCounts(), false);
                    now++;
                }
            }
        }
    }

    private CostCounts Count(int stage, Instruction instruction)
    {
        CostCounts counts = new();
        for (int replica = 0; replica < _plan.Settings.Replicas; replica++)
        {
            double rows = instruction.Step > 0 ? _plan.RowsOf(instruction.Step, replica, instruction.MicroBatch).Count : 0;
            StageProgram<float> program = _programs[stage];
            counts = counts.Plus(instruction.Kind switch
            {
                InstructionKind.Forward or InstructionKind.Replay => Products(new ForwardJob(stage, replica, 0), rows),
                InstructionKind.Backward => Products(
                    new BackwardJob(stage, replica, 0)
                    {
                        Path = _plan.Method.Path(_plan.Settings),
                        PassesSignal = stage > 0 && _plan.Method.PassesSignal(stage, _plan.Stages.Count),
                    },
                    rows),
                InstructionKind.LocalLoss => Products(new LocalLossJob(stage, replica, 0), rows),
                InstructionKind.Predict => Products(new PredictJob(stage, replica, 0), rows),
                InstructionKind.Fit => Products(new FitJob(stage, replica, 0), rows),
                InstructionKind.Target when !_plan.IsLastStage(stage) => Products(new TargetJob(stage, replica, 0), rows),
                InstructionKind.SendActivation => new CostCounts { Activations = 1, ActivationValues = rows * program.OutputWidth },
                InstructionKind.SendSignal => new CostCounts { Signals = 1, SignalValues = rows * program.InputWidth },
                InstructionKind.Broadcast => new CostCounts { Signals = stage, SignalValues = stage * rows * program.OutputWidth },
                _ => new CostCounts(),
            });
        }

        return counts;
    }

    private CostCounts Products(StageJob job, double rows)
    {
        job.Rows = (int)rows;
        return new CostCounts { Products = _jobs.Of(job).Flops / 2 };
    }

    /// <summary>What a stage sends its shards at the end of a step, and what comes back.</summary>
    private CostCounts Contribution(int stage, long step, bool updates)
    {
        StagePlan plan = _plan.Stages[stage];
        CostCounts counts = new();
        for (int replica = 0; replica < _plan.Settings.Replicas; replica++)
        {
            counts = counts.Plus(CarriedBy(plan, step, replica));
            foreach (SlicePlan slice in plan.Slices.Select(index => _plan.Slices[index]))
            {
                counts = counts.Plus(new CostCounts
                {
                    UpdatedValues = updates && replica == 0 ? slice.StateLength : 0,
                    ContributedBytes = updates ? CostMemory.EncodedBytes(_plan.Settings, slice) : 0,
                    ContributedValues = updates && _plan.CarriesResidual ? slice.Length : 0,
                    WeightValues = updates ? slice.Length : 0,
                });
            }
        }

        return counts;
    }

    private CostCounts CarriedBy(StagePlan stage, long step, int replica)
    {
        CostCounts counts = new();
        CarriedPlan carried = stage.Carried;
        int rows = _plan.RowsOf(step, replica, 0).Count;
        StageProgram<float> program = _programs[stage.Index];
        void Carry(int steps, double values)
        {
            if (steps > 0)
            {
                counts = counts.Plus(new CostCounts { Carries = 1, CarriedValues = values });
            }
        }

        Carry(carried.Inputs, (double)rows * program.InputWidth);
        Carry(carried.Outputs, (double)rows * program.OutputWidth);
        Carry(carried.Stashes, program.StashLength(rows));
        long signalled = _plan.Method.Instructions(_plan, stage.Index, 0).RowsOfSignal(step);
        Carry(signalled >= 1 ? carried.Signals : 0, signalled >= 1 ? (double)_plan.RowsOf(signalled, replica, 0).Count * program.InputWidth : 0);
        return counts;
    }

    private void Store(int stage, Instruction instruction)
    {
        StageProgram<float> program = _programs[stage];
        int rows = instruction.Step > 0 ? _plan.RowsOf(instruction.Step, 0, instruction.MicroBatch).Count : 0;
        double input = (double)rows * program.InputWidth, output = (double)rows * program.OutputWidth, stash = program.StashLength(rows);
        (double values, int count) = instruction.Kind switch
        {
            InstructionKind.Forward => (input + output + stash, 1),
            InstructionKind.Replay => (output + stash, 0),
            InstructionKind.KeepInput => (-output - stash, 0),
            InstructionKind.KeepOutput => (-input - stash, 0),
            InstructionKind.Free when _plan.Stages[stage].Rule?.Kind == LocalRuleKind.GradientPredictor => (-output, -1),
            InstructionKind.Free => (-input - output - stash, -1),
            _ => (0, 0),
        };
        _storedNow[stage] += values;
        _storedCountNow[stage] += count;
        _stored[stage] = Math.Max(_stored[stage], _storedNow[stage]);
        _storedCount[stage] = Math.Max(_storedCount[stage], _storedCountNow[stage]);
    }
}
