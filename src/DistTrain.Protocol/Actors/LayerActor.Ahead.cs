using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Actors;

/// <content>The next step's rows, loaded while the stages behind have this step's.</content>
public sealed partial class LayerActor
{
    // The step whose rows were loaded before their instruction came; 0 for none.
    private long _loadedAhead;

    private bool ReceivesSignal => _hasCurrent && _current.Kind == InstructionKind.ReceiveSignal;

    /// <summary>Loads the next step's inputs if the stage waits for a signal and has nothing better to do: they depend on nothing, and later everybody would wait for them.</summary>
    private void LoadAhead()
    {
        long step = _current.Step + 1;
        if (ReceivesSignal && _loadedAhead < step && _instructions!.MayLoadAhead(step))
        {
            _loadedAhead = step;
            Load(new Instruction(InstructionKind.LoadInput, step, 0), targets: false);
        }
    }

    /// <summary>Takes in what <see cref="LoadAhead"/> has asked for; false for a job that the current instruction has asked for.</summary>
    private bool TryTakeLoadedAhead(Job job)
    {
        if (job is not LoadBatchJob load || !ReceivesSignal)
        {
            return false;
        }

        MicroBatchSlot slot = Slot(load.Step, load.MicroBatch);
        InvariantException.Require(load.Step == _loadedAhead && slot.Input.IsNone, "Rows are loaded once.");
        slot.Input = load.Outputs[0];
        return true;
    }
}
