using System.Globalization;
using Grid.Abstractions;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Grains.SigningKeys;
using Grid.Hosting.Settings;
using Grid.Revocation;
using Grid.Storage;
using Grid.Tokens.SigningKeys;

namespace Grid.Silo.Diagnosis;

/// <summary>Whether the store is there, keeps what it is given, and belongs to this installation.</summary>
internal sealed class StoreDiagnosis(GridSettings settings, IServiceProvider services)
{
    private const string Store = "store";
    private const string Schema = "schema";
    private const string Key = "encryption key";

    // A commit that takes longer makes every sign-in and revocation feel slow.
    private static readonly TimeSpan SlowCommit = TimeSpan.FromMilliseconds(100);

    private const int NamedKeys = 5;

    /// <summary>Whether there is a database to go on with.</summary>
    public bool IsThere { get; private set; }

    /// <summary>How many connections the server has; null if that was not found out, or a pooler stands before it.</summary>
    public StoreRoom? Room { get; private set; }

    /// <summary>Compares the schema; reads only, also beside a process that owns the file.</summary>
    public Finding OfSchema()
    {
        try
        {
            var schema = StoreMigrator.For(settings.Store).Status();
            if (schema.State == SchemaState.Newer)
            {
                return Finding.Problem(Schema, StoreMigrator.Newer(schema).Message);
            }

            if (schema.State == SchemaState.Current)
            {
                IsThere = true;
                return Finding.Ok(Schema, $"It is at {schema.Applied}, as this version needs it.");
            }

            if (schema.State == SchemaState.Ahead)
            {
                IsThere = true;
                return Finding.Warning(Schema, $"It is at {schema.Applied}, of a later version; this version, which knows {schema.Known}, works over it. Finish the upgrade.");
            }

            var pending = $"{(schema.Applied is null ? "It is empty" : $"It is at {schema.Applied}")}, and this version needs {schema.Known}";
            return settings.MigrateAtStart
                ? Finding.Warning(Schema, $"{pending}: the next start migrates it; 'grid migrate --dry-run' lists what is pending. What is in it was not looked at.")
                : Finding.Problem(Schema, $"{pending}. Run 'grid migrate', or set Grid:Store:MigrateAtStart to true.");
        }
        catch (StoreStartException failure)
        {
            return Finding.Problem(Store, failure.Message);
        }
    }

    /// <summary>Opens it as a start does, writes a row, reads it back and removes it.</summary>
    public async Task<IReadOnlyList<Finding>> OfStoreAsync(CancellationToken cancellationToken)
    {
        var startup = services.GetRequiredService<IStoreStartup>();
        try
        {
            startup.TakeOwnership();
        }
        catch (StoreStartException refusal) when (settings.Store.Engine == StoreEngine.Sqlite)
        {
            // As a rule it is Grid itself that runs.
            IsThere = false;
            return [Finding.Warning(Store, $"Nothing but its schema was looked at: {refusal.Message}")];
        }

        try
        {
            var facts = await startup.CheckAsync(cancellationToken);
            Room = facts.Room;
            List<Finding> findings = [.. facts.Warnings.Select(warning => Finding.Warning(Store, $"{warning} Switch it on (it is allowed by Grid:Store:AllowUnsafeDurability)."))];
            var took = await WriteAsync(cancellationToken);
            var wrote = string.Create(CultureInfo.InvariantCulture, $"{facts.Engine} at {facts.Place} keeps what it is given; a row was committed in {took.TotalMilliseconds:0.0} ms");
            findings.Insert(0, took > SlowCommit
                ? Finding.Warning(Store, $"{wrote}, which is slow: every sign-in, refresh and revocation waits for a commit. Look at the disk under the database (fsync).")
                : Finding.Ok(Store, $"{wrote}."));
            return findings;
        }
        catch (StoreStartException refusal)
        {
            IsThere = false;
            return [Finding.Problem(Store, refusal.Message)];
        }
        catch (StoreUnavailableException failure)
        {
            IsThere = false;
            var reason = services.GetRequiredService<IStoreCondition>().Trouble?.Reason;
            return [Finding.Problem(Store, $"It answers, and takes no writes: {reason ?? failure.InnerException?.Message ?? failure.Message}")];
        }
    }

    /// <summary>Whether the database is this cluster's, and the key-encryption key its own.</summary>
    public async Task<IReadOnlyList<Finding>> OfKeysAsync(CancellationToken cancellationToken)
    {
        var store = services.GetRequiredService<IInstallationStore>();
        try
        {
            if (await store.ReadAsync(cancellationToken) is not { } record)
            {
                return [Finding.Ok(Key, "No silo has started on this database yet: the first start decides which key is its own.")];
            }

            if (record.ClusterId != settings.Cluster.Id)
            {
                return [Finding.Problem("cluster", $"The database belongs to the cluster '{record.ClusterId}', but Grid:Cluster:Id is '{settings.Cluster.Id}'. Set it to '{record.ClusterId}', or give this cluster a database of its own.")];
            }

            var (protector, origin) = EncryptionKeyFile.Load(settings, isNew: false);
            var expected = KeyProtector.KeyIdOf(record.Canary);
            if (!protector.OpensCanary(record.Canary))
            {
                return [Finding.Problem(Key, $"The key from {origin} (id {protector.KeyId}) is not the database's (id {expected}): a start is refused. Set Grid:Keys:EncryptionKeyFile (or Grid:Keys:EncryptionKey) to the key {expected}.")];
            }

            var findings = new List<Finding>
            {
                expected == protector.KeyId
                    ? Finding.Ok(Key, $"The key from {origin} (id {protector.KeyId}) opens the database's mark.")
                    : Finding.Warning(Key, $"The database still uses the previous key {expected}. Run 'grid keys rotate-encryption-key' when every silo holds both."),
            };
            if (Unreadable(await store.ReadKeysAsync(cancellationToken), protector) is { Count: > 0 } closed)
            {
                findings.Add(Finding.Warning(
                    Key, $"{closed.Count} stored signing keys do not open: {string.Join(", ", closed.Take(NamedKeys))}{(closed.Count > NamedKeys ? ", …" : "")}. Set Grid:Keys:PreviousEncryptionKeyFile to the key that sealed them, or revoke them (docs/operations.md)."));
            }

            if (await StagedKeys.FindUnreadableAsync(services.GetRequiredService<IImportStore>(), protector, cancellationToken) is { Count: > 0 } waiting)
            {
                var names = string.Join(", ", waiting.Take(NamedKeys).Select(key => $"{key.Kid} of app {key.App}"));
                findings.Add(Finding.Warning(
                    Key, $"{waiting.Count} imported keys do not open, and no app takes them in: {names}{(waiting.Count > NamedKeys ? ", …" : "")}. Run 'grid import supertokens' again, which seals them anew, or set Grid:Keys:PreviousEncryptionKeyFile to the key that sealed them and run 'grid keys rotate-encryption-key'."));
            }

            return findings;
        }
        catch (SettingsException refusal)
        {
            return [Finding.Problem(Key, refusal.Message)];
        }
        catch (StoreUnavailableException failure)
        {
            return [Finding.Problem(Store, $"It stopped answering: {failure.InnerException?.Message ?? failure.Message}")];
        }
    }

    /// <summary>This machine's clock against the store's.</summary>
    public async Task<Finding> OfClockAsync(CancellationToken cancellationToken)
    {
        const string check = "clock";
        var trust = new ClockTrust(TimeProvider.System, LeaseClock.Instance);
        trust.Watch();
        try
        {
            var store = services.GetRequiredService<IStoreClock>();

            // The first answer may have to wait for a connection.
            await store.ReadAsync(cancellationToken);
            trust.Compare(trust.Ask(), await store.ReadAsync(cancellationToken));
            var repair = settings.Store.Engine == StoreEngine.PostgreSql
                ? "Run a time service (NTP) on both machines."
                : "Run a time service (NTP); if this machine's clock is right, run 'grid clock accept' with Grid stopped.";
            return trust.Verdict switch
            {
                ClockVerdict.Wrong => Finding.Problem(check, $"{trust.Reason} No session is served by it. {repair}"),
                ClockVerdict.Off => Finding.Warning(check, $"{trust.Reason} {repair}"),
                ClockVerdict.Right when trust.PurgeHeldFor > TimeSpan.Zero => Finding.Warning(
                    check, $"The newest time in the file is more than a day ago: the machine was off, or its clock is ahead. Expired rows stay for {ClockTrust.PurgeWaits.TotalHours:0} h of running. {repair}"),
                ClockVerdict.Right => Finding.Ok(check, settings.Store.Engine == StoreEngine.PostgreSql ? "It agrees with PostgreSQL's." : "It is not behind the newest time in the file."),
                _ => Finding.Warning(check, "It could not be compared: the store took too long to answer. Run this again."),
            };
        }
        catch (StoreUnavailableException failure)
        {
            return Finding.Problem(Store, $"It stopped answering: {failure.InnerException?.Message ?? failure.Message}");
        }
    }

    // In the table of what silos say of their keys, under a name that no silo has.
    private async Task<TimeSpan> WriteAsync(CancellationToken cancellationToken)
    {
        var store = services.GetRequiredService<IInstallationStore>();
        var (name, value) = ($"doctor-{Guid.NewGuid():N}", "none");
        var clock = LeaseClock.Instance;
        try
        {
            // Opens the connection.
            await store.ReadAsync(cancellationToken);
            var since = clock.GetTimestamp();
            await store.AnnounceAsync(name, value, cancellationToken);
            var took = clock.GetElapsedTime(since);
            return (await store.ReadAnnouncedAsync(cancellationToken)).Any(row => row.Address == name && row.KeyIds == value)
                ? took
                : throw new StoreStartException("What was written could not be read back: find out what stands between Grid and the database's primary.");
        }
        finally
        {
            await store.AnnounceAsync(name, null, CancellationToken.None);
        }
    }

    private static List<string> Unreadable(IReadOnlyList<StoredKeysRow> rows, KeyProtector protector)
    {
        using var keys = new StoredKeys();
        return [.. rows.SelectMany(row => keys.FindUnreadable(row, protector).Select(kid => $"{kid} of app {row.App}"))];
    }
}
