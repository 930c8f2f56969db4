using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Grid.Abstractions;

namespace Grid.Grains.Tests.Compatibility;

/// <summary>Every type that Orleans writes for us: what crosses silos, and grains' state.</summary>
internal static class WireTypes
{
    private static readonly Assembly[] Assemblies = [.. new[] { "Grid.Abstractions", "Grid.Grains", "Grid.GrainDoors" }.Select(Assembly.Load)];

    // T written with its surrogate's members, by target type.
    private static readonly Dictionary<Type, Type> Converters = Assemblies.SelectMany(assembly => assembly.GetTypes())
        .SelectMany(type => type.GetInterfaces().Where(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IConverter<,>)).Select(face => (Target: face.GetGenericArguments()[0], Converter: type)))
        .Where(found => !found.Converter.IsGenericTypeDefinition).ToDictionary(found => found.Target, found => found.Converter);

    /// <summary>By alias. Generic ones of strings.</summary>
    public static IReadOnlyDictionary<string, Type> All { get; } = Assemblies.SelectMany(assembly => assembly.GetTypes())
        .Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null)
        .ToDictionary(type => type.GetCustomAttribute<AliasAttribute>()!.Alias, type => type.IsGenericTypeDefinition ? type.MakeGenericType(typeof(string)) : type);

    /// <summary>One with something in every member.</summary>
    public static object Sample(Type type) => Sample(type, "it");

    /// <summary>What is in it, by the members' names, for comparing and for people.</summary>
    public static JsonNode? Describe(object? value) => value switch
    {
        null => null,
        string text => text,
        byte[] bytes => Convert.ToHexStringLower(bytes),
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        Exception failure => new JsonObject { ["Message"] = failure.Message },
        _ when value.GetType() is { IsEnum: true } => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        _ when Converters.TryGetValue(value.GetType(), out var converter) => Describe(ThroughSurrogate(converter, "ConvertToSurrogate", value)),
        _ when Members(value.GetType()) is { Count: > 0 } members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Name, Describe(Get(member, value))))),
        IDictionary pairs => new JsonObject(pairs.Keys.Cast<object>().Select(key => KeyValuePair.Create($"{key}", Describe(pairs[key])))),
        IEnumerable items => new JsonArray([.. items.Cast<object?>().Select(Describe)]),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    private static object Sample(Type type, string name)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Sample(inner, name);
        }

        var length = name.Length;
        return type switch
        {
            _ when type == typeof(string) => $"{name} ü",
            _ when type == typeof(bool) => true,
            _ when type == typeof(int) => 70_000 + length,
            _ when type == typeof(long) => 5_000_000_000L + length,
            _ when type == typeof(double) => 0.25,
            _ when type == typeof(Guid) => new Guid(length, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
            _ when type == typeof(TimeSpan) => TimeSpan.FromSeconds(90 + length),
            _ when type == typeof(DateTimeOffset) => new DateTimeOffset(2026, 11, 26, 12, 0, length, TimeSpan.Zero),
            _ when type == typeof(byte[]) => Enumerable.Range(1, 32).Select(i => (byte)i).ToArray(),
            { IsEnum: true } => Enum.GetValues(type).Cast<object>().Take(2).Last(),
            { IsArray: true } => OneOf(type.GetElementType()!, name),
            { IsGenericType: true } when type.GetField("Empty")?.GetValue(null) is { } empty =>
                type.GetMethod("Add", type.GetGenericArguments())!.Invoke(empty, [.. type.GetGenericArguments().Select(held => Sample(held, name))])!,
            { IsGenericType: true } when type.GetGenericArguments() is [var element] && type.IsAssignableFrom(element.MakeArrayType()) => OneOf(element, name),
            _ when Converters.TryGetValue(type, out var converter) => ThroughSurrogate(
                converter, "ConvertFromSurrogate", Sample(converter.GetMethod("ConvertFromSurrogate")!.GetParameters()[0].ParameterType.GetElementType()!, name)),
            _ when type == typeof(UnstorableValueException) => new UnstorableValueException(name, new ArgumentException("why")),
            _ => Filled(type),
        };
    }

    private static object Filled(Type type)
    {
        var made = RuntimeHelpers.GetUninitializedObject(type);
        foreach (var member in Members(type))
        {
            Set(member, made, Sample(TypeOf(member), member.Name));
        }

        return made;
    }

    private static Array OneOf(Type element, string name)
    {
        var array = Array.CreateInstance(element, 1);
        array.SetValue(Sample(element, name), 0);
        return array;
    }

    // Both ways take their argument by reference.
    private static object ThroughSurrogate(Type converter, string way, object value) => converter.GetMethod(way)!.Invoke(Activator.CreateInstance(converter), [value])!;

    private static List<MemberInfo> Members(Type type) =>
    [
        .. type.GetMembers(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(member => member is FieldInfo or PropertyInfo && member.GetCustomAttribute<IdAttribute>() is not null).OrderBy(member => member.GetCustomAttribute<IdAttribute>()!.Id),
    ];

    private static Type TypeOf(MemberInfo member) => member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;

    private static object? Get(MemberInfo member, object value) => member is FieldInfo field ? field.GetValue(value) : ((PropertyInfo)member).GetValue(value);

    private static void Set(MemberInfo member, object target, object value)
    {
        var field = member as FieldInfo ?? member.DeclaringType!.GetField($"<{member.Name}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new InvalidOperationException($"{member.DeclaringType}.{member.Name} is no plain property.");
        field.SetValue(target, value);
    }
}
