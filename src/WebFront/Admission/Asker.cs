using Grid.Abstractions.Apps;

namespace Grid.WebFront.Admission;

/// <summary>Who a request counts as when places are shared out: an app's back ends, or all browsers together. Known when the key was found right.</summary>
internal readonly record struct Asker
{
    /// <summary>Browsers, whichever app they come for: they get half of each class at most, and share as one app would.</summary>
    public static Asker Front { get; } = new() { IsFront = true };

    /// <summary>The app; null for those that this silo does not know, which count as one.</summary>
    public AppKey? App { get; private init; }

    /// <summary>Whether it came in by the front.</summary>
    public bool IsFront { get; private init; }

    /// <summary>Back ends of an app.</summary>
    public static Asker Of(AppKey? app) => new() { App = app };
}
