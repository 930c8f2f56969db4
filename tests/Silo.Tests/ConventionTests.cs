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
        { "Grid.Storage", ["Grid.Abstractions", "Grid.Revocation", "Grid.Tokens"] },
        { "Grid.Grains", ["Grid.Abstractions", "Grid.Revocation", "Grid.Tokens"] },
        { "Grid.Client", ["Grid.Revocation", "Grid.Tokens"] },
        { "Grid.WebFront", ["Grid.Abstractions", "Grid.Client", "Grid.Revocation", "Grid.Tokens"] },
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
    [InlineData("Grid.Client", "Orleans", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.WebFront", "Orleans.Runtime", "Npgsql", "Microsoft.Data")]
    [InlineData("Grid.Storage", "Microsoft.AspNetCore", "Orleans.Runtime")]
    public void Boundaries_keep_libraries_out(string project, params string[] forbidden)
    {
        var references = Assembly.Load(project).GetReferencedAssemblies().Select(a => a.Name!).ToList();
        Assert.DoesNotContain(references, name => forbidden.Any(f => name.StartsWith(f, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Grid.Abstractions")]
    [InlineData("Grid.Grains")]
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
}
