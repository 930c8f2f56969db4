using System.Collections.Concurrent;

namespace Grid.Testing.Applications;

/// <summary>Sessions that clients of this process's tests are to have, by what they send in a header.</summary>
/// <remarks>The header names a session and does not describe it: a program that registers all this by mistake signs nobody in.</remarks>
internal static class SignedInClients
{
    public const string Header = "grid-test-session";

    private static readonly ConcurrentDictionary<string, GridTestSession> Sessions = new(StringComparer.Ordinal);

    /// <summary>Keeps one.</summary>
    /// <returns>The header's value: 122 random bits.</returns>
    public static string Add(GridTestSession session)
    {
        var name = $"{Guid.NewGuid():N}";
        Sessions[name] = session;
        return name;
    }

    public static GridTestSession? Find(string name) => Sessions.GetValueOrDefault(name);
}
