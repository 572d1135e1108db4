using DistTrain.Engines;

namespace DistTrain.Commands.Verbs;

internal sealed class DoctorCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    public int Execute(string? experiment) => throw new NotImplementedException($"{host} {engines} {experiment}");
}
