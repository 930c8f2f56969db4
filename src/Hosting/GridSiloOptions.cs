namespace Grid.Hosting;

/// <summary>What a silo in an application's own process is to be. What is not said here is read from the application's configuration, by the keys of <c>grid serve</c> (<c>Grid:…</c>).</summary>
public sealed class GridSiloOptions
{
    /// <summary>
    /// PostgreSQL that the cluster's silos share: this process becomes one of them. Key <c>Grid:Store:ConnectionString</c>, or the connection
    /// string <c>Grid</c>. Needs <c>Grid:Keys:EncryptionKeyFile</c>, and certificates (<c>Grid:Cluster:CertificateFile</c>) if silos are on several machines.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>The file of a process that is alone. Key <c>Grid:Store:SqlitePath</c>; default <c>data/grid.db</c>.</summary>
    public string? SqlitePath { get; set; }

    /// <summary>Whether the core API listens (<c>Grid:Core:*</c>), for SDKs and services outside this process. Default false.</summary>
    public bool OpenCoreApi { get; set; }

    /// <summary>Whether the silo's own front for browsers listens (<c>Grid:Front:*</c>). Default false: the application has one by <c>AddAuthentication().AddGrid()</c>.</summary>
    public bool OpenFront { get; set; }

    /// <summary>Any other setting by its key, e.g. <c>Grid:Front:App</c>; stronger than configuration.</summary>
    public IDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
}
