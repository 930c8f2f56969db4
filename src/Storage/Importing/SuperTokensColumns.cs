using Npgsql;

namespace Grid.Storage.Importing;

/// <summary>Which of the columns that came with time the original's tables have, and statements that fit them.</summary>
/// <param name="HasTenants">All tables have apps, and <c>session_info</c> and <c>key_value</c> tenants.</param>
/// <param name="HasStaticKeys">Sessions say which kind of key signs for them.</param>
/// <param name="HasPrevious">Sessions have their previous refresh token.</param>
/// <param name="HasLinkedAccounts">Users may be accounts of a primary one.</param>
/// <param name="UserIdType">Of the table of users: their index serves only comparisons of that type.</param>
/// <param name="HasDomains">There is a table of tenants' settings, with connection-URI domains.</param>
/// <param name="HasMappings">Users may have ids of the application's own.</param>
/// <param name="MappedIdType">Of the ids in that table which are the original's own.</param>
internal sealed record SuperTokensColumns(
    bool HasTenants, bool HasStaticKeys, bool HasPrevious, bool HasLinkedAccounts, string UserIdType, bool HasDomains, bool HasMappings, string MappedIdType)
{
    private const string Users = "app_id_to_user_id";
    private const string Tenants = "tenant_configs";
    private const string Mappings = "userid_mapping";

    // Refused by whoever converts the session.
    private const long NoTime = -1;

    private static readonly (string Table, string[] Columns)[] Needed =
    [
        ("session_info", ["session_handle", "user_id", "refresh_token_hash_2", "session_data", "expires_at", "created_at_time", "jwt_user_payload"]),
        ("session_access_token_signing_keys", ["created_at_time", "value"]),
        ("jwt_signing_keys", ["key_id", "key_string", "algorithm", "created_at"]),
        ("key_value", ["name", "value", "created_at_time"]),
    ];

    public string App => HasTenants ? "s.app_id" : "'public'";

    public string Tenant => HasTenants ? "s.tenant_id" : "'public'";

    public static async Task<SuperTokensColumns> ReadAsync(SuperTokensSource source, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var read = database.CreateCommand(
            """
            SELECT c.relname::text, a.attname::text, a.atttypid = 'bpchar'::regtype FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            """);
        read.Parameters.Add(new() { Value = source.Schema });
        read.Parameters.Add(new() { Value = Needed.Select(table => source.TableName(table.Table)).Append(source.TableName(Users)).Append(source.TableName(Tenants)).Append(source.TableName(Mappings)).ToArray() });
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        Dictionary<(string Table, string Column), bool> found = [];
        while (await row.ReadAsync(cancellationToken))
        {
            found.Add((row.GetString(0), row.GetString(1)), row.GetBoolean(2));
        }

        foreach (var (name, columns) in Needed)
        {
            var table = source.TableName(name);
            if (!found.Keys.Any(column => column.Table == table))
            {
                throw new ImportSourceException(
                    $"{source} has no table {table} in schema {source.Schema}: name the schema by --schema (the core's postgresql_table_schema) and the prefix by --prefix (postgresql_table_names_prefix), or the database that the core uses.", isAway: false);
            }

            if (columns.FirstOrDefault(column => !found.ContainsKey((table, column))) is { } missing)
            {
                throw new ImportSourceException(
                    $"Table {table} in {source} has no column {missing}: this is no form of SuperTokens' tables that Grid knows. Tables of other names, or a core older than 3.6, are not read.", isAway: false);
            }
        }

        var withTenants = new[] { ("session_info", "app_id"), ("session_info", "tenant_id"), ("session_access_token_signing_keys", "app_id"), ("jwt_signing_keys", "app_id"), ("key_value", "app_id"), ("key_value", "tenant_id") };
        var present = withTenants.Where(column => found.ContainsKey((source.TableName(column.Item1), column.Item2))).ToList();
        if (present.Count is not 0 && present.Count != withTenants.Length)
        {
            var (table, column) = withTenants.Except(present).First();
            throw new ImportSourceException(
                $"Table {source.TableName(table)} in {source} has no column {column}, though others have theirs: the core's own migration is half done. Finish it (its plugin's CHANGELOG), then import.", isAway: false);
        }

        var hasLinkedAccounts = present.Count > 0 && Has(Users, "primary_or_recipe_user_id");
        return new SuperTokensColumns(
            present.Count > 0,
            Has("session_info", "use_static_key"),
            Has("session_info", "prev_refresh_token_hash_2") && Has("session_info", "refresh_token_rotated_at"),
            hasLinkedAccounts,
            TypeOf(Users, "user_id"),
            Has(Tenants, "connection_uri_domain") && Has(Tenants, "app_id") && Has(Tenants, "tenant_id") && Has(Tenants, "core_config"),
            hasLinkedAccounts && Has(Mappings, "app_id") && Has(Mappings, "supertokens_user_id") && Has(Mappings, "external_user_id"),
            TypeOf(Mappings, "supertokens_user_id"));

        bool Has(string table, string column) => found.ContainsKey((source.TableName(table), column));

        string TypeOf(string table, string column) => found.GetValueOrDefault((source.TableName(table), column)) ? "bpchar" : "text";
    }

    // A session is an account's. Whose that is, is the primary user; both are called by the application's own ids, if it gave them some.
    public string SelectSessions(SuperTokensSource source)
    {
        var (user, account) = HasMappings ? ("coalesce(p.external_user_id, u.primary_or_recipe_user_id::text, s.user_id)", "coalesce(a.external_user_id, s.user_id)")
            : HasLinkedAccounts ? ("coalesce(u.primary_or_recipe_user_id::text, s.user_id)", "s.user_id")
            : ("s.user_id", "s.user_id");
        return $"""
            SELECT {App}, {Tenant}, s.session_handle, {user}, s.refresh_token_hash_2,
                s.session_data, s.expires_at, s.created_at_time, s.jwt_user_payload, {(HasStaticKeys ? "s.use_static_key" : "false")},
                {(HasPrevious ? "s.prev_refresh_token_hash_2, s.refresh_token_rotated_at" : "NULL::text, NULL::bigint")}, {account}
            FROM {source.Table("session_info")} s
            {(HasMappings ? $"LEFT JOIN {source.Table(Mappings)} x ON x.app_id = s.app_id AND x.external_user_id = s.user_id" : "")}
            {(HasLinkedAccounts ? $"LEFT JOIN {source.Table(Users)} u ON u.app_id = s.app_id AND u.user_id = {(HasMappings ? "coalesce(x.supertokens_user_id::text, s.user_id)" : "s.user_id")}::{UserIdType}" : "")}
            {(HasMappings ? $"LEFT JOIN {source.Table(Mappings)} p ON p.app_id = s.app_id AND p.supertokens_user_id = u.primary_or_recipe_user_id::{MappedIdType}" : "")}
            {(HasMappings ? $"LEFT JOIN {source.Table(Mappings)} a ON a.app_id = s.app_id AND a.supertokens_user_id = s.user_id::{MappedIdType}" : "")}
            """;
    }

    /// <summary>An array to compare a user id with by <c>=</c>: the user, and the accounts that are linked to them, by either of their ids.</summary>
    public string UsersOf(SuperTokensSource source, string app, string user)
    {
        if (!HasLinkedAccounts)
        {
            return user;
        }

        var linked = $"SELECT l.user_id::text FROM {source.Table(Users)} l WHERE l.app_id = {app} AND l.primary_or_recipe_user_id";
        return !HasMappings
            ? $"ANY (ARRAY(SELECT {user}::text UNION {linked} = {user}::{UserIdType}))"
            : $"""
            ANY (ARRAY(
                WITH named AS (
                    SELECT {user}::text AS id UNION SELECT m.supertokens_user_id::text FROM {source.Table(Mappings)} m WHERE m.app_id = {app} AND m.external_user_id = {user}),
                accounts AS (SELECT id FROM named UNION {linked} IN (SELECT id::{UserIdType} FROM named))
                SELECT id FROM accounts
                UNION SELECT m.external_user_id FROM {source.Table(Mappings)} m WHERE m.app_id = {app} AND m.supertokens_user_id IN (SELECT id::{MappedIdType} FROM accounts)))
            """;
    }

    public static SuperTokensSession ToSession(NpgsqlDataReader row) => new()
    {
        App = Text(row, 0) ?? "",
        Tenant = Text(row, 1) ?? "",
        Handle = Text(row, 2) ?? "",
        UserId = Text(row, 3) ?? "",
        CurrentHash = Text(row, 4) ?? "",
        Data = Text(row, 5),
        ExpiresAt = row.IsDBNull(6) ? NoTime : row.GetInt64(6),
        CreatedAt = row.IsDBNull(7) ? NoTime : row.GetInt64(7),
        Payload = Text(row, 8),
        UsesStaticKey = !row.IsDBNull(9) && row.GetBoolean(9),
        PreviousHash = Text(row, 10),
        RotatedAt = row.IsDBNull(11) ? null : row.GetInt64(11),
        RecipeUserId = Text(row, 12),
    };

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
