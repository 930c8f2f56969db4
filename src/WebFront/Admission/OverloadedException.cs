namespace Grid.WebFront.Admission;

/// <summary>There is no place left in the request's class, and nothing was begun. For the rare case that this shows after the request was read.</summary>
internal sealed class OverloadedException() : Exception("Too many requests at once.");
