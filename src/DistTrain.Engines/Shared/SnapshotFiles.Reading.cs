using System.Globalization;
using DistTrain.Data;
using DistTrain.Engines.Storage;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;

namespace DistTrain.Engines.Shared;

/// <content>Reading a snapshot whole, and what it must hold.</content>
internal sealed partial class SnapshotFiles
{
    private void ReadSlices(string path)
    {
        _loaded = new Dictionary<string, SafetensorsTensor>(StringComparer.Ordinal);
        _loadedMetadata = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        foreach (string name in _disk.Files(path).Where(name => name.StartsWith("slice-", StringComparison.Ordinal) && name.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            string file = Path.Combine(path, name);
            SafetensorsContents contents = SafetensorsFile.Parse(file, _disk.ReadWhole(file));
            RequireChecksum(file, contents);
            RequireMetadata(file, contents.Metadata);
            foreach (SafetensorsTensor tensor in contents.Tensors)
            {
                _loaded[tensor.Name] = tensor;
                _loadedMetadata[tensor.Name] = contents.Metadata;
            }
        }
    }

    private static void RequireChecksum(string file, SafetensorsContents contents)
    {
        uint crc = Crc32C.Start;
        foreach (SafetensorsTensor tensor in contents.Tensors)
        {
            crc = Crc32C.Add(crc, tensor.Data.Span);
        }

        if (contents.Metadata.TryGetValue(ChecksumKey, out string? known) && known != ChecksumText(Crc32C.End(crc)))
        {
            throw new InvalidInputException($"{file}: its tensors do not match their checksum; expected the file as it was written");
        }
    }

    private static void RequireMetadata(string file, IReadOnlyDictionary<string, string> metadata)
    {
        bool has = metadata.ContainsKey(ChecksumKey)
            && metadata.TryGetValue(UpdatesKey, out string? updates)
            && long.TryParse(updates, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && metadata.TryGetValue(AppliedKey, out string? applied)
            && applied.Split(',').All(step => long.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (!has)
        {
            throw new InvalidInputException($"{file}: this is no file of a snapshot; expected slice files that a run has written");
        }
    }

    private void RequireWhole(string path)
    {
        // Expanded weights come at the end, and what no step updates has no optimizer state before.
        foreach ((ParameterSpec parameter, int slice, _) in plan.Parameters.Where(place => !plan.IsExpanded(place.Slice)))
        {
            Require(path, parameter.Name, parameter.Length, "it belongs to another network or precision");
            if (_stateCount > 0 && !plan.Slices[slice].Frozen)
            {
                SnapshotPart state = new(SnapshotPartKind.OptimizerState, 0);
                Require(path, state.NameOf(parameter), LengthOf(state, parameter), "it belongs to a run with another optimizer");
            }

            for (int replica = 0; replica < plan.Settings.Replicas && plan.CarriesResidual; replica++)
            {
                Require(path, new SnapshotPart(SnapshotPartKind.Residual, replica).NameOf(parameter), parameter.Length, "it belongs to a run with other replicas or compression");
            }
        }
    }

    private void Require(string path, string name, int length, string otherwise)
    {
        if (!_loaded.TryGetValue(name, out SafetensorsTensor? tensor) || tensor.DType != DType || tensor.Data.Length != length * ValueBytes)
        {
            throw new InvalidInputException($"{path}: the snapshot has no {DType} tensor {name} of {length} values; {otherwise}");
        }
    }
}
