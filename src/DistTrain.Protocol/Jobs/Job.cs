namespace DistTrain.Protocol.Jobs;

/// <summary>
/// Arithmetic or data access that a machine asks its host to do: an operation, where in the run it belongs, and buffer handles.
/// The host runs it wherever it likes, never twice, and returns the same object in a job-done stimulus.
/// </summary>
/// <remarks>
/// References: the host holds one on each input while the job runs. Each output arrives with one reference that belongs to the
/// machine. An output that is not <see cref="BufferHandle.None"/> at the start is written in place, and its reference
/// travels with the
/// job; otherwise the host takes a fresh buffer of the size that the operation implies. When the job fails, or its machine
/// is gone
/// by the time it ends, the host gives the outputs back. A machine may reuse a job object once it came back.
/// </remarks>
public abstract class Job
{
    private protected Job(int inputs, int outputs)
    {
        Inputs = new BufferHandle[inputs];
        Outputs = new BufferHandle[outputs];
    }

    /// <summary>Buffers read; the meaning by position is each job's own.</summary>
    public BufferHandle[] Inputs { get; }

    /// <summary>Buffers written; the meaning by position is each job's own.</summary>
    public BufferHandle[] Outputs { get; }

    /// <summary>Epoch of the machine when it issued the job: results of an earlier epoch are dropped.</summary>
    public int Epoch { get; internal set; }

    /// <summary>What the host notes with a job while it has it, such as whose it is; machines never look at it.</summary>
    public object? HostTag { get; set; }
}

/// <summary>Rows of a data set that a job works on.</summary>
public enum DataSplit
{
    /// <summary>Training rows: the rows of a step in evaluation are those of the file, in order.</summary>
    Train,

    /// <summary>Test rows.</summary>
    Test,
}
