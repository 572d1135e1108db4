using System.Globalization;
using DistTrain.Conformance.Support;
using DistTrain.Conformance.Survival;
using DistTrain.Engines.Processes;
using DistTrain.Protocol.Settings;

if (args is [SurvivalRun.Verb, string engine, string durability, string copies, string journal, string at])
{
    // A whole run of which nothing is left but its journal.
    return SurvivalRun.UntilKilled(
        engine, Enum.Parse<Durability>(durability), int.Parse(copies, CultureInfo.InvariantCulture), journal, long.Parse(at, CultureInfo.InvariantCulture));
}

// The processes engine starts its children from this assembly too.
return ProcessesChild.Run(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, RequestText.Read);
