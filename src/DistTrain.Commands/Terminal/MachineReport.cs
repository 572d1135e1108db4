using System.Globalization;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Terminal;

/// <summary>A machine's profile with units, and what each number is for.</summary>
internal sealed class MachineReport(CommandHost host)
{
    private const int LabelWidth = 28, ValueWidth = 34;

    /// <summary>Prints it.</summary>
    public void Print(MachineProfile machine)
    {
        host.Out.WriteLine(machine.Name);
        Products("float32", machine.ProductsFloat32);
        Products("float64", machine.ProductsFloat64);
        Line("compute threads", $"{machine.Threads}, {machine.ThreadSpeedup:F2} times one", "how much idle threads help with a large product");
        Line("work handed over", Time(machine.HandOverSeconds), "until a thread that looks for work begins with it");
        Line("thread woken", Time(machine.WakeSeconds), "until a thread that sleeps begins with it");
        Line("message", Time(machine.MessageSeconds), "made, delivered and taken in between actors of one process");
        Line("job", Time(machine.JobSeconds), "an actor's job besides its arithmetic");
        foreach (StreamRate rate in machine.StreamRates)
        {
            Line($"{Size(rate.WorkingSetBytes)} read and written", $"{rate.GigabytesPerSecond:F0} GB/s", "updates and rows, by what a step touches; memory is the last");
        }

        foreach (ActivationRate rate in machine.Activations)
        {
            Line(
                rate.Kind.ToString().ToLowerInvariant(),
                $"{Nano(rate.ForwardSeconds)} forward, {Nano(rate.BackwardSeconds)} back",
                "a value of an activation (float64: twice)");
        }

        Line("loss", Nano(machine.LossSeconds), "an output value in loss and gradient");
        Line("similarity", Nano(machine.SimilaritySeconds), "a value of a stage's output in its similarity loss");
        Line("row", Nano(machine.RowSeconds), "a row in what goes row by row");
        foreach (UpdateRate rate in machine.Updates)
        {
            Line($"update by {rate.Kind.ToString().ToLowerInvariant()}", Nano(rate.SecondsPerValue), "a parameter's value, in the nearest caches");
        }

        Line("weights drawn", Text($"{1e-6 * machine.DrawsPerSecond:F0} million/s"), "once, before the first step");
        Line("run", Time(machine.StartSeconds), "start and end of a run");
    }

    private void Products(string precision, ProductRates rates)
    {
        (string Name, ProductRate Rate)[] products =
        [
            ("forward", rates.Forward), ("gradient", rates.Gradient), ("signal", rates.Signal),
            ("narrow forward", rates.NarrowForward), ("narrow gradient", rates.NarrowGradient), ("narrow signal", rates.NarrowSignal),
        ];
        foreach ((string name, ProductRate rate) in products)
        {
            Line(
                $"{precision} {name}",
                Text($"{rate.Gigaflops:F0} GFLOP/s + {Time(rate.Seconds)} + {1e9 * rate.SecondsPerWeight:F3} ns/w"),
                "a layer's product: operations, a fixed time, each weight");
        }
    }

    private void Line(string label, FormattableString value, string use) => Line(label, Text(value), use);

    private void Line(string label, string value, string use) => host.Out.WriteLine($"  {label.PadRight(LabelWidth)}{value.PadRight(ValueWidth)}{use}");

    private static string Text(FormattableString value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Nano(double seconds) => Text($"{1e9 * seconds:F2} ns");

    private static string Time(double seconds) => seconds < 1e-6 ? Text($"{1e9 * seconds:F0} ns") : Text($"{1e6 * seconds:F1} µs");

    private static string Size(double bytes) => bytes < 1 << 20 ? Text($"{bytes / (1 << 10):F0} KiB") : Text($"{bytes / (1 << 20):F0} MiB");
}
