using System.Security.Cryptography;
using System.Text;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.Storage.Importing;

/// <summary>What an import must not bring although it never came: notes of what was ended here before, in <c>grid_imported_session</c>.</summary>
/// <remarks>
/// A session that is revoked by its handle is noted as if it had come. A user whose sessions are all revoked, in
/// all tenants, has a note of its own, of no tenant. Over PostgreSQL an import takes its place while it adds that user's sessions, so that
/// of the two one waits for the other.
/// </remarks>
internal static class ImportFence
{
    // Grid's own are of version 7: they come from nowhere.
    private const int OriginalsVersion = 4;
    private const int OfUsers = 8;

    // Of what could come it is not known how long. The purge adds 100 days, and more than 400 days no browser keeps a cookie.
    private static readonly TimeSpan Life = TimeSpan.FromDays(365);

    /// <summary>Whether a handle is of the kind that the original makes.</summary>
    public static bool MayCome(SessionHandle handle) => handle.Id.Version == OriginalsVersion;

    /// <summary>For how long a note of what ended now is kept at least, ms.</summary>
    public static long Until(DateTimeOffset now) => (now + Life).ToUnixTimeMilliseconds();

    /// <summary>Names a user's note: the first 122 bits of the id's SHA-256 as a UUID of version 8, and no tenant. No session has either.</summary>
    public static SessionKey NoteOf(AppKey app, string userId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(userId), hash);
        hash[6] = (byte)((hash[6] & 0x0f) | (OfUsers << 4));
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new SessionKey(app, new SessionHandle(new Guid(hash[..16], bigEndian: true), TenantId: ""));
    }

    /// <summary>The notes of these sessions' users and accounts, in the order in which they are locked.</summary>
    public static IReadOnlyList<SessionKey> NotesOf(IReadOnlyList<SessionRecord> sessions) =>
    [
        .. sessions.Concat(ByAccount(sessions)).Select(session => (session.Key.App, session.UserId)).Distinct().Select(user => NoteOf(user.App, user.UserId))
            .OrderBy(note => note.Handle.Id).ThenBy(note => note.App.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>Those that an account of a user has, as if they were that account's: who ends all of its sessions names it.</summary>
    public static IEnumerable<SessionRecord> ByAccount(IEnumerable<SessionRecord> sessions) =>
        sessions.Where(session => session.RecipeUserId is not null).Select(session => session with { UserId = AccountOf(session) });

    /// <summary>The account of a session; the user if it has no other.</summary>
    public static string AccountOf(SessionRecord session) => session.RecipeUserId ?? session.UserId;
}
