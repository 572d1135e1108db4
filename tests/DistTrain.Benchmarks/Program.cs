using BenchmarkDotNet.Running;
using DistTrain.Benchmarks;
using DistTrain.Engines.Processes;

if (args is [ProcessesChild.Verb])
{
    return ProcessesChild.Run(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, text =>
        text == FootprintBenchmark.Waiting ? FootprintBenchmark.ReadWaiting()
        : text.StartsWith(DdpBenchmark.Experiment, StringComparison.Ordinal) ? DdpBenchmark.Read(text) : KillsBenchmark.Read(text));
}

if (args is ["kills", _, ..])
{
    return KillsBenchmark.Run(
        args[1], args.Length > 2 ? int.Parse(args[2]) : 50, args.Length > 3 ? int.Parse(args[3]) : 5, args.Length > 4 ? int.Parse(args[4]) : 10);
}

if (args is [RingsBenchmark.PeerVerb, ..])
{
    return RingsBenchmark.RunPeer(args);
}

if (args is ["rings", ..])
{
    RingsBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 9);
    return 0;
}

if (args is ["ddp", ..])
{
    DdpBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 9, args.Length > 2 ? args[2] : null);
    return 0;
}

if (args is ["growth", ..])
{
    GrowthBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 5);
    return 0;
}

if (args is ["pipeline", ..])
{
    PipelineBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 9);
    return 0;
}

if (args is ["allocations", ..])
{
    AllocationsBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 9);
    return 0;
}

if (args is [FootprintBenchmark.PeerVerb, _])
{
    return FootprintBenchmark.RunPeer(args[1]);
}

if (args is ["memory", _, ..])
{
    FootprintBenchmark.Memory(args.Length > 2 ? int.Parse(args[2]) : 3, args[1]);
    return 0;
}

if (args is ["startup", _, ..])
{
    FootprintBenchmark.Startup(args.Length > 2 ? int.Parse(args[2]) : 9, args[1], args.Length > 3 ? args[3] : null);
    return 0;
}

if (args is ["idle", ..])
{
    FootprintBenchmark.Idle(args.Length > 1 ? int.Parse(args[1]) : 10);
    return 0;
}

if (args is ["loading", ..])
{
    LoadingBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 5, args.Length > 2 ? args[2] : null);
    return 0;
}

if (args is ["overhead", ..])
{
    OverheadBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 9);
    return 0;
}

if (args is ["front", ..])
{
    FrontBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 5, args.Length > 2 ? args[2] : null, args.Length > 3 ? int.Parse(args[3]) : 1);
    return 0;
}

if (args is ["front-alone", ..])
{
    return FrontAloneBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 15, args.Length > 2 ? int.Parse(args[2]) : 1);
}

if (args is ["torch", ..])
{
    TorchBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 9, args.Length > 2 ? args[2] : null);
    return 0;
}

if (args is ["gemm", ..])
{
    GemmBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 1, args.Length > 2 ? args[2] : null);
    return 0;
}

if (args is ["events", ..])
{
    EventsBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 10_000, args.Length > 2 ? int.Parse(args[2]) : 100);
    return 0;
}

if (args is ["predict", ..])
{
    PredictBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 5, args.Length > 2 ? args[2] : null);
    return 0;
}

if (args is ["dashboard", ..])
{
    DashboardBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 7);
    return 0;
}

if (args is ["durability", ..])
{
    DurabilityBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 7);
    return 0;
}

if (args.Length == 0)
{
    Console.WriteLine("usage: dotnet run -c Release --project tests/DistTrain.Benchmarks -- overhead [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- front [rounds [folder of golub-leukemia.csv.gz [compute threads]]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- front-alone [rounds [compute threads]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- torch [rounds [part of a case's title]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- gemm [threads [part of a product's title]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- events [layers [steps]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- kills FOLDER-OF-FASHION-MNIST [kills [epochs [restarts of everything]]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- predict [rounds [part of a case's title]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- durability [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- dashboard [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- rings [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- loading [rounds [folder of Fashion-MNIST]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- growth [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- pipeline [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- allocations [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- memory FOLDER-OF-FASHION-MNIST [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- startup PATH-OF-DISTTRAIN [rounds [experiment file]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- idle [seconds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- ddp [rounds [layers of each stage, such as 1,1,1]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- --filter '*'   (BenchmarkDotNet)");
    return 2;
}

BenchmarkSwitcher.FromAssembly(typeof(OverheadBenchmark).Assembly).Run(args);
return 0;
