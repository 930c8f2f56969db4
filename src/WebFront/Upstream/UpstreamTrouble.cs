namespace Grid.WebFront.Upstream;

/// <summary>Why the core behind Grid is of no use.</summary>
internal enum UpstreamTrouble
{
    /// <summary>It answers.</summary>
    None = 0,

    /// <summary>It cannot be reached, or breaks off.</summary>
    Away,

    /// <summary>It was reached and is silent for longer than <c>Grid:Upstream:Timeout</c>.</summary>
    Slow,

    /// <summary>It does not accept <c>Grid:Upstream:ApiKey</c>.</summary>
    WrongKey,

    /// <summary>It is Grid itself.</summary>
    Loop,

    /// <summary>Its answer is not what a core answers.</summary>
    Odd,

    /// <summary>It, or what stands before it, answers with an error where only "yes" and "no" are answers.</summary>
    Failing,

    /// <summary>It shows no certificate that this machine trusts, or does not speak TLS where <c>Grid:Upstream:Uri</c> says that it does.</summary>
    Untrusted,
}
