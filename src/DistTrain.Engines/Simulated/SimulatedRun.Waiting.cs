using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Simulated;

/// <content>What actors wait for and hold, for a trace.</content>
internal sealed partial class SimulatedRun
{
    private readonly List<BufferHandle> _held = [];

    private void TellWait(IRunTrace trace, ActorId actor, ActorMachine machine)
    {
        _held.Clear();
        machine.CollectActivations(_held);
        long bytes = 0;
        foreach (BufferHandle buffer in _held)
        {
            bytes += _buffers.LengthOf(buffer);
        }

        trace.OnWait(actor, _time.Now, machine.Wait, bytes);
    }
}
