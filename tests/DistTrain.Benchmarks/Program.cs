using BenchmarkDotNet.Running;
using DistTrain.Benchmarks;
using DistTrain.Engines.Processes;

if (args is [ProcessesChild.Verb])
{
    return ProcessesChild.Run(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, KillsBenchmark.Read);
}

if (args is ["kills", _, ..])
{
    return KillsBenchmark.Run(
        args[1], args.Length > 2 ? int.Parse(args[2]) : 50, args.Length > 3 ? int.Parse(args[3]) : 5, args.Length > 4 ? int.Parse(args[4]) : 10);
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
    DashboardBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 9, args.Length > 2 ? double.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 5);
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
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- torch [rounds [part of a case's title]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- gemm [threads [part of a product's title]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- events [layers [steps]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- kills FOLDER-OF-FASHION-MNIST [kills [epochs [restarts of everything]]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- predict [rounds [part of a case's title]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- durability [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- dashboard [rounds [seconds of a run]]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- --filter '*'   (BenchmarkDotNet)");
    return 2;
}

BenchmarkSwitcher.FromAssembly(typeof(OverheadBenchmark).Assembly).Run(args);
return 0;
