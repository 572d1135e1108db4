using BenchmarkDotNet.Running;
using DistTrain.Benchmarks;

if (args is ["overhead", ..])
{
    OverheadBenchmark.Run(args.Length > 1 ? int.Parse(args[1]) : 9);
    return 0;
}

if (args.Length == 0)
{
    Console.WriteLine("usage: dotnet run -c Release --project tests/DistTrain.Benchmarks -- overhead [rounds]");
    Console.WriteLine("       dotnet run -c Release --project tests/DistTrain.Benchmarks -- --filter '*'   (BenchmarkDotNet)");
    return 2;
}

BenchmarkSwitcher.FromAssembly(typeof(OverheadBenchmark).Assembly).Run(args);
return 0;
