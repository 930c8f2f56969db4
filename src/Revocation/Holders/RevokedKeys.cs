using Grid.Revocation.Log;

namespace Grid.Revocation.Holders;

/// <summary>The signing keys that a holder knows to be revoked. They outlive its incarnations.</summary>
internal sealed class RevokedKeys
{
    private readonly HashSet<(string App, string Kid)> _keys = [];

    internal RevokedKeys()
    {
    }

    /// <summary>A key was revoked: app and kid. Handlers drop it before they return.</summary>
    public event Action<string, string>? Added;

    /// <summary>Whether a signing key was revoked.</summary>
    public bool Contains(string app, string kid)
    {
        lock (_keys)
        {
            return _keys.Contains((app, kid));
        }
    }

    internal void Add(IEnumerable<(string App, string Kid)> keys)
    {
        foreach (var (app, kid) in keys)
        {
            Add(app, kid);
        }
    }

    /// <summary>Adds the entry's key, if it revokes one.</summary>
    internal void Add(RevocationEntry entry)
    {
        if (entry.Kind == RevocationKind.SigningKey)
        {
            Add(entry.App, entry.Kid!);
        }
    }

    private void Add(string app, string kid)
    {
        lock (_keys)
        {
            if (!_keys.Add((app, kid)))
            {
                return;
            }
        }

        Added?.Invoke(app, kid);
    }
}
