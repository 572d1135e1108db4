namespace DistTrain.Akka.Tests.Support;

/// <summary>Experiments for cluster tests.</summary>
internal static class Experiments
{
    /// <summary>Two replicas in three stages with two shards; its tensors are large enough for streams.</summary>
    public static string Wide(int epochs, int checkpointEvery = 20, int copies = 1, string durability = "memory") => $$"""
        name: wide
        seed: 3
        data: { source: glyphs, train-rows: 512, test-rows: 64 }
        network:
          - dense: { units: 256, activation: relu }
          - dense: { units: 128, activation: relu }
          - dense: { units: 10, activation: softmax }
        loss: cross-entropy
        optimizer: { name: sgd, learning-rate: 0.02, momentum: 0.9 }
        training: { epochs: {{epochs}}, batch-size: 64, micro-batches: 2, shuffle: true }
        stages: 3
        replicas: 2
        parameter-server: { shards: 2, copies: {{copies}} }
        checkpoint: { every-steps: {{checkpointEvery}} }
        durability: {{durability}}
        compute-threads: 1
        """;

    /// <summary>Two replicas in two stages, two copies of each of two shards and no snapshot to go back to; its tensors are large enough for
    /// streams and small enough for slow links.</summary>
    public static string Narrow(int epochs) => $$"""
        name: narrow
        seed: 7
        data: { source: glyphs, train-rows: 256, test-rows: 64 }
        network:
          - dense: { units: 48, activation: relu }
          - dense: { units: 10, activation: softmax }
        loss: cross-entropy
        optimizer: { name: sgd, learning-rate: 0.02, momentum: 0.9 }
        training: { epochs: {{epochs}}, batch-size: 64, micro-batches: 2, shuffle: true }
        stages: 2
        replicas: 2
        parameter-server: { shards: 2, copies: 2 }
        checkpoint: { every-steps: 1000000 }
        compute-threads: 1
        """;

    /// <summary>A small network by a method.</summary>
    public static string Small(string method, string precision = "float32", string more = "", int microBatches = 1) => $$"""
        name: small
        seed: 5
        precision: {{precision}}
        data: { source: blobs, train-rows: 96, test-rows: 24, classes: 3, inputs: 40 }
        network:
          - dense: { units: 24, activation: tanh }
          - dense: { units: 16, activation: tanh }
          - dense: { units: 3, activation: softmax }
        loss: cross-entropy
        optimizer: { name: sgd, learning-rate: 0.1, momentum: 0.9 }
        training: { epochs: 2, batch-size: 16, micro-batches: {{microBatches}}, shuffle: true }
        method: {{method}}
        compute-threads: 1
        {{more}}
        """;
}
