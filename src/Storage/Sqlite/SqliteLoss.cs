namespace Grid.Storage.Sqlite;

/// <summary>The database's files are no longer those that were opened.</summary>
/// <param name="What">A sentence for the operator.</param>
/// <param name="CanBeSaved">The open descriptors still hold everything that was acknowledged.</param>
internal sealed record SqliteLoss(string What, bool CanBeSaved);
