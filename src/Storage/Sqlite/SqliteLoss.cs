namespace Grid.Storage.Sqlite;

/// <summary>The database's files are no longer those that were opened.</summary>
/// <param name="What">What happened, in a sentence.</param>
/// <param name="CanBeSaved">The open descriptors still hold everything that was acknowledged.</param>
internal sealed record SqliteLoss(string What, bool CanBeSaved);
