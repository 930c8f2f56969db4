using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Grid.Packages.Tests;

/// <summary>A package file as a feed reads it.</summary>
internal sealed class Package
{
    private readonly Dictionary<string, byte[]> _files;

    private Package(string path)
    {
        _files = Read(path);
        var symbols = Path.ChangeExtension(path, ".snupkg");
        Symbols = File.Exists(symbols) ? [.. Read(symbols).Keys] : [];
        Metadata = XDocument.Load(new MemoryStream(_files.Single(file => file.Key.EndsWith(".nuspec", StringComparison.Ordinal)).Value)).Root!.Elements().Single();
        Assemblies = _files.Where(file => file.Key.StartsWith("lib/", StringComparison.Ordinal) && file.Key.EndsWith(".dll", StringComparison.Ordinal))
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file.Key), file => Inspect(file.Value));
        string[] references = [.. _files.Keys.Where(file => file.StartsWith("ref/", StringComparison.Ordinal) && file.EndsWith(".dll", StringComparison.Ordinal)).Select(file => Path.GetFileNameWithoutExtension(file)!)];
        Visible = references.Length > 0 ? references : [.. Assemblies.Keys];
    }

    public XElement Metadata { get; }

    public string Id => Of("id")!.Value;

    /// <summary>By name: public types, and assemblies that it refers to.</summary>
    public IReadOnlyDictionary<string, (IReadOnlyList<string> Public, IReadOnlyList<string> References)> Assemblies { get; }

    /// <summary>Of these, what a program is compiled against.</summary>
    public IReadOnlyList<string> Visible { get; }

    public IReadOnlyList<string> Symbols { get; }

    public IReadOnlyList<(string Id, string Version)> Dependencies => [.. Metadata.Descendants().Where(element => element.Name.LocalName == "dependency")
        .Select(element => (element.Attribute("id")!.Value, element.Attribute("version")!.Value))];

    public static IReadOnlyList<Package> AllOf(string feed) => [.. Directory.GetFiles(feed, "*.nupkg").Order(StringComparer.Ordinal).Select(path => new Package(path))];

    public XElement? Of(string name) => Metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name);

    public byte[]? Content(string path) => _files.GetValueOrDefault(path);

    private static Dictionary<string, byte[]> Read(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        return archive.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using var content = entry.Open();
            using var copy = new MemoryStream();
            content.CopyTo(copy);
            return copy.ToArray();
        });
    }

    private static (IReadOnlyList<string>, IReadOnlyList<string>) Inspect(byte[] assembly)
    {
        using var file = new PEReader(new MemoryStream(assembly));
        var reader = file.GetMetadataReader();
        var types = reader.TypeDefinitions.Select(reader.GetTypeDefinition).Where(type => (type.Attributes & System.Reflection.TypeAttributes.VisibilityMask) == System.Reflection.TypeAttributes.Public);
        return ([.. types.Select(type => reader.GetString(type.Name))], [.. reader.AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name))]);
    }
}
