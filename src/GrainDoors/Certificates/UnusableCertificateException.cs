namespace Grid.GrainDoors.Certificates;

/// <summary>A certificate, its key or its authority cannot be used; the message names the setting and the repair, and nothing secret.</summary>
internal sealed class UnusableCertificateException(string message) : Exception(message);
