using System.Runtime.CompilerServices;
using DistTrain.Protocol.Jobs;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Jobs;

public sealed class JobKindTests
{
    /// <summary>A job without a kind runs, until somebody traces it or prices it.</summary>
    [Fact]
    public void EveryJobIsOfAKind()
    {
        Type[] jobs = [.. typeof(Job).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Job)) && !type.IsAbstract)];
        jobs.Length.ShouldBeGreaterThan(15);
        foreach (Type job in jobs)
        {
            Should.NotThrow(() => JobKinds.Of((Job)RuntimeHelpers.GetUninitializedObject(job)), job.Name);
        }
    }
}
