using System.Reflection;
using System.Text.RegularExpressions;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Tests.Wire;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.ArchitectureTests;

public sealed class MessageTests
{
    public static TheoryData<Type> MessageTypes => [.. MessageCatalog.All.Select(entry => entry.Type)];

    [Theory]
    [MemberData(nameof(MessageTypes))]
    public void EveryMessageIsASealedRecordWithOneDeclaration(Type type)
    {
        type.IsSealed.ShouldBeTrue();
        type.GetMethod("<Clone>$").ShouldNotBeNull();
        ConstructorInfo declaration = type.GetConstructors().ShouldHaveSingleItem();
        string[] fields = [.. declaration.GetParameters().Select(parameter => parameter.Name!)];
        string[] properties = [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name)];
        properties.ShouldBe(fields, ignoreOrder: true);
    }

    [Fact]
    public void TagsAreUniqueAndInKebabCase()
    {
        string[] tags = [.. MessageCatalog.All.Select(entry => entry.Tag)];
        tags.ShouldBeUnique();
        tags.ShouldAllBe(tag => Regex.IsMatch(tag, "^[a-z]+(-[a-z]+)*$"));
        tags.Length.ShouldBeGreaterThan(15);
    }

    [Theory]
    [MemberData(nameof(MessageTypes))]
    public void FirstAndSecondNameAllBuffersOfAMessage(Type type)
    {
        ByteBuffers buffers = new();
        ConstructorInfo declaration = type.GetConstructors().Single();
        int next = 0;
        object[] arguments =
        [
            .. declaration.GetParameters().Select(parameter =>
                parameter.ParameterType == typeof(BufferHandle) ? new BufferHandle(++next, 1)
                : parameter.ParameterType == typeof(int[]) ? Array.Empty<int>()
                : Activator.CreateInstance(parameter.ParameterType)!),
        ];
        var message = (Message)declaration.Invoke(arguments);
        next.ShouldBeLessThanOrEqualTo(2);
        MessageBuffers.First(message).Slot.ShouldBe(next >= 1 ? 1 : 0);
        MessageBuffers.Second(message).Slot.ShouldBe(next == 2 ? 2 : 0);
    }

    [Fact]
    public void AControlMessageAndItsEnvelopeTakeAtMost256Bytes()
    {
        Envelope[] kept = new Envelope[1];
        kept[0] = SampleMessages.Wrap(new StepResult(1, 2, 3, 4, 5, 6), 2);
        long before = GC.GetAllocatedBytesForCurrentThread();
        kept[0] = SampleMessages.Wrap(new StepResult(1, 2, 3, 4, 5, 6), 2);
        long message = GC.GetAllocatedBytesForCurrentThread() - before;
        message.ShouldBeInRange(1, 256);
    }

    [Theory]
    [InlineData(typeof(Report))]
    [InlineData(typeof(PersistRecord))]
    [InlineData(typeof(Message))]
    [InlineData(typeof(Job))]
    public void FamiliesAreClosedAndTheirMembersSealed(Type family)
    {
        Type[] members = [.. family.Assembly.GetTypes().Where(type => type.IsSubclassOf(family) && !type.IsAbstract)];
        members.ShouldNotBeEmpty();
        members.ShouldAllBe(type => type.IsSealed);
        family.GetConstructors(BindingFlags.NonPublic | BindingFlags.Instance)
            .Where(constructor => !IsCopy(constructor, family))
            .ShouldAllBe(constructor => constructor.IsFamilyAndAssembly);
        typeof(Effect).IsValueType.ShouldBeTrue();
        typeof(Stimulus).IsValueType.ShouldBeTrue();
    }

    private static bool IsCopy(ConstructorInfo constructor, Type family) =>
        constructor.GetParameters() is [{ ParameterType: var only }] && only == family;
}
