namespace DistTrain.Protocol.Wire;

/// <summary>The envelope's fields, which every header starts with after the tag.</summary>
internal static class EnvelopeFields
{
    public static readonly MessageField Run = new(0, "Run", typeof(long));
    public static readonly MessageField Epoch = new(1, "Epoch", typeof(int));
    public static readonly MessageField From = new(2, "From", typeof(int));
    public static readonly MessageField FromIncarnation = new(3, "FromIncarnation", typeof(int));
    public static readonly MessageField To = new(4, "To", typeof(int));
    public static readonly MessageField ToIncarnation = new(5, "ToIncarnation", typeof(int));
    public static readonly MessageField Sequence = new(6, "Sequence", typeof(long));
    public static readonly MessageField Acknowledges = new(7, "Acknowledges", typeof(long));

    public static readonly IReadOnlyList<MessageField> All =
        [Run, Epoch, From, FromIncarnation, To, ToIncarnation, Sequence, Acknowledges];
}
