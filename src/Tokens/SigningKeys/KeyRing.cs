namespace Grid.Tokens.SigningKeys;

/// <summary>An app's keys, opened: picks the key that signs now and finds those that verify. Immutable.</summary>
public sealed class KeyRing
{
}
