namespace Grid.Grains.Apps;

/// <summary>Finishes a removal that was begun, even if its caller never repeats it. Key: text of the app's or tenant's key.</summary>
[Alias("grid.removal")]
internal interface IRemovalGrain : IGrainWithStringKey
{
    /// <summary>Call it before a removal begins.</summary>
    /// <returns>False if the reminder could not be stored: then it must not.</returns>
    [Alias("begin")]
    Task<bool> BeginAsync();

    /// <summary>Call it when the removal is finished.</summary>
    [Alias("end")]
    Task EndAsync();
}
