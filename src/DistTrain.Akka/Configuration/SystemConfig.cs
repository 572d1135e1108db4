using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote.Transport.DotNetty;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Configuration;

/// <summary>Makes actor systems. The defaults here are those that were measured; <c>cluster.conf</c> explains them and may change them.</summary>
internal static class SystemConfig
{
    /// <summary>The name of a client's system.</summary>
    public const string ClientName = "disttrain-client";

    private static readonly string Common = $$"""
        akka {
          loglevel = WARNING
          stdout-loglevel = OFF
          loggers = ["{{NameOf(typeof(NoticeLogger))}}"]
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          # What a signal means is the program's to say: a node leaves in order, and a client's run stops at a committed step.
          coordinated-shutdown { exit-clr = off, run-by-clr-shutdown-hook = off }
          actor {
            serializers {
              json = "{{NameOf(typeof(RefusingSerializer))}}"
              proto = "{{NameOf(typeof(RefusingSerializer))}}"
              daemon-create = "{{NameOf(typeof(RefusingSerializer))}}"
              disttrain = "{{NameOf(typeof(WireSerializer))}}"
            }
            serialization-bindings {
              "System.Object" = json
              "{{NameOf(typeof(ClusterMessage))}}" = disttrain
              "{{NameOf(typeof(PackedEnvelope))}}" = disttrain
            }
          }
          remote {
            adapters.{{SealedTransportProvider.Name}} = "{{SealedTransportProvider.TypeName}}"
            log-remote-lifecycle-events = off
            retry-gate-closed-for = 1s
            watch-failure-detector { heartbeat-interval = 500ms, acceptable-heartbeat-pause = 5s, unreachable-nodes-reaper-interval = 500ms }
            dot-netty.tcp {
              applied-adapters = ["{{SealedTransportProvider.Name}}"]
              maximum-frame-size = 262144b
              dns-use-ipv6 = false
            }
          }
        }
        """;

    private const string Cluster = """
        akka {
          actor.provider = cluster
          cluster {
            gossip-interval = 250ms
            leader-actions-interval = 250ms
            unreachable-nodes-reaper-interval = 250ms
            log-info = off
            down-removal-margin = 1s
            failure-detector { heartbeat-interval = 250ms, acceptable-heartbeat-pause = 3s, threshold = 8.0, min-std-deviation = 100ms, expected-response-after = 500ms }
            downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
            split-brain-resolver { active-strategy = keep-majority, stable-after = 2s, down-all-when-unstable = 6s, keep-majority { role = "coordinator" } }
            singleton { role = "coordinator" }
            # It warns at once, before the first leader can be there.
            singleton-proxy { role = "coordinator", singleton-identification-interval = 250ms, log-singleton-identification-failure = off }
          }
        }
        """;

    /// <summary>A node's system.</summary>
    public static ActorSystem Node(NodeSettings settings, SealSetup seal, TlsFiles? tls)
    {
        string seeds = string.Join(", ", settings.Seeds.Select(seed => $"\"{SeedAddress.SystemOf(settings.Cluster, seed, tls is not null)}\""));
        Config own = ConfigurationFactory.ParseString($$"""
            akka {
              remote.dot-netty.tcp { hostname = "{{settings.BindHost}}", public-hostname = "{{settings.Host}}", port = {{settings.Port}} }
              cluster { seed-nodes = [{{seeds}}], roles = [{{string.Join(", ", settings.Roles)}}] }
            }
            """);
        Config given = settings.Akka.IsEmpty ? Config.Empty : ConfigurationFactory.ParseString($"akka {{ {settings.Akka.Root} }}");
        Config all = own.WithFallback(given).WithFallback(ConfigurationFactory.ParseString(Cluster)).WithFallback(ConfigurationFactory.ParseString(Common));
        return Create(settings.Cluster, all, seal, tls);
    }

    /// <summary>A client's system: it talks to nodes and is no member.</summary>
    public static ActorSystem Client(string host, SealSetup seal, TlsFiles? tls)
    {
        Config own = ConfigurationFactory.ParseString($$"""
            akka { actor.provider = remote, remote.flush-wait-on-shutdown = 200ms, remote.dot-netty.tcp { hostname = "{{host}}", port = 0 } }
            """);
        return Create(ClientName, own.WithFallback(ConfigurationFactory.ParseString(Common)), seal, tls);
    }

    private static ActorSystem Create(string name, Config config, SealSetup seal, TlsFiles? tls)
    {
        ActorSystemSetup setup = BootstrapSetup.Create().WithConfig(config).And(seal);
        if (tls is not null)
        {
            // Akka's transport cannot check against a CA of its own; who the other is shows in the handshake inside, where it signs with its certificate.
            seal.Tls = tls;
            setup = setup.And(new DotNettySslSetup(tls.Certificate, suppressValidation: true));
            config = ConfigurationFactory.ParseString("akka.remote.dot-netty.tcp.enable-ssl = on").WithFallback(config);
            setup = setup.And(BootstrapSetup.Create().WithConfig(config));
        }

        return ActorSystem.Create(name, setup);
    }

    private static string NameOf(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";
}
