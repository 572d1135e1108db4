namespace DistTrain.Protocol.Planning;

/// <summary>What a copy of a shard is in an epoch.</summary>
public enum CopyState
{
    /// <summary>Not in the view: nobody sends it anything, and nothing waits for it.</summary>
    Absent,

    /// <summary>In the view, with its state.</summary>
    Whole,

    /// <summary>In the view without state: the first of the view restores it from what is kept outside when no copy is whole, and sends it to the others.</summary>
    Empty,
}
