using Akka.Remote.Transport;
using DistTrain.Protocol.Wire;
using Google.Protobuf;

namespace DistTrain.Akka.Security;

/// <summary>An association behind a <see cref="SealedChannel"/>.</summary>
internal sealed class SealedHandle : AssociationHandle, IHandleEventListener, IDisposable
{
    private readonly AssociationHandle _wrapped;
    private readonly SealedChannel _channel;
    private readonly TaskCompletionSource _handshake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly Queue<IHandleEvent> _early = new();
    private IHandleEventListener? _listener;
    private int _taken;

    /// <param name="wrapped">The bare association.</param>
    /// <param name="secret">The cluster's.</param>
    /// <param name="tls">Certificates that both ends must show; null for none.</param>
    /// <param name="connects">Whether this end opened it.</param>
    public SealedHandle(AssociationHandle wrapped, ClusterSecret secret, TlsFiles? tls, bool connects)
        : base(wrapped.LocalAddress, wrapped.RemoteAddress)
    {
        _wrapped = wrapped;
        _channel = new SealedChannel(secret, connects, tls);
        _ = ReadHandlerSource.Task.ContinueWith(listener => Listen(listener.Result), TaskScheduler.Default);

        // The other's hello is answered as soon as it is read, and this end's own must go before the answer.
        wrapped.Write(UnsafeByteOperations.UnsafeWrap(_channel.Hello()));
        wrapped.ReadHandlerSource.TrySetResult(this);
    }

    /// <summary>Done when both ends have proved that they know the secret; faulted with the reason when one has not.</summary>
    public Task Handshake => _handshake.Task;

    /// <summary>Closes an association.</summary>
    public static void Disassociate(AssociationHandle handle)
    {
#pragma warning disable CS0618 // The one with a reason logs it for every stranger; here refusals are logged once.
        handle.Disassociate();
#pragma warning restore CS0618
    }

    /// <summary>Closes this one.</summary>
    public void Dispose()
    {
        Disassociate(_wrapped);
        _channel.Dispose();
    }

    /// <inheritdoc/>
    public override bool Write(ByteString payload) => _channel.Seal(payload, _wrapped.Write);

    /// <inheritdoc/>
    [Obsolete("Use the method that states reasons to make sure disassociation reasons are logged.")]
    public override void Disassociate() => Dispose();

    /// <inheritdoc/>
    public void Notify(IHandleEvent ev)
    {
        try
        {
            switch (ev)
            {
                case InboundPayload hello when _taken == 0:
                    _taken++;
                    _wrapped.Write(UnsafeByteOperations.UnsafeWrap(_channel.OnHello(hello.Payload.Span)));
                    break;
                case InboundPayload proof when _taken == 1:
                    _taken++;
                    _channel.OnProof(proof.Payload.Span);
                    _handshake.TrySetResult();
                    break;
                case InboundPayload payload:
                    Forward(new InboundPayload(_channel.Open(payload.Payload)));
                    break;
                default:
                    _handshake.TrySetException(new IOException("the connection was closed during the handshake"));
                    Forward(ev);
                    break;
            }
        }
        catch (FrameException problem)
        {
            if (!_handshake.TrySetException(problem))
            {
                Dispose();
            }
        }
    }

    private void Listen(IHandleEventListener listener)
    {
        lock (_lock)
        {
            while (_early.TryDequeue(out IHandleEvent? ev))
            {
                listener.Notify(ev);
            }

            _listener = listener;
        }
    }

    private void Forward(IHandleEvent ev)
    {
        lock (_lock)
        {
            if (_listener is null)
            {
                _early.Enqueue(ev);
            }
            else
            {
                _listener.Notify(ev);
            }
        }
    }
}
