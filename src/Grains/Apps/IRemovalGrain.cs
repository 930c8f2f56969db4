namespace Grid.Grains.Apps;

/// <summary>Sees to it that a removal which somebody began is finished though he never asks again. Key: text of the app's or tenant's key.</summary>
[Alias("grid.removal")]
internal interface IRemovalGrain : IGrainWithStringKey
{
    /// <summary>A removal is about to begin.</summary>
    /// <returns>False if the reminder could not be stored: then it must not.</returns>
    [Alias("begin")]
    Task<bool> BeginAsync();

    /// <summary>It is finished.</summary>
    [Alias("end")]
    Task EndAsync();
}
