namespace Grid.Revocation.Tests.Simulation;

/// <summary>No answer: nobody knows what was done.</summary>
internal sealed class SimulatedFailure(string message) : Exception(message);
