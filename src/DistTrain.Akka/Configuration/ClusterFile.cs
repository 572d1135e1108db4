using System.Net;
using Akka.Configuration;
using Akka.Configuration.Hocon;
using DistTrain.Numerics;

namespace DistTrain.Akka.Configuration;

/// <summary>Reads <c>cluster.conf</c>. Everything is checked before anything starts; a problem names file and key.</summary>
internal sealed class ClusterFile
{
    private const string OwnSection = "disttrain", AkkaSection = "akka";
    private readonly string _file, _folder;
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);
    private readonly Config _config;

    private ClusterFile(string file, string folder, string text)
    {
        (_file, _folder) = (file, folder);
        try
        {
            _config = ConfigurationFactory.ParseString(EnvironmentText.Fill(text, file));
        }
        catch (Exception wrong) when (wrong is not (OutOfMemoryException or InvalidInputException))
        {
            // The parser has a type of exception for every mistake.
            throw Problem("", "is not HOCON; expected sections such as disttrain { node { port = 4711 } }");
        }

        HoconShape.Require(text, problem => Problem("", problem));
    }

    /// <summary>Reads a file; relative paths in it start from its folder.</summary>
    public static NodeSettings Read(string path, string shown)
    {
        if (!File.Exists(path))
        {
            throw new InvalidInputException($"{shown}: there is no such file; expected a node's settings, for example the cluster.conf of the repository");
        }

        return Parse(File.ReadAllText(path), shown, Path.GetDirectoryName(path)!);
    }

    /// <summary>Reads a text.</summary>
    public static NodeSettings Parse(string text, string shown, string folder)
    {
        ClusterFile file = new(shown, folder, text);
        file.RequireSections();
        NodeSettings settings = file.Settings();
        file.RequireKnownKeys();
        return settings;
    }

    private NodeSettings Settings()
    {
        string host = Text("node.host", "127.0.0.1");
        string mode = Text("data-plane.mode", "tcp");
        int port = Number("node.port", 4711, 0, IPEndPoint.MaxPort), streamPort = Number("data-plane.port", 0, 0, IPEndPoint.MaxPort);
        Require(port != streamPort || port == 0, "data-plane.port", $"{port} is node.port as well; expected another port, or 0 for any");
        string name = Text("cluster.name", "disttrain"), endpoint = Text("telemetry.endpoint", "");
        Require(
            name.Length > 0 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'),
            "cluster.name",
            $"'{name}' is no name; expected letters, digits, '-' and '_'");
        Require(
            host.Length > 0 && host is not ("0.0.0.0" or "::"), "node.host", $"'{host}' is no address that others can reach this node at; expected its own, and 0.0.0.0 as bind-host to listen everywhere");
        Require(
            endpoint.Length == 0 || (Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? collector) && collector.Scheme is "http" or "https"),
            "telemetry.endpoint",
            $"'{endpoint}' is no address of a collector; expected such as http://127.0.0.1:4317");
        (string, string, string) tls = (PathOf("tls.certificate"), PathOf("tls.key"), PathOf("tls.ca"));
        return new NodeSettings
        {
            Cluster = name,
            Host = host,
            Port = port,
            BindHost = Text("node.bind-host", host),
            Seeds = SeedsOf(),
            Roles = RolesOf(),
            Capacity = OrCores(Number("node.capacity", 0, 0, 1_000_000)),
            ComputeThreads = OrCores(Number("node.compute-threads", 0, 0, 1024)),
            DataFolder = Path.GetFullPath(Text("node.data-dir", "cluster-data"), _folder),
            KeptRuns = Number("node.kept-runs", 8, 0, 1_000_000),
            DatasetsFolder = Path.GetFullPath(Text("node.datasets-dir", "."), _folder),
            DataPlane = mode switch
            {
                "tcp" => DataPlane.Tcp,
                "remote" => DataPlane.Remote,
                _ => throw Problem("data-plane.mode", $"'{mode}' is no data plane; expected tcp or remote"),
            },
            StreamPort = streamPort,
            WindowBytes = Number("data-plane.window-mib", 64, 1, 16 << 10) * (1L << 20),
            WindowChunks = Number("data-plane.window-chunks", 32, 8, 1024),
            Tls = Flag("tls.enabled", false)
                ? tls
                : null,
            TelemetryEndpoint = endpoint,
            TelemetryByHttp = TelemetryByHttp(),
            Akka = _config.HasPath("akka") ? _config.GetConfig("akka") : Config.Empty,
        };
    }

    private IReadOnlyList<string> SeedsOf()
    {
        IReadOnlyList<string> seeds = Texts("cluster.seeds", []);
        foreach (string seed in seeds)
        {
            Require(SeedAddress.TryParse(seed, out _, out _), "cluster.seeds", $"'{seed}' is no address; expected host:port");
        }

        return seeds;
    }

    private IReadOnlyList<string> RolesOf()
    {
        IReadOnlyList<string> roles = Texts("node.roles", RoleNames.All);
        foreach (string role in roles)
        {
            Require(RoleNames.All.Contains(role), "node.roles", $"'{role}' is no role; expected {string.Join(", ", RoleNames.All)}");
        }

        Require(roles.Count > 0, "node.roles", $"a node without a role hosts nothing; expected some of {string.Join(", ", RoleNames.All)}");
        return roles;
    }

    private bool TelemetryByHttp()
    {
        string protocol = Text("telemetry.protocol", "grpc");
        Require(protocol is "grpc" or "http", "telemetry.protocol", $"'{protocol}' is no protocol of OTLP here; expected grpc or http");
        return protocol == "http";
    }

    private static int OrCores(int value) => value > 0 ? value : Environment.ProcessorCount;

    private string PathOf(string key) => Text(key, "") is { Length: > 0 } path ? Path.GetFullPath(path, _folder) : "";

    private string Text(string key, string otherwise) => Has(key) ? Checked(key, "a text", config => config.GetString(Full(key))) : otherwise;

    private bool Flag(string key, bool otherwise) => Has(key) ? Checked(key, "on or off", config => config.GetBoolean(Full(key))) : otherwise;

    private IReadOnlyList<string> Texts(string key, IReadOnlyList<string> otherwise) =>
        Has(key) ? Checked(key, "a list of texts", config => config.GetValue(Full(key)).IsArray() ? config.GetStringList(Full(key)).ToArray() : throw new FormatException()) : otherwise;

    private int Number(string key, int otherwise, int least, int most)
    {
        int value = Has(key) ? Checked(key, $"a whole number from {least} to {most}", config => config.GetInt(Full(key))) : otherwise;
        Require(value >= least && value <= most, key, $"{value} is out of range; expected a whole number from {least} to {most}");
        return value;
    }

    private bool Has(string key)
    {
        _known.Add(key);
        return _config.HasPath(Full(key));
    }

    /// <summary>What is at the top has keys of its own.</summary>
    private void RequireSections()
    {
        foreach ((string key, HoconValue value) in Items(_config.Root))
        {
            if (key is not (OwnSection or AkkaSection))
            {
                throw new InvalidInputException($"{_file}: there is no section '{key}'; expected {OwnSection} and {AkkaSection}");
            }

            if (!value.IsObject())
            {
                throw new InvalidInputException($"{_file}: {key}: expected a section, {key} {{ … }}");
            }
        }
    }

    /// <summary>A key that nobody reads is a slip of the pen, and its value would be missed in silence.</summary>
    private void RequireKnownKeys()
    {
        if (_config.HasPath(OwnSection))
        {
            RequireKnownKeys(_config.GetValue(OwnSection), "");
        }
    }

    private void RequireKnownKeys(HoconValue section, string path)
    {
        foreach ((string key, HoconValue value) in Items(section))
        {
            string full = path.Length == 0 ? key : $"{path}.{key}";
            if (_known.Contains(full))
            {
                continue;
            }

            string[] below = [.. _known.Where(known => known.StartsWith(full + ".", StringComparison.Ordinal))];
            if (below.Length == 0)
            {
                string[] beside = [.. _known.Where(known => path.Length == 0 || known.StartsWith(path + ".", StringComparison.Ordinal))];
                throw Problem(full, $"there is no such key; expected {string.Join(", ", beside.Select(Full))}");
            }

            if (!value.IsObject())
            {
                throw Problem(full, $"expected a section with {string.Join(", ", below.Select(Full))}");
            }

            RequireKnownKeys(value, full);
        }
    }

    private static IEnumerable<KeyValuePair<string, HoconValue>> Items(HoconValue value) =>
        value.IsObject() ? value.GetObject().Items.OrderBy(item => item.Key, StringComparer.Ordinal) : [];

    private T Checked<T>(string key, string expected, Func<Config, T> read)
    {
        try
        {
            return read(_config);
        }
        catch (Exception wrong) when (wrong is not (OutOfMemoryException or InvalidInputException))
        {
            throw Problem(key, $"expected {expected}");
        }
    }

    private void Require(bool holds, string key, string problem)
    {
        if (!holds)
        {
            throw Problem(key, problem);
        }
    }

    private static string Full(string key) => $"disttrain.{key}";

    private InvalidInputException Problem(string key, string problem) =>
        new(key.Length == 0 ? $"{_file}: {problem}" : $"{_file}: {Full(key)}: {problem}");
}
