using System.Linq.Expressions;
using System.Reflection;
using System.Text;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Wire;

/// <summary>
/// A message type's declaration, taken from its record's primary constructor: tag and fields in order. Its two functions are
/// compiled once, so that
/// writing and reading box nothing and look nothing up.
/// </summary>
public sealed class MessageSchema
{
    private readonly byte[] _utf8Tag;
    private readonly Action<Message, IFieldWriter> _write;
    private readonly Func<IFieldReader, Message> _read;

    internal MessageSchema(string tag, Type type)
    {
        Tag = tag;
        Type = type;
        _utf8Tag = Encoding.UTF8.GetBytes(tag);
        ParameterInfo[] parameters = type.GetConstructors().Single().GetParameters();
        Fields = [.. parameters.Select((parameter, index) => new MessageField(index, parameter.Name!, parameter.ParameterType))];
        _write = CompileWrite(parameters);
        _read = CompileRead(parameters);
    }

    /// <summary>The type's name on every wire.</summary>
    public string Tag { get; }

    /// <summary>The message type.</summary>
    public Type Type { get; }

    /// <summary>The fields in the order of declaration.</summary>
    public IReadOnlyList<MessageField> Fields { get; }

    /// <summary>The tag as UTF-8.</summary>
    public ReadOnlySpan<byte> Utf8Tag => _utf8Tag;

    /// <summary>Gives every field to a writer.</summary>
    public void Write(Message message, IFieldWriter writer) => _write(message, writer);

    /// <summary>Makes a message of a reader's fields.</summary>
    public Message Read(IFieldReader reader) => _read(reader);

    private Action<Message, IFieldWriter> CompileWrite(ParameterInfo[] parameters)
    {
        ParameterExpression message = Expression.Parameter(typeof(Message)), writer = Expression.Parameter(typeof(IFieldWriter));
        List<Expression> calls = [Expression.Empty()];
        foreach ((ParameterInfo parameter, MessageField field) in parameters.Zip(Fields))
        {
            PropertyInfo property = Type.GetProperty(parameter.Name!)
                ?? throw new InvariantException($"{Type.Name}'s primary constructor declares {parameter.Name}.");
            Expression value = Expression.Property(Expression.Convert(message, Type), property);
            MethodInfo method = typeof(IFieldWriter).GetMethod($"Write{field.Kind}")!;
            Expression argument = field.Kind == FieldKind.Enumeration ? Expression.Convert(value, typeof(int)) : value;
            calls.Add(Expression.Call(writer, method, Expression.Constant(field), argument));
        }

        return Expression.Lambda<Action<Message, IFieldWriter>>(Expression.Block(calls), message, writer).Compile();
    }

    private Func<IFieldReader, Message> CompileRead(ParameterInfo[] parameters)
    {
        if (parameters.Length == 0)
        {
            // Messages are immutable, so one without fields is the same each time.
            var only = (Message)Activator.CreateInstance(Type)!;
            return _ => only;
        }

        ParameterExpression reader = Expression.Parameter(typeof(IFieldReader));
        List<Expression> arguments = [];
        foreach ((ParameterInfo parameter, MessageField field) in parameters.Zip(Fields))
        {
            MethodInfo method = typeof(IFieldReader).GetMethod($"Read{field.Kind}")!;
            Expression value = Expression.Call(reader, method, Expression.Constant(field));
            arguments.Add(field.Kind == FieldKind.Enumeration ? Expression.Convert(value, parameter.ParameterType) : value);
        }

        Expression made = Expression.New(Type.GetConstructors().Single(), arguments);
        return Expression.Lambda<Func<IFieldReader, Message>>(Expression.Convert(made, typeof(Message)), reader).Compile();
    }
}
