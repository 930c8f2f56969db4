namespace Grid.StoreWrites;

internal static class Stored
{
    /// <summary>Ends the run: numbers of writes that did not happen are worth nothing.</summary>
    public static void OrThrow(bool stored)
    {
        if (!stored)
        {
            throw new InvalidOperationException("A write was refused; the comparison is void.");
        }
    }
}
