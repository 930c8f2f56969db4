using System.Text;
using System.Xml.Linq;

namespace Grid.Packages.Tests;

/// <summary>What comes out of <c>dotnet pack Grid.sln</c>.</summary>
public sealed class PackageTests(Workplace work)
{
    private readonly IReadOnlyList<Package> _packages = Package.AllOf(work.Feed);

    [Fact]
    public void Whatever_is_declared_a_package_is_packed_and_nothing_else()
    {
        var declared = Directory.EnumerateFiles(Path.Combine(Workplace.Repository, "src"), "*.csproj", SearchOption.AllDirectories)
            .Where(project => XDocument.Load(project).Descendants("IsPackable").Any(element => element.Value == "true"))
            .Select(project => $"GridSessions.{Path.GetFileNameWithoutExtension(project)}");

        Assert.Equal(declared.Order(StringComparer.Ordinal), _packages.Select(package => package.Id).Order(StringComparer.Ordinal));
        Assert.Contains("GridSessions.AspNetCore", declared);
        Assert.Contains("GridSessions.Client", declared);
    }

    [Fact]
    public void Each_says_what_it_is_and_under_which_licence_and_brings_documentation_and_symbols()
    {
        Assert.All(_packages, package =>
        {
            Assert.Equal("Apache-2.0", package.Of("license")!.Value);
            Assert.Equal("expression", package.Of("license")!.Attribute("type")!.Value);
            Assert.DoesNotContain("Package Description", package.Of("description")!.Value, StringComparison.Ordinal);
            Assert.Contains("session", package.Of("tags")!.Value, StringComparison.Ordinal);
            Assert.StartsWith($"# {package.Id}\n", Encoding.UTF8.GetString(package.Content(package.Of("readme")!.Value)!), StringComparison.Ordinal);
            Assert.Equal([0x89, .. "PNG"u8], package.Content(package.Of("icon")!.Value)![..4]);
            Assert.NotNull(package.Content("NOTICE"));
            Assert.Equal("git", package.Of("repository")!.Attribute("type")!.Value);
            Assert.Matches("^[0-9a-f]{40}$", package.Of("repository")!.Attribute("commit")!.Value);
            Assert.All(package.Assemblies.Keys, assembly => Assert.Contains($"lib/net10.0/{assembly}.pdb", package.Symbols));
            foreach (var assembly in package.Visible)
            {
                Assert.NotNull(package.Content($"lib/net10.0/{assembly}.xml"));
                Assert.True(File.Exists(Path.Combine(Workplace.Repository, "src", assembly["Grid.".Length..], "PublicAPI.Shipped.txt")), assembly);
            }
        });
    }

    [Fact]
    public void All_have_one_version_and_ask_for_each_other_by_exactly_that()
    {
        var version = Assert.Single(_packages.Select(package => package.Of("version")!.Value).Distinct());
        var among = _packages.SelectMany(package => package.Dependencies).Where(needed => needed.Id.StartsWith("GridSessions.", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(among);
        Assert.All(among, needed =>
        {
            Assert.Equal($"[{version}]", needed.Version);
            Assert.Contains(_packages, package => package.Id == needed.Id);
        });
    }

    [Fact]
    public void Each_brings_all_of_Grid_that_its_assemblies_refer_to()
    {
        Assert.All(_packages, package =>
        {
            var there = WithDependencies(package).SelectMany(each => each.Assemblies.Keys).ToHashSet();
            Assert.NotEmpty(package.Assemblies);
            Assert.DoesNotContain(
                package.Assemblies.Values.SelectMany(assembly => assembly.References), name => name.StartsWith("Grid.", StringComparison.Ordinal) && !there.Contains(name));
        });
    }

    /// <summary>Types by the names that they have in the sources: one that is renamed is to be renamed here.</summary>
    [Theory]
    [InlineData("Tokens", "KeyProtector")]
    [InlineData("Tokens", "RefreshMacKey")]
    [InlineData("Tokens", "SigningKeySecrets")]
    [InlineData("Tokens", "RefreshTokenCodec")]
    [InlineData("Tokens", "RefreshTokenContent")]
    [InlineData("Tokens", "SignInTicketCodec")]
    [InlineData("Tokens", "RefreshRotation")]
    [InlineData("Tokens", "RefreshDecision")]
    [InlineData("Tokens", "AccessTokenIssuer")]
    [InlineData("Tokens", "JwtIssuer")]
    [InlineData("Revocation", "Holder")]
    [InlineData("Revocation", "HolderRelay")]
    [InlineData("Revocation", "HolderSecret")]
    [InlineData("Revocation", "Reaper")]
    [InlineData("Revocation", "Revoker")]
    [InlineData("Abstractions", "ISessionGrain")]
    [InlineData("Abstractions", "IUserGrain")]
    [InlineData("Storage", "StoreMigrator")]
    [InlineData("WebFront", "FrontTickets")]
    public void What_only_the_server_needs_is_public_in_none(string project, string type)
    {
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(Workplace.Repository, "src", project), $"{type}.cs", SearchOption.AllDirectories));
        Assert.DoesNotContain(_packages, package => package.Visible.Any(assembly => package.Assemblies[assembly].Public.Contains(type)));
    }

    private IEnumerable<Package> WithDependencies(Package package) =>
        package.Dependencies.SelectMany(needed => _packages.Where(other => other.Id == needed.Id)).SelectMany(WithDependencies).Prepend(package);
}
