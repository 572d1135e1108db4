using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Terminal;

/// <summary>How figures and settings read in a line of output.</summary>
internal static class Words
{
    /// <summary>A network as <c>784 &gt; dense 128 relu &gt; dense 10 softmax</c>.</summary>
    public static string Network(NetworkSpec network) =>
        string.Join(" > ", [network.Inputs > 0 ? Count(network.Inputs) : "inputs", .. network.Layers.Select(Layer)]);

    /// <summary>The number of parameters.</summary>
    public static string ParameterCount(IEnumerable<ParameterSpec> parameters) => $"{Count(parameters.Sum(parameter =>
        (long)parameter.Length))} parameters";

    /// <summary>How the signal travels: method, schedule, stages, replicas.</summary>
    public static string Arrangement(RunSettings settings)
    {
        string stages = Plural(settings.Stages.Count, "stage");
        string consistency = Names.Consistency.NameOf(settings.ParameterServer.Consistency);
        string replicas = settings.Replicas > 1 ? $" x {settings.Replicas} replicas ({consistency})" : "";
        string schedule = MethodCatalog.Find(settings.Method.Name) is { HasSchedule: true } ? $" ({settings.Method.Schedule})" : "";
        return $"{settings.Method.Name}{schedule} on {stages}{replicas}";
    }

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.##} %");

    /// <summary>A loss with enough figures to compare.</summary>
    public static string Loss(double loss) =>
        loss.ToString(loss is 0 or >= 0.001 ? "0.0000" : "0.00e0", CultureInfo.InvariantCulture);

    /// <summary>A whole number with separators.</summary>
    public static string Count(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number of things.</summary>
    public static string Plural(long number, string thing) => $"{Count(number)} {thing}{(number == 1 ? "" : "s")}";

    /// <summary>A duration for people.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s"),
        { TotalSeconds: < 100 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min"),
    };

    private static string Dense(DenseSpec dense)
    {
        string bias = dense.Bias ? "" : " without bias", tied = dense.TiedTo is int source ? $" tied to layer {source}" : "";
        return $"{dense.Units} {Names.Activation.NameOf(dense.Activation)}{bias}{tied}";
    }

    private static string Layer(LayerSpec layer) => layer switch
    {
        DenseSpec dense => Dense(dense),
        MaxoutSpec maxout => $"{maxout.Units} maxout of {maxout.Pieces}",
        KCompetitiveSpec k => $"{k.Units} {k.K}-competitive",
        DropoutSpec dropout => $"dropout {Percent(dropout.Rate)}",
        _ => layer.Kind,
    };
}
