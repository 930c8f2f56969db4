using System.Net;
using System.Text;
using Grid.TestKit;
using Npgsql;

namespace Grid.Silo.Tests;

/// <summary>A silo whose role in PostgreSQL can create nothing, over a schema that another role has migrated.</summary>
public sealed class LeastPrivilegeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-role-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_silo_lives_and_ends_as_the_role_that_the_file_of_roles_makes()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var database = await server!.CreateDatabaseAsync();
        var roles = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "sql", "roles", "postgresql.sql"));
        await ExecuteAsync(database, roles);
        var (code, output) = await GridProcess.RunAsync(_folder, ["migrate"], Settings("grid_owner"));
        Assert.True(code == 0, output);
        await ExecuteAsync(database, roles);

        using var silo = await GridProcess.ServeAsync(_folder, [.. Settings("grid"), ("Grid__Store__MigrateAtStart", "false"), ("Grid__Front__Enabled", "false")]);
        var app = "/appid-shop";
        await DoneAsync(HttpMethod.Put, "/recipe/multitenancy/app/v2", """{"appId":"shop"}""");
        await DoneAsync(HttpMethod.Put, $"{app}/recipe/multitenancy/tenant/v2", """{"tenantId":"t1"}""");
        var made = System.Text.Json.Nodes.JsonNode.Parse(await DoneAsync(HttpMethod.Post, $"{app}/recipe/session", NewSession))!;
        await DoneAsync(HttpMethod.Post, $"{app}/recipe/session/refresh", $$"""{"refreshToken":"{{made["refreshToken"]!["token"]}}","enableAntiCsrf":false,"useDynamicSigningKey":true}""");
        await DoneAsync(HttpMethod.Post, $"{app}/session/ticket", """{"userId":"u","userDataInJWT":{},"userDataInDatabase":{}}""");
        await DoneAsync(HttpMethod.Post, $"{app}/recipe/session/remove", """{"userId":"u"}""");

        // By an entry for all of it, and a reminder until it is done.
        await DoneAsync(HttpMethod.Post, $"{app}/recipe/session", NewSession);
        await DoneAsync(HttpMethod.Post, $"{app}/recipe/multitenancy/tenant/remove", """{"tenantId":"t1"}""");
        await DoneAsync(HttpMethod.Post, "/recipe/multitenancy/app/remove", """{"appId":"shop"}""");
        Assert.Equal(0, await silo.TerminateAsync());

        Assert.DoesNotContain("42501", silo.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("permission denied", silo.Output, StringComparison.Ordinal);

        (string, string)[] Settings(string role) =>
        [
            ("Grid__Store__ConnectionString", new NpgsqlConnectionStringBuilder(database) { Username = role }.ToString()),
            ("Grid__Keys__EncryptionKey", Convert.ToBase64String(new byte[32])),
        ];

        // A machine that is busy with other things says 503 and means it.
        async Task<string> DoneAsync(HttpMethod method, string path, string body)
        {
            for (var tries = 1; ; tries++, await Task.Delay(TimeSpan.FromSeconds(1)))
            {
                using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
                request.Headers.Add("cdi-version", "5.6");
                using var answer = await silo.Http.SendAsync(request);
                var text = await answer.Content.ReadAsStringAsync();
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    Assert.Contains("\"OK\"", text, StringComparison.Ordinal);
                    return text;
                }

                Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable && tries < 60, $"{path} answered {answer.StatusCode}: {text}\n{silo.Output}");
            }
        }
    }

    private static string NewSession =>
        """{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{},"useDynamicSigningKey":true}""";

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
