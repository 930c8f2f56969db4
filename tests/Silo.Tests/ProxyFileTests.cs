using System.Text.RegularExpressions;

namespace Grid.Silo.Tests;

/// <summary>The proxies' files follow the same rules; nginx's is run by tests, the others' are compared with it here.</summary>
public sealed partial class ProxyFileTests
{
    [Theory]
    [InlineData("nginx.conf", "grid_session.conf")]
    [InlineData("traefik.yaml")]
    [InlineData("envoy.yaml")]
    public void Every_proxy_sets_or_removes_each_header_that_only_Grid_may_set(params string[] files)
    {
        var text = Read(files);
        string[] names = ["X-Grid-User", "X-Grid-Session", "X-Grid-Tenant", "X-Grid-Error", "X-Grid-Claim-role"];

        Assert.All(names, name => Assert.Contains(name, text, StringComparison.OrdinalIgnoreCase));
        Assert.Contains("Grid:Front:ForwardClaims", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nginx.conf", "websocket")]
    [InlineData("traefik.yaml", "h2c|http|tls")]
    [InlineData("envoy.yaml", "upgrade_type: websocket")]
    public void Every_proxy_lets_WebSockets_through_and_no_other_protocol(string file, string rule)
    {
        var text = Read(file);

        Assert.Contains("WebSockets pass; no other protocol does", text, StringComparison.Ordinal);
        Assert.Contains(rule, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nginx.conf", "# ~^OPTIONS:. 1;")]
    [InlineData("traefik.yaml", "#   rule: Method(`OPTIONS`) && HeaderRegexp(`Access-Control-Request-Method`, `.`)")]
    [InlineData("envoy.yaml", "# - match: { prefix: /, headers: [{ name: \":method\", string_match: { exact: OPTIONS } }")]
    public void Every_proxy_has_the_switch_for_preflights_and_leaves_it_off(string file, string rule) =>
        Assert.Contains(Read(file).Split('\n'), line => line.TrimStart().StartsWith(rule, StringComparison.Ordinal));

    [Theory]
    [InlineData("nginx.conf", "large_client_header_buffers 4 32k", "proxy_buffer_size 64k", "location ~* ^/admin", "X-Original-URI $request_uri")]
    [InlineData("traefik.yaml", "(?i)^/admin", "trustForwardHeader: false", "sanitizePath")]
    [InlineData("envoy.yaml", "max_request_headers_kb: 60", "path_with_escaped_slashes_action: REJECT_REQUEST", "headers_with_underscores_action: REJECT_REQUEST", "failure_mode_allow: false")]
    public void Every_proxy_reads_paths_and_headers_as_Grid_does(string file, params string[] rules)
    {
        var text = Read(file);

        Assert.All(rules, rule => Assert.Contains(rule, text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nginx.conf", "location ^~ /public/", "set $grid_asks \"-optional\";", "/auth/verify$grid_asks")]
    [InlineData("traefik.yaml", "PathPrefix(`/public/`)", "middlewares: [no-lookalikes, grid-optional]", "/auth/verify-optional")]
    [InlineData("envoy.yaml", "prefix: /public/", "name: grid.optional", "path_prefix: /auth/verify-optional")]
    public void Every_proxy_has_a_switch_for_a_part_that_strangers_may_see_and_leaves_it_off(string file, params string[] rules)
    {
        var text = Read(file);

        Assert.All(rules, rule => Assert.Contains(rule, text, StringComparison.Ordinal));
        Assert.All(text.Split('\n').Where(line => line.Contains("/public/", StringComparison.Ordinal)), line => Assert.StartsWith("#", line.TrimStart(), StringComparison.Ordinal));
    }

    [Fact]
    public void Envoy_asks_for_a_session_wherever_it_does_not_ask_whether_there_is_one()
    {
        var routes = Read("envoy.yaml").Split("- match: ").Skip(1).Select(route => route.Split("http_filters:")[0]).ToList();

        Assert.Equal(4, routes.Count);
        Assert.All(routes, route =>
        {
            var asksForSession = !route.Contains("envoy.filters.http.ext_authz:", StringComparison.Ordinal);
            var asksWhether = !route.Contains("grid.optional:", StringComparison.Ordinal);
            var isGridsOwn = route.StartsWith("{ prefix: /auth/ }", StringComparison.Ordinal) || route.Contains("access-control-request-method", StringComparison.Ordinal);
            Assert.Equal(!isGridsOwn, asksForSession ^ asksWhether);
            Assert.Equal(route.StartsWith("{ prefix: /public/ }", StringComparison.Ordinal), asksWhether);
        });
    }

    [Theory]
    [InlineData("traefik.yaml")]
    [InlineData("envoy.yaml")]
    public void Files_that_no_test_runs_say_so_and_are_indented_as_YAML_has_to_be(string file)
    {
        var text = Read(file);

        Assert.Contains("Not run by our tests", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\t', text);
        Assert.All(text.Split('\n').Where(line => !line.TrimStart().StartsWith('#')), line => Assert.True(Indent().Match(line).Length % 2 == 0, line));
    }

    private static string Read(params string[] files) => string.Concat(files.Select(file => File.ReadAllText(Path.Combine(Repository.Root, "deploy", "proxies", file))));

    [GeneratedRegex("^ *")]
    private static partial Regex Indent();
}
