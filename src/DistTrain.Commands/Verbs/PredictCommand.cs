namespace DistTrain.Commands.Verbs;

internal sealed class PredictCommand(CommandHost host)
{
    public int Execute(string run, string? input, string? file) => throw new NotImplementedException($"{host} {run} {input} {file}");
}
