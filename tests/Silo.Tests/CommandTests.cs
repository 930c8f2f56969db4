using System.Net;
using System.Text.Json.Nodes;
using Grid.TestKit;

namespace Grid.Silo.Tests;

/// <summary>What operators type and set, against the real process.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-command-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("migarte --dry-run", "'migrate'")]
    [InlineData("start", "serve")]
    [InlineData("serve --port 4000", "--Grid:Core:Port")]
    [InlineData("serve --host=0.0.0.0", "--Grid:Core:Address")]
    [InlineData("--port 4000", "--Grid:Core:Port")]
    [InlineData("serve 4000", "'4000'")]
    [InlineData("serve -p 4000", "-p")]
    [InlineData("serve --Grid:Core:Prot=4000", "--Grid:Core:Port")]
    [InlineData("serve --Grid:Core:Port", "lacks its value")]
    [InlineData("migrate --dryrun", "--dry-run")]
    [InlineData("config shwo", "config show")]
    [InlineData("config", "config show")]
    [InlineData("config show --jsn", "--json")]
    [InlineData("keys rotate", "keys rotate-encryption-key")]
    [InlineData("cluster rename", "--to")]
    [InlineData("clock accpt", "clock accept")]
    [InlineData("docter", "'doctor'")]
    [InlineData("doctor --jsn", "--json")]
    [InlineData("health --lvie", "--live")]
    public async Task A_word_that_means_nothing_is_refused_with_the_nearest_one(string arguments, string nearest)
    {
        var (code, output) = await GridProcess.RunAsync(_folder, arguments.Split(' '), ("Grid__Core__Port", "0"), ("Grid__Front__Port", "0"));

        Assert.Equal((2, true), (code, output.TrimStart().StartsWith("grid: ", StringComparison.Ordinal)));
        Assert.Contains(nearest, output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("config show --Grid:Core:Port=4000")]
    [InlineData("config show --Grid:Core:Port 4000")]
    [InlineData("config show Grid:Core:Port=4000")]
    public async Task Settings_follow_a_verb(string arguments)
    {
        var (code, output) = await GridProcess.RunAsync(_folder, arguments.Split(' '));

        Assert.Equal(0, code);
        Assert.Matches("Grid:Core:Port +4000 +CommandLine", output);
    }

    [Fact]
    public async Task A_fence_names_the_app_that_there_is_before_any_was_made()
    {
        Assert.Equal(0, (await GridProcess.RunAsync(_folder, ["migrate"])).Code);
        var (code, output) = await GridProcess.RunAsync(_folder, ["restore-fence", "--dry-run"]);

        Assert.Equal((0, "every session and ticket of one app would end: public"), (code, output.Trim()));
    }

    [Fact]
    public async Task Config_show_has_every_effective_value_with_its_origin_and_names_what_has_no_effect()
    {
        var (code, output) = await GridProcess.RunAsync(
            _folder, ["config", "show", "--json"], ("ACCESS_TOKEN_VALIDITY", "60"), ("Grid__Core__Prot", "1"), ("PASSWORD_RESET_TOKEN_LIFETIME", "5"), ("Grid__Front__Port", "9000"));

        Assert.Equal(0, code);
        var lines = output.Split('\n');
        Assert.Contains(lines, line => line.StartsWith("grid: Setting Grid:Core:Prot is not known", StringComparison.Ordinal) && line.Contains("Grid:Core:Port?", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("grid: PASSWORD_RESET_TOKEN_LIFETIME", StringComparison.Ordinal));
        var rows = JsonNode.Parse(string.Join('\n', lines.Where(line => !line.StartsWith("grid: ", StringComparison.Ordinal))))!.AsObject();
        Assert.All(rows, row => Assert.NotEqual("", $"{row.Value!["value"]}"));
        Assert.Equal(("1m", "SuperTokens environment variable ACCESS_TOKEN_VALIDITY"), Row("Grid:Session:AccessTokenValidity"));
        Assert.Equal(("100d", "default"), Row("Grid:Session:RefreshTokenValidity"));
        Assert.Equal(("http://localhost:9000", "default"), Row("Grid:Front:ApiDomain"));
        Assert.Equal(("false", "default"), Row("Grid:Front:CookieSecure"));
        Assert.EndsWith("data/grid.db.key", Row("Grid:Keys:EncryptionKeyFile").Item1, StringComparison.Ordinal);

        (string, string) Row(string key) => ($"{rows[key]!["value"]}", $"{rows[key]!["origin"]}");
    }

    [Fact]
    public async Task A_mounted_secret_outweighs_appsettings_and_an_empty_variable_does_not()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "appsettings.json"), """{"Grid":{"Front":{"Port":9000},"Core":{"Port":4000,"IpDenyRegex":"a"},"Session":{"AccessTokenValidity":"2h"}}}""", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_folder, "port"), "4500\n", TestContext.Current.CancellationToken);

        var (code, output) = await GridProcess.RunAsync(
            _folder, ["config", "show"],
            ("Grid__Core__Port_FILE", "port"), ("Grid__Core__IpDenyRegex", ""), ("Grid__Front__Port", "9100"), ("Grid__Front__Port_FILE", "port"), ("ACCESS_TOKEN_VALIDITY", "60"), ("API_KEYS_FILE", "port"));

        Assert.Equal(2, code);
        Assert.Matches("Grid:Core:Port +4500 +Grid__Core__Port_FILE", output);
        Assert.Matches("Grid:Core:IpDenyRegex +a +JsonConfiguration", output);
        Assert.Matches("Grid:Front:Port +9100 +EnvironmentVariables", output);
        Assert.Matches("Grid:Session:AccessTokenValidity +2h +JsonConfiguration", output);
        Assert.Contains("API_KEYS", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_that_is_refused_is_shown_first()
    {
        var (code, output) = await GridProcess.RunAsync(_folder, ["config", "show"], ("Grid__Session__AccessTokenValidity", "60"));

        Assert.Equal(2, code);
        Assert.Matches("Grid:Session:AccessTokenValidity +60 +EnvironmentVariables", output);
        Assert.Contains("grid: Grid:Session:AccessTokenValidity (ACCESS_TOKEN_VALIDITY, access_token_validity) must be a duration with its unit", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_with_SuperTokens_environment_obeys_it_or_names_what_it_cannot()
    {
        using var grid = await GridProcess.ServeAsync(
            _folder, ("SUPERTOKENS_PORT", "tcp://10.96.0.10:3567"), ("BASE_PATH", "core/"), ("LOG_LEVEL", "INFO"), ("POSTGRESQL_TABLE_NAMES_PREFIX", "st"), ("INFO_LOG_PATH", "/var/log/info.log"),
            ("MAX_SERVER_POOL_SIZE", "20"), ("PASSWORD_RESET_TOKEN_LIFETIME", "5"), ("SUPERTOKENS_MAX_CDI_VERSION", "5.0"), ("DISABLE_TELEMETRY", "true"));

        foreach (var named in new[] { "SUPERTOKENS_PORT=tcp://10.96.0.10:3567", "POSTGRESQL_TABLE_NAMES_PREFIX", "INFO_LOG_PATH", "MAX_SERVER_POOL_SIZE", "PASSWORD_RESET_TOKEN_LIFETIME" })
        {
            Assert.Contains(named, grid.Output, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("DISABLE_TELEMETRY", grid.Output, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await grid.Http.GetAsync("/apiversion")).StatusCode);
        Assert.Equal("""{"versions":["2.21","3.0","3.1","4.0","5.0"]}""", await grid.Http.GetStringAsync("/core/apiversion"));
        Assert.Equal("Hello\n", await grid.Http.GetStringAsync("/core"));
        Assert.Equal("Healthy", await grid.Http.GetStringAsync("/health/ready"));
    }

    [Fact]
    public async Task A_key_file_that_others_may_read_is_named_at_the_start()
    {
        var key = Path.Combine(_folder, "grid.key");
        File.WriteAllText(key, Convert.ToBase64String(new byte[32]));
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        using var grid = await GridProcess.ServeAsync(_folder, ("Grid__Keys__EncryptionKeyFile", key));

        Assert.Contains($"chmod 600 {key}", grid.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-Forwarded-Proto", "https", "POST", "/first-page/session")]
    [InlineData("Forwarded", "for=192.0.2.1;proto=https", "POST", "/auth/session/refresh")]
    [InlineData("Host", "api.example.com", "POST", "/auth/session/refresh")]
    [InlineData("Host", "api.example.com", "POST", "/auth/t1/session/refresh")]
    [InlineData("Host", "api.example.com", "POST", "/auth/session/ticket")]
    [InlineData("Host", "api.example.com", "GET", "/auth/.well-known/openid-configuration")]
    public async Task A_front_that_takes_itself_for_this_machine_gives_the_world_no_tokens(string header, string value, string method, string path)
    {
        using var grid = await GridProcess.ServeAsync(_folder, ("Grid__Front__FirstPage", "true"));
        using var http = grid.FrontHttp();
        Assert.NotEqual(HttpStatusCode.MisdirectedRequest, await SendAsync(null));

        Assert.Equal(HttpStatusCode.MisdirectedRequest, await SendAsync(header));
        await grid.TerminateAsync();
        Assert.Contains("Set Grid:Front:ApiDomain", grid.Output, StringComparison.Ordinal);

        async Task<HttpStatusCode> SendAsync(string? name)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path) { Headers = { { "rid", "anti-csrf" }, { "st-auth-mode", "cookie" } } };
            if (name is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("folder/")]
    public async Task A_folder_instead_of_a_file_is_refused_with_the_repair(string path)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "folder"));
        var (code, output) = await GridProcess.RunAsync(_folder, ["serve", "--Grid:Core:Port=0", "--Grid:Front:Port=0"], ("Grid__Store__SqlitePath", path));

        Assert.Equal(2, code);
        Assert.Contains("is a folder", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Grid:Core:Port={taken}", "Grid:Core:Port")]
    [InlineData("--Grid:Front:Port={taken}", "Grid:Front:Port")]
    [InlineData("--Grid:Front:Address=192.0.2.1", "Grid:Front:Address 192.0.2.1 is none of this machine's")]
    [InlineData("--Grid:Cluster:Address=0.0.0.0", "Grid:Cluster:Address")]
    [InlineData("--Grid:Cluster:Address=::", "Grid:Cluster:Address")]
    [InlineData("--Grid:Cluster:Address=db.example", "Grid:Cluster:Address")]
    public async Task A_port_or_address_that_cannot_be_is_refused_before_anything_is_touched(string setting, string named)
    {
        using var thief = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        thief.Start();
        var taken = $"{((IPEndPoint)thief.LocalEndpoint).Port}";
        var (code, output) = await GridProcess.RunAsync(
            _folder, ["serve", setting.Replace("{taken}", taken, StringComparison.Ordinal)], ("Grid__Core__Port", "0"), ("Grid__Front__Port", "0"));

        Assert.Equal(2, code);
        Assert.Contains(named, output, StringComparison.Ordinal);
        Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task One_port_for_core_and_front_is_refused()
    {
        var (code, output) = await GridProcess.RunAsync(_folder, ["config", "show", "--Grid:Core:Port=4000", "--Grid:Front:Port=4000"]);

        Assert.Equal(2, code);
        Assert.Contains("are both 4000", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_settings_file_that_is_no_JSON_is_refused_with_its_place()
    {
        File.WriteAllText(Path.Combine(_folder, "appsettings.json"), "{ \"Grid\": { \"Core\": { \"Port\": 1, } ");
        var (code, output) = await GridProcess.RunAsync(_folder, ["serve"]);

        Assert.Equal(2, code);
        Assert.StartsWith("grid: appsettings.json", output.Trim(), StringComparison.Ordinal);
        Assert.Contains("LineNumber", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_back_end_that_was_given_the_fronts_port_hears_so()
    {
        using var grid = await GridProcess.ServeAsync(_folder);
        using var front = grid.FrontHttp();

        foreach (var path in new[] { "/apiversion", "/recipe/session", "/appid-shop/t1/recipe/session/verify" })
        {
            using var answer = await front.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Contains("Grid:Core:Port", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_PostgreSql_of_SuperTokens_names_with_a_schema_of_its_own_keeps_two_installations_apart()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var connection = new Npgsql.NpgsqlConnectionStringBuilder(await server!.CreateDatabaseAsync());
        var (code, output) = await GridProcess.RunAsync(
            _folder, ["migrate"], ("Grid__Store__ConnectionString", $"{connection};Options=-csearch_path=none"), ("Grid__Keys__EncryptionKey", Convert.ToBase64String(new byte[32])));
        Assert.Equal((3, true), (code, output.Contains("CREATE SCHEMA", StringComparison.Ordinal)));
        using var one = await ServeAsync("one");
        using var two = await ServeAsync("two");
        Assert.StartsWith("""{"status":"OK",""", await CreateAsync(one), StringComparison.Ordinal);

        Assert.Single(JsonNode.Parse(await one.Http.GetStringAsync("/recipe/session/user?userId=u"))!["sessionHandles"]!.AsArray());
        Assert.Empty(JsonNode.Parse(await two.Http.GetStringAsync("/recipe/session/user?userId=u"))!["sessionHandles"]!.AsArray());

        // A machine that is busy with other things says 503 and means it.
        static async Task<string> CreateAsync(GridProcess silo)
        {
            for (var tries = 1; ; tries++, await Task.Delay(TimeSpan.FromSeconds(1)))
            {
                var body = new StringContent("""{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}""");
                using var answer = await silo.Http.PostAsync("/recipe/session", body);
                if (answer.StatusCode != System.Net.HttpStatusCode.ServiceUnavailable || tries == 30)
                {
                    return await answer.Content.ReadAsStringAsync();
                }
            }
        }

        Task<GridProcess> ServeAsync(string schema) => GridProcess.ServeAsync(
            _folder, ("POSTGRESQL_CONNECTION_URI", $"postgresql://{connection.Username}@{connection.Host}:{connection.Port}/{connection.Database}"), ("POSTGRESQL_PASSWORD", connection.Password ?? "x"),
            ("POSTGRESQL_TABLE_SCHEMA", schema), ("Grid__Keys__EncryptionKey", Convert.ToBase64String(new byte[32])));
    }
}
