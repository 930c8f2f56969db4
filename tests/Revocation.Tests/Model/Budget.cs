namespace Grid.Revocation.Tests.Model;

/// <summary>How much may happen in a world.</summary>
/// <param name="Holders">Processes that accept tokens.</param>
/// <param name="Crashes">Times that one of them ends and starts again.</param>
/// <param name="Lags">Ticks that a holder's clock loses.</param>
/// <param name="Reaps">Times that the reaper reads the registry.</param>
/// <param name="Retries">Times that a revoker dies and somebody asks again: after its commit; of a removal, between any two of its steps.</param>
/// <param name="Redemptions">Times that a ticket is shown; 0: the session was made before anything else.</param>
/// <param name="IsRemoval">The tenant or the app is not only revoked but removed.</param>
public sealed record Budget(int Holders, int Crashes = 0, int Lags = 0, int Reaps = 0, int Retries = 0, int Redemptions = 0, bool IsRemoval = false);
