namespace Grid.Bench.Http.Load;

/// <summary>What one connection says next, and what it must get.</summary>
internal interface IScenario
{
    /// <summary>Writes a whole HTTP request.</summary>
    /// <returns>Its length; 0 if there is nothing left to do.</returns>
    int WriteRequest(Connection connection, Span<byte> buffer);

    /// <summary>Throws if the body is not what the operation answers when it succeeds.</summary>
    void ReadAnswer(Connection connection, ReadOnlySpan<byte> body);
}
