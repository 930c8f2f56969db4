using Grid.Abstractions.Settings;
using Grid.WebFront.Admission;

namespace Grid.Hosting.Settings;

/// <summary>How much this silo takes on. Section <c>Grid:Overload</c>; range in <see cref="SettingTable"/>.</summary>
internal sealed class OverloadOptions
{
    public const string Section = "Grid:Overload";

    public OverloadOptions() => SettingBinding.SetDefaults(this, Section);

    public int? MaxRequests { get; set; }

    /// <summary><see cref="MaxRequests"/>, or its default by the cores that there are.</summary>
    public AdmissionLimits Limits => MaxRequests is { } max ? new AdmissionLimits(max) : AdmissionLimits.Default;
}
