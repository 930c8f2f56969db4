using System.Reflection;

namespace Grid.AspNetCore.Endpoints;

/// <summary>Text files that are embedded in an assembly.</summary>
internal static class EmbeddedText
{
    public static string Read(Assembly assembly, string name)
    {
        using var resource = assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not in the assembly.");
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
