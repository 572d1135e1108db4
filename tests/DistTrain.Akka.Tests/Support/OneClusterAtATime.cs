using Xunit;

// Clusters are many processes: two at a time would measure each other's load instead of the program.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
