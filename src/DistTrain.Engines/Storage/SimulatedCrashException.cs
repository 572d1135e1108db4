namespace DistTrain.Engines.Storage;

/// <summary>The simulated machine stopped in the middle of a write: nobody handles it, for nobody is left.</summary>
internal sealed class SimulatedCrashException(string message) : Exception(message);
