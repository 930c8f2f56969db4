namespace Grid.Abstractions;

/// <summary>A value that the databases cannot store unchanged: the caller's bug, and never written. Fronts answer 400.</summary>
[GenerateSerializer, Alias("grid.unstorable-value")]
public sealed class UnstorableValueException : ArgumentException
{
    public UnstorableValueException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
