namespace DistTrain.Engines.Shared;

/// <summary>An actor's jobs take longer than they would.</summary>
/// <param name="Factor">On their time; without effect up to 1, because nothing makes a job faster.</param>
/// <param name="UntilReplaced">Whether whoever is started in the actor's place is as fast as ever.</param>
internal sealed record Slowness(double Factor, bool UntilReplaced)
{
    /// <summary>Waits at the end of a job for as long as it would have taken longer.</summary>
    public void Prolong(TimeSpan took)
    {
        TimeSpan longer = took * (Factor - 1);
        if (longer > TimeSpan.Zero)
        {
            using ManualResetEventSlim never = new();
            never.Wait(longer);
        }
    }
}
