using Npgsql;
using NpgsqlTypes;

namespace Grid.TestKit.SuperTokens;

/// <summary>Forms that the tables had.</summary>
public enum OriginalGeneration
{
    /// <summary>One app, one tenant; sessions say which key signs.</summary>
    OneTenant,

    /// <summary>Apps and tenants.</summary>
    Tenants,

    /// <summary>And the previous refresh token of each session.</summary>
    Rotation,
}

/// <summary>A PostgreSQL database filled as a SuperTokens core fills it.</summary>
public sealed class OriginalDatabase(string connectionString, OriginalGeneration generation, string schema = "public", string prefix = "")
{
    private bool HasTenants => generation != OriginalGeneration.OneTenant;

    private string T(string table) => $"\"{schema}\".\"{(prefix.Length > 0 ? $"{prefix}_{table}" : table)}\"";

    /// <summary>Its URI.</summary>
    public string Uri
    {
        get
        {
            var settings = new NpgsqlConnectionStringBuilder(connectionString);
            return $"postgresql://{settings.Username}@{settings.Host}:{settings.Port}/{settings.Database}";
        }
    }

    /// <summary>Makes the tables.</summary>
    public Task CreateAsync()
    {
        const string App = "app_id varchar(64) NOT NULL DEFAULT 'public', ";
        const string Tenant = App + "tenant_id varchar(64) NOT NULL DEFAULT 'public', ";
        var (app, tenant, appKey, tenantKey) = HasTenants ? (App, Tenant, "app_id, ", "app_id, tenant_id, ") : ("", "", "", "");
        return RunAsync(
            $"""
            CREATE SCHEMA IF NOT EXISTS "{schema}";
            CREATE TABLE {T("session_info")} ({tenant}session_handle varchar(255) NOT NULL, user_id varchar(128) NOT NULL, refresh_token_hash_2 varchar(128) NOT NULL,
                session_data text, expires_at bigint NOT NULL, created_at_time bigint NOT NULL, jwt_user_payload text, use_static_key boolean NOT NULL,
                {(generation == OriginalGeneration.Rotation ? "prev_refresh_token_hash_2 varchar(128), refresh_token_rotated_at bigint," : "")}
                PRIMARY KEY ({tenantKey}session_handle));
            CREATE INDEX ON {T("session_info")} (expires_at);
            CREATE TABLE {T("session_access_token_signing_keys")} ({app}created_at_time bigint NOT NULL, value text, PRIMARY KEY ({appKey}created_at_time));
            CREATE TABLE {T("jwt_signing_keys")} ({app}key_id varchar(255) NOT NULL, key_string text NOT NULL, algorithm varchar(10) NOT NULL, created_at bigint, PRIMARY KEY ({appKey}key_id));
            CREATE TABLE {T("key_value")} ({tenant}name varchar(128) NOT NULL, value text, created_at_time bigint, PRIMARY KEY ({tenantKey}name));
            {(HasTenants ? $"CREATE TABLE {T("app_id_to_user_id")} ({app}user_id char(36) NOT NULL, recipe_id varchar(128) NOT NULL, primary_or_recipe_user_id char(36) NOT NULL, is_linked_or_is_a_primary_user boolean NOT NULL DEFAULT false, PRIMARY KEY (app_id, user_id));" : "")}
            {(HasTenants ? $"CREATE TABLE {T("userid_mapping")} ({app}supertokens_user_id char(36) NOT NULL, external_user_id varchar(128) NOT NULL, external_user_id_info text, UNIQUE (app_id, supertokens_user_id), UNIQUE (app_id, external_user_id), PRIMARY KEY (app_id, supertokens_user_id, external_user_id));" : "")}
            """);
    }

    /// <summary>Stores an app's keys.</summary>
    public async Task AddKeysAsync(string app, OriginalKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var (column, value) = HasTenants ? ("app_id, ", $"'{app}', ") : ("", "");
        for (var age = 0; age < keys.Generations; age++)
        {
            await RunAsync($"INSERT INTO {T("session_access_token_signing_keys")} ({column}created_at_time, value) VALUES ({value}{keys.CreatedAt[age]}, '{keys.DynamicValue(age)}')");
        }

        await RunAsync($"INSERT INTO {T("jwt_signing_keys")} ({column}key_id, key_string, algorithm, created_at) VALUES ({value}'{keys.StaticKid}', '{keys.StaticValue()}', 'RS256', {keys.CreatedAt[^1]})");
        await RunAsync($"INSERT INTO {T("key_value")} ({column}name, value, created_at_time) VALUES ({value}'refresh_token_key', '{keys.RefreshSecret}', {keys.CreatedAt[^1]})");
    }

    /// <summary>Notes that a user is an account of a primary one.</summary>
    public Task LinkAsync(string app, string userId, string primaryUserId) =>
        RunAsync($"INSERT INTO {T("app_id_to_user_id")} (app_id, user_id, recipe_id, primary_or_recipe_user_id, is_linked_or_is_a_primary_user) VALUES ('{app}', '{userId}', 'emailpassword', '{primaryUserId}', true)");

    /// <summary>Gives a user an id of the application's own.</summary>
    public Task MapAsync(string app, string userId, string externalId) =>
        RunAsync($"INSERT INTO {T("userid_mapping")} (app_id, supertokens_user_id, external_user_id) VALUES ('{app}', '{userId}', '{externalId}')");

    /// <summary>Stores sessions, each with its current refresh token, and by the newer rules the previous one.</summary>
    public async Task AddAsync(IEnumerable<OriginalRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var rotation = generation == OriginalGeneration.Rotation;
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var copy = await connection.BeginBinaryImportAsync(
            $"COPY {T("session_info")} ({(HasTenants ? "app_id, tenant_id, " : "")}session_handle, user_id, refresh_token_hash_2, session_data, expires_at, created_at_time, jwt_user_payload, use_static_key{(rotation ? ", prev_refresh_token_hash_2, refresh_token_rotated_at" : "")}) FROM STDIN (FORMAT BINARY)");
        foreach (var row in rows)
        {
            await copy.StartRowAsync();
            if (HasTenants)
            {
                await copy.WriteAsync(row.Session.App, NpgsqlDbType.Varchar);
                await copy.WriteAsync(row.Session.Tenant, NpgsqlDbType.Varchar);
            }

            await copy.WriteAsync(row.Session.Handle, NpgsqlDbType.Varchar);
            await copy.WriteAsync(row.Session.UserId, NpgsqlDbType.Varchar);
            await copy.WriteAsync(Stored(row.RefreshToken), NpgsqlDbType.Varchar);
            await copy.WriteAsync("""{"cart":[1,2]}""", NpgsqlDbType.Text);
            await copy.WriteAsync(row.ExpiresAt.ToUnixTimeMilliseconds(), NpgsqlDbType.Bigint);
            await copy.WriteAsync(row.CreatedAt.ToUnixTimeMilliseconds(), NpgsqlDbType.Bigint);
            await copy.WriteAsync(row.Session.Payload, NpgsqlDbType.Text);
            await copy.WriteAsync(row.UsesStaticKey, NpgsqlDbType.Boolean);
            if (rotation && row.PreviousRefreshToken is { } previous)
            {
                await copy.WriteAsync(Stored(previous), NpgsqlDbType.Varchar);
                await copy.WriteAsync(row.RotatedAt!.Value.ToUnixTimeMilliseconds(), NpgsqlDbType.Bigint);
            }
            else if (rotation)
            {
                await copy.WriteNullAsync();
                await copy.WriteNullAsync();
            }
        }

        await copy.CompleteAsync();
    }

    /// <summary>Runs statements.</summary>
    public async Task RunAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static string Stored(string refreshToken) => OriginalKeys.Hash(OriginalKeys.Hash(refreshToken));
}

/// <summary>A session with its tokens.</summary>
/// <param name="Session">Whose row.</param>
/// <param name="RefreshToken">The current one.</param>
/// <param name="CreatedAt">Of the session.</param>
/// <param name="ExpiresAt">Of the session.</param>
/// <param name="UsesStaticKey">Which kind of key signs.</param>
/// <param name="PreviousRefreshToken">By the newer rules.</param>
/// <param name="RotatedAt">With it.</param>
public sealed record OriginalRow(
    OriginalSession Session, string RefreshToken, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, bool UsesStaticKey = false, string? PreviousRefreshToken = null,
    DateTimeOffset? RotatedAt = null);
