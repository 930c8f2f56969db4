using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Grid.Abstractions.Settings;
using YamlDotNet.RepresentationModel;

namespace Grid.Silo.Tests;

/// <summary>What deploy/ tells others to start: that it can be read, and that every setting, port and value in it exists.</summary>
public sealed partial class DeployFileTests
{
    // Deploy files of one kind each say these; nobody else's variables are set.
    private static readonly string[] OthersVariables = ["POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"];

    private static readonly string Chart = Path.Combine(Repository.Root, "deploy", "helm", "grid");

    [Fact]
    public void Compose_starts_three_silos_whose_settings_exist_behind_a_proxy_that_waits_for_them()
    {
        var compose = (YamlMappingNode)Yaml(ReadDeploy("compose.yaml"));
        var services = (YamlMappingNode)compose["services"];
        Assert.Equal(["db", "nginx", "silo-1", "silo-2", "silo-3"], services.Children.Keys.Select(name => $"{name}").Order(StringComparer.Ordinal));
        var grid = (YamlMappingNode)compose["x-grid"];
        Assert.All(((YamlMappingNode)grid["environment"]).Children.Keys, name => AssertIsSetting($"{name}"));

        // The doors are the proxy's, and on this machine only; silo ports are nobody's.
        Assert.All(services.Children.Where(service => $"{service.Key}" != "nginx"), service => Assert.False(((YamlMappingNode)service.Value).Children.ContainsKey("ports")));
        Assert.All(((YamlSequenceNode)services["nginx"]["ports"]).Children, port => Assert.StartsWith("127.0.0.1:", $"{port}", StringComparison.Ordinal));
        Assert.Equal(["cluster"], Words(services["db"]["networks"]));
        Assert.Equal(["doors"], Words(services["nginx"]["networks"]));
        Assert.Equal(["silo-1", "silo-2", "silo-3"], ((YamlMappingNode)services["nginx"]["depends_on"]).Children.Keys.Select(name => $"{name}"));

        // Long enough to end in order: the drain and 30 s.
        Assert.True(Seconds($"{grid["stop_grace_period"]}") >= Drain() + 30);
        var secrets = ((YamlMappingNode)compose["secrets"]).Children.Values.Select(secret => Path.GetFileName($"{secret["file"]}")).ToList();
        Assert.All(secrets, file => Assert.Contains($"/deploy/{file}\n", File.ReadAllText(Path.Combine(Repository.Root, ".gitignore")), StringComparison.Ordinal));
    }

    [Fact]
    public void Compose_with_SuperTokens_puts_Grid_before_a_core_that_nobody_else_reaches_and_the_keys_are_two()
    {
        var services = (YamlMappingNode)((YamlMappingNode)Yaml(ReadDeploy("compose.supertokens.yaml")))["services"];
        var grid = (YamlMappingNode)services["grid"]["environment"];
        Assert.All(grid.Children.Keys, name => AssertIsSetting($"{name}"));

        // Where the core is and what it is shown are as the core has them.
        Assert.Equal("http://supertokens:3567", $"{grid["Grid__Upstream__Uri"]}");
        Assert.Equal($"{services["supertokens"]["environment"]["API_KEYS"]}", $"{grid["Grid__Upstream__ApiKey"]}");
        Assert.NotEqual($"{grid["API_KEYS"]}", $"{grid["Grid__Upstream__ApiKey"]}");
        Assert.Null(Grid.WebFront.Upstream.UpstreamSettings.WhyNot($"{grid["Grid__Upstream__Uri"]}"));

        // Grid's door on this machine only, and the core's nowhere; Grid starts without it.
        Assert.All(((YamlSequenceNode)services["grid"]["ports"]).Children, port => Assert.Equal($"127.0.0.1:3567:{Default("Grid:Core:Port")}", $"{port}"));
        Assert.All(new[] { "supertokens", "db" }, name =>
        {
            Assert.False(((YamlMappingNode)services[name]).Children.ContainsKey("ports"));
            Assert.Equal(["behind"], Words(services[name]["networks"]));
        });
        Assert.False(((YamlMappingNode)services["grid"]).Children.ContainsKey("depends_on"));
        Assert.True(Seconds($"{services["grid"]["stop_grace_period"]}") >= Drain() + 30);
    }

    [Fact]
    public void The_proxys_ports_are_those_of_the_settings_and_it_sends_nothing_twice()
    {
        var balance = File.ReadAllText(Path.Combine(Repository.Root, "deploy", "proxies", "balance.conf"));

        Assert.Equal([Default("Grid:Core:Port"), Default("Grid:Front:Port")], Listens().Matches(balance).Select(match => match.Groups[1].Value));
        Assert.Equal(3, Regex.Count(balance, $@"server silo-\d:{Default("Grid:Core:Port")} "));
        Assert.Equal(3, Regex.Count(balance, $@"server silo-\d:{Default("Grid:Front:Port")} "));
        Assert.DoesNotMatch("(?m)^ *proxy_next_upstream.*non_idempotent", balance);
    }

    [Fact]
    public void The_image_runs_as_nobody_special_and_asks_the_silo_itself_whether_it_is_well()
    {
        var text = ReadDeploy("Dockerfile");

        Assert.Matches(@"(?m)^USER \$APP_UID$", text);
        Assert.Contains($"EXPOSE {Default("Grid:Core:Port")} {Default("Grid:Front:Port")}\n", text, StringComparison.Ordinal);
        Assert.Matches("""(?m)^HEALTHCHECK .* CMD \["dotnet", "Grid\.Silo\.dll", "health"\]$""", text);
        Assert.All(Variables().Matches(text).Select(match => match.Value).Distinct(), AssertIsSetting);

        // What is copied is what the build needs; secrets and history stay outside.
        var ignored = File.ReadAllLines(Path.Combine(Repository.Root, ".dockerignore")).Where(line => !line.StartsWith('#')).ToList();
        Assert.Equal("*", ignored[0]);
        Assert.Contains("!deploy/sql", ignored);
        Assert.DoesNotContain("!deploy", ignored);
    }

    [Fact]
    public void Every_value_that_the_chart_uses_has_a_default_and_every_default_is_used()
    {
        var values = (YamlMappingNode)Yaml(File.ReadAllText(Path.Combine(Chart, "values.yaml")));
        var known = Paths(values, "").ToHashSet(StringComparer.Ordinal);
        var used = Templates().SelectMany(template => Values().Matches(template.Text).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);

        Assert.All(used, path => Assert.True(known.Contains(path), $".Values.{path} is used and has no default in values.yaml."));
        Assert.All(known, path => Assert.True(
            used.Any(one => one == path || path.StartsWith(one + ".", StringComparison.Ordinal) || one.StartsWith(path + ".", StringComparison.Ordinal)), $"values.yaml has '{path}', which nothing uses."));
        Assert.Equal(
            (Default("Grid:Core:Port"), Default("Grid:Front:Port"), Default("Grid:Cluster:GatewayPort")), ($"{values["core"]["port"]}", $"{values["front"]["port"]}", $"{values["cluster"]["gatewayPort"]}"));
    }

    [Fact]
    public void The_charts_templates_are_YAML_whose_variables_are_settings()
    {
        Assert.NotEmpty(Templates());
        foreach (var (name, text) in Templates())
        {
            Assert.Equal(Regex.Count(text, @"\{\{-? *(if|range|with|define)\b"), Regex.Count(text, @"\{\{-? *end *-?\}\}"));
            try
            {
                foreach (var document in Stripped(text).Split("\n---\n"))
                {
                    _ = Yaml(document);
                }
            }
            catch (YamlDotNet.Core.YamlException failure)
            {
                Assert.Fail($"{name}: {failure.Message}\n{Stripped(text)}");
            }

            Assert.All(Variables().Matches(text).Select(match => match.Value).Distinct(), AssertIsSetting);
        }
    }

    [Fact]
    public void The_chart_shows_nobody_the_silo_port_and_gives_silos_time_to_end()
    {
        var templates = Templates().ToDictionary(template => template.Name, template => template.Text);

        Assert.DoesNotContain("silo", templates["services.yaml"].Replace("Silo port and gateway are in neither", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("gatewayPort", templates["services.yaml"], StringComparison.Ordinal);
        var ports = templates["networkpolicy.yaml"];
        Assert.Matches(@"(?s)- podSelector:\s+matchLabels:\s+\{\{- include ""grid.selector""[^\n]+\n\s+ports:\s+- \{ protocol: TCP, port: silo \}", ports);
        var deployment = templates["deployment.yaml"];
        Assert.Contains("terminationGracePeriodSeconds: {{ add .Values.drainSeconds 35 }}", deployment, StringComparison.Ordinal);
        Assert.All(
            new[] { "runAsNonRoot: true", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false", "automountServiceAccountToken: false", "enableServiceLinks: false", "maxUnavailable: 0" },
            rule => Assert.Contains(rule, deployment, StringComparison.Ordinal));
        Assert.All(new[] { "/health/startup", "/health/ready", "/health/live" }, probe => Assert.Contains($"path: {probe}, port: core", deployment, StringComparison.Ordinal));
        Assert.All(new[] { "valueFrom:", "secretKeyRef" }, way => Assert.DoesNotMatch($"{way}(?s).*password", deployment));
    }

    // Where there is one: no registry that CI reaches has it.
    [Fact]
    public async Task Helm_renders_the_chart()
    {
        var helm = Environment.GetEnvironmentVariable("HELM") ?? "helm";
        var (code, output) = await RunAsync(helm, "lint", Chart, "--strict", "--set", "front.apiDomain=https://a.example,front.websiteDomains=https://a.example");
        Assert.SkipWhen(code is null, "helm is not on this machine; set HELM to where it is");
        Assert.True(code == 0, output);

        (code, output) = await RunAsync(
            helm, "template", "one", Chart, "--set",
            "front.apiDomain=https://a.example,front.websiteDomains=https://a.example,certificateSecret=tls,cluster.gatewayPort=30000,front.ingress.enabled=true,front.ingress.host=a.example,settings.Grid__Session__AccessTokenValidity=15m");
        Assert.True(code == 0, output);
        var documents = new YamlStream();
        documents.Load(new StringReader(output));
        Assert.Equal(
            ["Deployment", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "Service", "Service", "ServiceAccount"],
            documents.Documents.Select(document => $"{document.RootNode["kind"]}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_unit_is_one_that_systemd_takes_and_is_fenced_in()
    {
        var text = ReadDeploy("grid.service");
        Assert.True(int.Parse(Assert.Single(Regex.Matches(text, @"(?m)^LimitNOFILE=(\d+)$")).Groups[1].Value, CultureInfo.InvariantCulture) >= 65536);
        Assert.True(int.Parse(Assert.Single(Regex.Matches(text, @"(?m)^TimeoutStopSec=(\d+)$")).Groups[1].Value, CultureInfo.InvariantCulture) >= Drain() + 30);
        Assert.All(Variables().Matches(text).Select(match => match.Value).Distinct(), AssertIsSetting);

        // Also with the lines for PostgreSQL. What it starts need not be here.
        foreach (var unit in new[] { text, Regex.Replace(text, "(?m)^#(LoadCredential|Environment)=", "$1=") })
        {
            var folder = Directory.CreateTempSubdirectory("grid-unit-");
            try
            {
                var path = Path.Combine(folder.FullName, "grid.service");
                await File.WriteAllTextAsync(path, unit.Replace("ExecStart=/usr/bin/dotnet ", "ExecStart=/bin/true ", StringComparison.Ordinal), TestContext.Current.CancellationToken);
                var (code, output) = await RunAsync("systemd-analyze", "verify", path);
                Assert.SkipWhen(code is null, "systemd is not on this machine");
                Assert.True(code == 0 && !output.Contains("grid.service:", StringComparison.Ordinal), output);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    private static string ReadDeploy(string file) => File.ReadAllText(Path.Combine(Repository.Root, "deploy", file));

    private static YamlNode Yaml(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return stream.Documents.Single().RootNode;
    }

    private static IEnumerable<string> Words(YamlNode node) => ((YamlSequenceNode)node).Children.Select(child => $"{child}");

    private static List<(string Name, string Text)> Templates() =>
        [.. Directory.EnumerateFiles(Path.Combine(Chart, "templates"), "*.yaml").Select(file => (Path.GetFileName(file), File.ReadAllText(file)))];

    // Lines of control vanish, and so do blocks that are put in; what stands for a value becomes one.
    private static string Stripped(string template) => Regex.Replace(
        Regex.Replace(template, @"(?m)^ *\{\{-[^}]*\}\} *\n", ""), @"""?\{\{[^}]*\}\}""?", "value");

    // Leaves; what an operator fills in is named by its parent.
    private static IEnumerable<string> Paths(YamlMappingNode node, string prefix) => node.Children.SelectMany(child =>
    {
        var path = $"{prefix}{child.Key}";
        return child.Value is YamlMappingNode { Children.Count: > 0 } inner ? Paths(inner, path + ".").Append(path) : [path];
    });

    private static void AssertIsSetting(string variable)
    {
        var name = variable.EndsWith("_FILE", StringComparison.Ordinal) ? variable[..^"_FILE".Length] : variable;
        Assert.True(
            OthersVariables.Contains(variable) || SettingTable.Find(name.Replace("__", ":", StringComparison.Ordinal)) is not null
            || SettingTable.All.Any(row => row.Variable == name) || name is "POSTGRESQL_HOST" or "POSTGRESQL_USER" or "POSTGRESQL_DATABASE_NAME" or "POSTGRESQL_PASSWORD",
            $"{variable} is no setting.");
    }

    private static string Default(string key) => SettingTable.Find(key)!.Default!;

    private static int Drain() => Seconds(Regex.Match(SettingTable.Find("Grid:Shutdown:Drain")!.Default ?? SettingTable.Find("Grid:Shutdown:Drain")!.DefaultNote!, @"\d+s").Value);

    private static int Seconds(string text) => int.Parse(text.TrimEnd('s'), CultureInfo.InvariantCulture);

    private static async Task<(int? Code, string Output)> RunAsync(string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file) { RedirectStandardOutput = true, RedirectStandardError = true };
        Array.ForEach(arguments, start.ArgumentList.Add);
        try
        {
            using var process = Process.Start(start)!;
            var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return (process.ExitCode, string.Concat(output));
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (null, "");
        }
    }

    [GeneratedRegex(@"\bGrid__\w+|\b(?:POSTGRESQL|API_KEYS)\w*")]
    private static partial Regex Variables();

    [GeneratedRegex(@"\$?\.Values\.([A-Za-z.]+[A-Za-z])")]
    private static partial Regex Values();

    [GeneratedRegex(@"listen (\d+);")]
    private static partial Regex Listens();
}
