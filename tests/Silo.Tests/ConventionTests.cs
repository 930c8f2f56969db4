using System.Reflection;

namespace Grid.Silo.Tests;

/// <summary>Rules that the compiler does not know.</summary>
public sealed class ConventionTests
{
    public static TheoryData<string, string[]> Arrows => new()
    {
        { "Grid.Tokens", [] },
        { "Grid.Revocation", [] },
        { "Grid.Abstractions", ["Grid.Revocation", "Grid.Tokens"] },
        { "Grid.GrainDoors", ["Grid.Client", "Grid.Revocation", "Grid.Tokens"] },
        { "Grid.Storage", ["Grid.Abstractions", "Grid.Revocation", "Grid.Tokens"] },
        { "Grid.Grains", ["Grid.Abstractions", "Grid.GrainDoors", "Grid.Revocation", "Grid.Tokens"] },
        { "Grid.Client", ["Grid.Revocation", "Grid.Tokens"] },
        { "Grid.AspNetCore", ["Grid.Client", "Grid.Revocation", "Grid.Tokens"] },
        { "Grid.Hosting", ["Grid.Abstractions", "Grid.AspNetCore", "Grid.Client", "Grid.GrainDoors", "Grid.Grains", "Grid.Revocation", "Grid.Storage", "Grid.Tokens", "Grid.WebFront"] },
        { "Grid.GrainClient", ["Grid.Client", "Grid.GrainDoors", "Grid.Revocation", "Grid.Tokens"] },
        { "Grid.Testing", ["Grid.Abstractions", "Grid.AspNetCore", "Grid.Client", "Grid.Hosting", "Grid.Revocation", "Grid.Tokens", "Grid.WebFront"] },
        { "Grid.WebFront", ["Grid.Abstractions", "Grid.AspNetCore", "Grid.Client", "Grid.GrainDoors", "Grid.Revocation", "Grid.Tokens"] },
    };

    [Theory, MemberData(nameof(Arrows))]
    public void Projects_know_only_what_they_may(string project, string[] allowed)
    {
        var known = Assembly.Load(project).GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("Grid.", StringComparison.Ordinal));
        Assert.Empty(known.Except(allowed));
    }

    [Theory]
    [InlineData("Grid.Tokens", "Orleans", "Microsoft.AspNetCore", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.Revocation", "Orleans", "Microsoft", "Npgsql")]
    [InlineData("Grid.Abstractions", "Microsoft.AspNetCore", "Npgsql", "Microsoft.Data", "Orleans.Runtime")]
    [InlineData("Grid.Grains", "Microsoft.AspNetCore", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.Client", "Microsoft.AspNetCore", "Orleans", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.AspNetCore", "Orleans", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.WebFront", "Orleans.Runtime", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.Storage", "Microsoft.AspNetCore", "Orleans.Runtime")]
    [InlineData("Grid.Testing", "Orleans.Runtime", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.GrainDoors", "Orleans.Runtime", "Microsoft.AspNetCore", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.GrainClient", "Orleans.Runtime", "Microsoft.AspNetCore", "Microsoft.Data")]
    public void Boundaries_keep_libraries_out(string project, params string[] forbidden)
    {
        var references = Assembly.Load(project).GetReferencedAssemblies().Select(a => a.Name!).ToList();
        Assert.DoesNotContain(references, name => forbidden.Any(f => name.StartsWith(f, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(
        "Grid.Tokens",
        "AccessTokenCheck", "AccessTokenContent", "AccessTokenOutcome", "AccessTokenSize", "AccessTokenVerifier", "AccessTokenVersion", "KeyRing", "ProtectedClaims",
        "RefreshChain", "RefreshVerdict", "ReuseKind", "SessionHandleText", "SigningKey", "TokenHash")]
    [InlineData("Grid.GrainDoors")]
    [InlineData("Grid.Revocation", "RevocationEntry", "RevocationKind", "RevocationReceipt", "SessionName", "SessionWatch")]
    public void What_only_the_server_needs_is_shown_to_nobody_who_refers_to_a_package(string project, params string[] shown)
    {
        Assert.Equal(shown, Assembly.Load(project).GetExportedTypes().Select(type => type.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Grid.Abstractions")]
    [InlineData("Grid.Grains")]
    [InlineData("Grid.GrainDoors")]
    public void What_crosses_silos_or_is_stored_has_an_alias_and_numbered_members(string project)
    {
        var types = Assembly.Load(project).GetTypes().Where(t => t.GetCustomAttribute<GenerateSerializerAttribute>() is not null).ToList();
        Assert.NotEmpty(types);
        Assert.All(types, type =>
        {
            Assert.True(type.GetCustomAttribute<AliasAttribute>() is { } alias && alias.Alias.StartsWith("grid.", StringComparison.Ordinal), type.FullName);
            var ids = type.GetMembers(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
                .Select(m => m.GetCustomAttribute<IdAttribute>()?.Id).OfType<uint>().ToList();
            Assert.Equal(ids.Distinct().Count(), ids.Count);
        });
        var aliases = types.Select(t => t.GetCustomAttribute<AliasAttribute>()!.Alias).ToList();
        Assert.Equal(aliases.Distinct().Count(), aliases.Count);
    }

    /// <summary>A bare GUID may stand for a holder's incarnation, or for a removal that is under way.</summary>
    private static readonly string[] Incarnations =
        ["incarnation", "former", "others", "lost", "_registered", "_missing", "_seen", "removal", "begun", "mark"];

    /// <summary>And in the types that name a session in full, or that carry it over a wire or into the database.</summary>
    private static readonly string[] NamingTypes = ["SessionName", "SessionHandle", "SessionHandleText", "SessionNameSurrogate", "HolderEntry", "HolderMessage", "Ids", "Parameters"];

    [Theory]
    [InlineData("Grid.Abstractions")]
    [InlineData("Grid.AspNetCore")]
    [InlineData("Grid.Client")]
    [InlineData("Grid.GrainClient")]
    [InlineData("Grid.GrainDoors")]
    [InlineData("Grid.Grains")]
    [InlineData("Grid.Hosting")]
    [InlineData("Grid.Revocation")]
    [InlineData("Grid.Silo")]
    [InlineData("Grid.Storage")]
    [InlineData("Grid.Testing")]
    [InlineData("Grid.Tokens")]
    [InlineData("Grid.WebFront")]
    public void A_session_is_never_named_by_a_bare_guid(string project)
    {
        Assert.DoesNotContain(BareGuids(Assembly.Load(project)), found => !Incarnations.Any(name => found.Name.Contains(name, StringComparison.OrdinalIgnoreCase)));
        Assert.Contains(BareGuids(typeof(ConventionTests).Assembly), found => found.Name == "session");
    }

    // What compilers make (closures, serializers, log messages) repeats what somebody wrote.
    private static IEnumerable<(string Where, string Name)> BareGuids(Assembly assembly)
    {
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        foreach (var type in assembly.GetTypes().Where(type => !NamingTypes.Contains(type.Name) && !IsGenerated(type)))
        {
            var fields = type.GetFields(All).Where(field => !field.Name.Contains('<', StringComparison.Ordinal)).Select(field => (field.FieldType, field.Name));
            var properties = type.GetProperties(All).Select(property => (property.PropertyType, property.Name));
            var parameters = type.GetMethods(All).Where(method => !method.IsSpecialName).Cast<MethodBase>().Concat(type.GetConstructors(All))
                .Where(method => !method.Name.Contains('<', StringComparison.Ordinal)).SelectMany(method => method.GetParameters()).Select(parameter => (parameter.ParameterType, parameter.Name ?? ""));
            foreach (var (of, name) in fields.Concat(properties).Concat(parameters).Where(found => Mentions(found.Item1, typeof(Guid)) && !found.Item2.StartsWith("__", StringComparison.Ordinal)))
            {
                yield return (type.FullName!, name);
            }
        }
    }

    private static bool IsGenerated(Type type) => type.FullName!.Contains('<', StringComparison.Ordinal)
        || type.Namespace?.StartsWith("OrleansCodeGen", StringComparison.Ordinal) == true || typeof(System.Text.Json.Serialization.JsonSerializerContext).IsAssignableFrom(type);

    private static bool Mentions(Type type, Type wanted) =>
        type == wanted || (type.HasElementType && Mentions(type.GetElementType()!, wanted)) || type.GetGenericArguments().Any(argument => Mentions(argument, wanted));

    private static void Planted(Guid session) => _ = session;
}
