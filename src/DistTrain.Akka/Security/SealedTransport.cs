using Akka.Actor;
using Akka.Remote.Transport;
using DistTrain.Protocol.Wire;

namespace DistTrain.Akka.Security;

/// <summary>Makes sealed transports; Akka finds it by its name in the configuration.</summary>
internal sealed class SealedTransportProvider : ITransportAdapterProvider
{
    /// <summary>The name among the adapters.</summary>
    public const string Name = "sealed";

    /// <summary>The name of the type, without a space: Akka reads this setting with the quotes that a space would need.</summary>
    public static string TypeName { get; } = $"{typeof(SealedTransportProvider).FullName},{typeof(SealedTransportProvider).Assembly.GetName().Name}";

    /// <inheritdoc/>
    public Transport Create(Transport wrappedTransport, ExtendedActorSystem system) => new SealedTransport(wrappedTransport, system);
}

/// <summary>A transport whose associations are handed on only after the handshake of <see cref="SealedChannel"/>, and sealed from then
/// on. Addresses stay as they are.</summary>
internal sealed class SealedTransport : Transport
{
    private readonly Transport _wrapped;
    private readonly SealSetup _setup;

    public SealedTransport(Transport wrapped, ExtendedActorSystem system)
    {
        (_wrapped, System, Config) = (wrapped, system, wrapped.Config);
        _setup = system.Settings.Setup.Get<SealSetup>().Value;
    }

    /// <inheritdoc/>
    public override string SchemeIdentifier => _wrapped.SchemeIdentifier;

    /// <inheritdoc/>
    public override long MaximumPayloadBytes => _wrapped.MaximumPayloadBytes - SealedChannel.OverheadBytes;

    /// <inheritdoc/>
    public override async Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        (Address address, TaskCompletionSource<IAssociationEventListener> inner) = await _wrapped.Listen().ConfigureAwait(false);
        TaskCompletionSource<IAssociationEventListener> outer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = outer.Task.ContinueWith(
            listener => inner.TrySetResult(new Gate(listener.Result, _setup)), TaskScheduler.Default);
        return (address, outer);
    }

    /// <inheritdoc/>
    public override bool IsResponsibleFor(Address remote) => _wrapped.IsResponsibleFor(remote);

    /// <inheritdoc/>
    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        AssociationHandle handle = await _wrapped.Associate(remoteAddress).ConfigureAwait(false);
        SealedHandle sealing = new(handle, _setup.Secret, _setup.Tls, connects: true);
        try
        {
            await sealing.Handshake.WaitAsync(SealSetup.HandshakeTimeout).ConfigureAwait(false);
            return sealing;
        }
        catch (Exception problem) when (problem is FrameException or TimeoutException or IOException)
        {
            sealing.Dispose();
            _setup.Refused(remoteAddress, problem.Message);
            throw new InvalidAssociationException($"{remoteAddress}: {problem.Message}", problem);
        }
    }

    /// <inheritdoc/>
    public override Task<bool> Shutdown() => _wrapped.Shutdown();

    /// <inheritdoc/>
    public override Task<bool> ManagementCommand(object message) => _wrapped.ManagementCommand(message);

    /// <summary>Lets an inbound association pass once its handshake is done.</summary>
    private sealed class Gate(IAssociationEventListener upstream, SealSetup setup) : IAssociationEventListener
    {
        private int _strangers;

        public void Notify(IAssociationEvent ev)
        {
            if (ev is not InboundAssociation inbound)
            {
                upstream.Notify(ev);
                return;
            }

            if (Interlocked.Increment(ref _strangers) > SealSetup.StrangersMax)
            {
                Interlocked.Decrement(ref _strangers);
                SealedHandle.Disassociate(inbound.Association);
                return;
            }

            _ = AdmitAsync(new SealedHandle(inbound.Association, setup.Secret, setup.Tls, connects: false));
        }

        private async Task AdmitAsync(SealedHandle handle)
        {
            try
            {
                await handle.Handshake.WaitAsync(SealSetup.HandshakeTimeout).ConfigureAwait(false);
                upstream.Notify(new InboundAssociation(handle));
            }
            catch (Exception problem) when (problem is FrameException or TimeoutException or IOException)
            {
                handle.Dispose();
                setup.Refused(handle.RemoteAddress, problem.Message);
            }
            finally
            {
                Interlocked.Decrement(ref _strangers);
            }
        }
    }
}
