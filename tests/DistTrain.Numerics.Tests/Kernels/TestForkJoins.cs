using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Tests.Kernels;

/// <summary>Claims to be wide and runs the last chunk first, all on the calling thread.</summary>
internal sealed class ReverseForkJoin(int width) : IForkJoin
{
    public int Width => width;

    public int Runs { get; private set; }

    public void Run(IChunkedWork work, int chunks)
    {
        Runs++;
        for (int chunk = chunks - 1; chunk >= 0; chunk--)
        {
            work.RunChunk(chunk);
        }
    }
}

/// <summary>Runs odd chunks on a second thread.</summary>
internal sealed class TwoThreadForkJoin : IForkJoin
{
    public int Width => 2;

    public void Run(IChunkedWork work, int chunks)
    {
        var helper = new Thread(() =>
        {
            for (int chunk = 1; chunk < chunks; chunk += 2)
            {
                work.RunChunk(chunk);
            }
        });
        helper.Start();
        for (int chunk = 0; chunk < chunks; chunk += 2)
        {
            work.RunChunk(chunk);
        }

        helper.Join();
    }
}
