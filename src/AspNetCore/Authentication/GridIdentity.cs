using System.Security.Claims;
using System.Text.Json;

namespace Grid.AspNetCore.Authentication;

/// <summary>
/// The identity of a session: who it is, and the claims of the payload. Claims are made when somebody asks for one: most requests never do.
/// </summary>
internal sealed class GridIdentity : ClaimsIdentity
{
    // Its values alone: the user of a connection by long polling outlasts the request that the session belongs to.
    private readonly (string UserId, string Handle, string TenantId) _session;
    private readonly GridOptions _options;
    private readonly string _payloadJson;
    private readonly Lock _making = new();
    private Seed? _seed;

    public GridIdentity(GridSession session, GridOptions options, string authenticationType)
        : base(authenticationType, MayHave(session.PayloadJson, options.NameClaimType) ? ClaimTypes.Name : "sub", ClaimTypes.Role)
    {
        (_session, _options, _payloadJson) = ((session.UserId, session.Handle, session.TenantId), options, session.PayloadJson);
        base.AddClaim(_seed = new Seed(this, session.UserId));
    }

    /// <summary>The name in the payload; the user id if it has none.</summary>
    public override string? Name => base.Name ?? _session.UserId;

    public override IEnumerable<Claim> Claims
    {
        get
        {
            Make();
            return base.Claims;
        }
    }

    public override void AddClaim(Claim claim)
    {
        Make();
        base.AddClaim(claim);
    }

    public override void AddClaims(IEnumerable<Claim?> claims)
    {
        Make();
        base.AddClaims(claims);
    }

    public override bool TryRemoveClaim(Claim? claim)
    {
        Make();
        return base.TryRemoveClaim(claim);
    }

    protected override void WriteTo(BinaryWriter writer, byte[]? userData)
    {
        Make();
        base.WriteTo(writer, userData);
    }

    // A SignalR connection keeps its user, and its calls run at the same time.
    private void Make()
    {
        if (Volatile.Read(ref _seed) is null)
        {
            return;
        }

        lock (_making)
        {
            if (_seed is not null)
            {
                base.AddClaims(Others(this));
                Volatile.Write(ref _seed, null);
            }
        }
    }

    private List<Claim> Others(ClaimsIdentity subject) =>
        PayloadClaims.Of(_session.UserId, _session.Handle, _session.TenantId, JsonElement.Parse(_payloadJson), _options, subject);

    // A look at the text instead of reading it: a name that is written with escapes may be any.
    private static bool MayHave(string payloadJson, string member)
    {
        for (var rest = payloadJson.AsSpan(); rest.IndexOf(member, StringComparison.Ordinal) is var at and >= 0; rest = rest[(at + member.Length)..])
        {
            if (at > 0 && rest[at - 1] == '"' && at + member.Length < rest.Length && rest[at + member.Length] == '"')
            {
                return true;
            }
        }

        return payloadJson.Contains('\\', StringComparison.Ordinal);
    }

    /// <summary>
    /// The one claim that is there from the beginning. The base class copies its list without asking (<c>new ClaimsIdentity(identity)</c>,
    /// <c>Clone()</c>), claim by claim: a copy of this one brings the others with it.
    /// </summary>
    private sealed class Seed(GridIdentity owner, string userId) : Claim(ClaimTypes.NameIdentifier, userId, ClaimValueTypes.String, DefaultIssuer, DefaultIssuer, owner)
    {
        public override Claim Clone(ClaimsIdentity? identity)
        {
            if (identity is not null && Volatile.Read(ref owner._seed) is not null)
            {
                identity.AddClaims(owner.Others(identity));
            }

            return new Claim(Type, Value, ValueType, Issuer, OriginalIssuer, identity);
        }
    }
}
