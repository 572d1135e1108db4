namespace DistTrain.Engines.Processes;

/// <summary>Every limit of the engine, with its reason.</summary>
internal static class ProcessesLimits
{
    /// <summary>Processes of layer actors: each has its connections to all others, and a machine has no more cores to give them.</summary>
    public const int WorkersMax = 256;

    /// <summary>Bytes of a socket's path: Linux allows 108 with the terminating zero, other systems 104.</summary>
    public const int SocketPathBytesMax = 103;

    /// <summary>Bytes of the token: 256 bits cannot be guessed.</summary>
    public const int TokenBytes = 32;

    /// <summary>Addresses of shared memory that a connection has for copies of large tensors: what links have under way of models that CPUs train. Memory is taken up only by what was
    /// ever lent at a time; what finds no place goes through the socket.</summary>
    public const long SharedBytes = 256 << 20;

    /// <summary>Addresses for the large buffers of a process, which the others map as well: those of models that CPUs train. What finds no place is copied to a connection's memory.</summary>
    public const long ArenaBytes = 1 << 30;

    /// <summary>Connections that have not shown the token yet: a process opens one to each other.</summary>
    public const int StrangersMax = 64;

    /// <summary>Connections in the kernel's queue that wait to be accepted.</summary>
    public const int Backlog = 64;

    /// <summary>How long a new connection may take to show the token: its process sends it at once.</summary>
    public static readonly TimeSpan GreetingTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Messages kept for an actor that is about to begin an epoch; the protocol sends again what is lost here.</summary>
    public const int EarlyMessagesMax = 1024;

    /// <summary>Longest wait before a connection is tried again: a try costs some microseconds, and a restarted process should not wait to be
    /// found.</summary>
    public static readonly TimeSpan ReconnectCap = TimeSpan.FromMilliseconds(20);

    /// <summary>Silence after which a process is taken for hung and killed: far more than a busy machine lets it wait.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(15);

    /// <summary>How often a process says that it lives at least, and oftener where less silence is allowed: nothing else happens in a run that waits, and should take next to no time.</summary>
    public static readonly TimeSpan BeatEveryMax = TimeSpan.FromSeconds(3);

    /// <summary>So many signs of life have to fail to come before a process is taken for hung.</summary>
    public const int BeatsInSilence = 5;

    /// <summary>For so many signs of life a silent process is given time once more: its parent itself may have been stopped, and then reads what is there.</summary>
    public const int BeatsInDoubt = 2;

    /// <summary>Silence that a starting process is allowed: the runtime is loaded from a cold disk.</summary>
    public static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);

    /// <summary>How long processes may take to end once they were told to.</summary>
    public static readonly TimeSpan EndMax = TimeSpan.FromSeconds(5);

    /// <summary>Restarts of one process without a step committed in between, before the run stops: its fault is not passing.</summary>
    public const int FruitlessRestartsMax = 6;

    /// <summary>First wait before a process is restarted a second time without a step committed in between.</summary>
    public static readonly TimeSpan RestartFirst = TimeSpan.FromMilliseconds(50);

    /// <summary>Lines of a process's standard error that are kept to tell why it ended.</summary>
    public const int LastWordsMax = 20;
}
