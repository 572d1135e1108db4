using DistTrain.Conformance.Support;
using DistTrain.Engines.Processes;

// The processes engine starts its children from this assembly too.
return ProcessesChild.Run(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, RequestText.Read);
