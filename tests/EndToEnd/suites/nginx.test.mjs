// A real nginx with the configuration that we ship, between a client and an application that knows nothing of sessions.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Grid, freePort, newFolder } from "../support/grid.mjs";

const shipped = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "deploy", "proxies");
const missing = spawnSync("nginx", ["-v"]).error ? "nginx is not on this machine" : false;

describe("nginx asks Grid", { skip: missing, timeout: 600_000 }, () => {
  let grid, application, nginx, url, folder, configuration;
  const seen = [];
  const asked = [];

  before(async () => {
    const frontPort = await freePort();
    grid = await Grid.start({ Grid__Front__Port: String(frontPort), Grid__Front__AntiCsrf: "VIA_CUSTOM_HEADER", Grid__Front__ForwardClaims: "role" });
    application = createServer({ maxHeaderSize: 65536 }, (request, response) => {
      seen.push(request.headers);
      asked.push(request.url);
      if (request.method === "OPTIONS") response.setHeader("access-control-allow-origin", "https://pages.example");
      response.end("application");
    });
    application.on("upgrade", (request, socket) => {
      seen.push(request.headers);
      asked.push(request.url);
      const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.on("data", (data) => socket.write(data));
      socket.on("error", () => {});
    });
    await new Promise((resolve) => application.listen(0, "127.0.0.1", resolve));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    folder = newFolder();
    mkdirSync(join(folder, "logs"));
    cpSync(join(shipped, "grid_session.conf"), join(folder, "grid_session.conf"));
    const server = readFileSync(join(shipped, "nginx.conf"), "utf8")
      .replace("127.0.0.1:8080", `127.0.0.1:${frontPort}`).replace("127.0.0.1:3000", `127.0.0.1:${application.address().port}`).replace("listen 80;", `listen 127.0.0.1:${port};`);
    // With the part that strangers may see.
    const open = /^    #location \^~ \/public\/ \{\n(?:    #.*\n)*?    #\}$/m.exec(server)[0];
    const served = server.replace(open, open.replaceAll(/^    #/gm, "    "));
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n");
    configuration = `daemon off; pid ${folder}/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temp}\n${served}\n}\n`;
    writeFileSync(join(folder, "main.conf"), configuration);
    nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "main.conf")], { stdio: "inherit" });
    for (let attempt = 0; ; attempt++) {
      try {
        await fetch(url);
        break;
      } catch (failure) {
        if (attempt > 100) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  });

  after(async () => {
    nginx?.kill("SIGTERM");
    application?.close();
    await grid?.stop();
  });

  async function signIn(payload = {}) {
    const { json } = await grid.call("POST", "/session/ticket", { userId: "ä user", userDataInJWT: payload });
    const response = await fetch(`${url}/auth/session/ticket`, {
      method: "POST", headers: { "content-type": "application/json", rid: "session", "st-auth-mode": "cookie" }, body: JSON.stringify({ ticket: json.ticket }),
    });
    assert.equal(response.status, 200);
    const cookie = response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
    return { cookie, handle: json.sessionHandle };
  }

  it("lets a session through and says whose it is, whatever the client claims", async () => {
    const { cookie, handle } = await signIn();
    const response = await fetch(`${url}/page`, { headers: { cookie, "x-grid-user": "root", "x-grid-tenant": "other" } });
    assert.equal(await response.text(), "application");
    const headers = seen.at(-1);
    assert.deepEqual([headers["x-grid-user"], headers["x-grid-session"], headers["x-grid-tenant"]], ["%C3%A4%20user", handle, "public"]);
  });

  it("lets no header through that only Grid may set", async () => {
    const { cookie } = await signIn({ role: "reader" });
    const page = (headers) => fetch(`${url}/page`, { headers: { cookie, ...headers } });
    assert.equal((await page({ "x-grid-claim-role": "admin", "x-grid-error": "forged" })).status, 200);
    assert.deepEqual([seen.at(-1)["x-grid-claim-role"], seen.at(-1)["x-grid-error"]], ["reader", undefined]);

    // In any spelling that an application may take for one of these.
    assert.equal((await page({ x_grid_user: "root", "X-GRID-USER": "root", x_grid_claim_role: "admin", "x-grid_claim-role": "admin" })).status, 200);
    assert.deepEqual(Object.entries(seen.at(-1)).filter(([name, value]) => name.replaceAll("_", "-").startsWith("x-grid-") && ["root", "admin"].includes(value)), []);

    // The session has no such claim: nothing takes its place.
    const plain = await signIn();
    assert.equal((await page({ cookie: plain.cookie, "x-grid-claim-role": "admin" })).status, 200);
    assert.equal(seen.at(-1)["x-grid-claim-role"], undefined);

    // A claim that the configuration does not name would go through as it came.
    const before = seen.length;
    assert.equal((await page({ "x-grid-claim-plan": "gold" })).status, 403);
    assert.equal(seen.length, before);
  });

  // Clients tidy paths up before they send them.
  const raw = (path, headers) =>
    new Promise((resolve, reject) => {
      const socket = connect(new URL(url).port, "127.0.0.1", () => {
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: close\r\n${lines}\r\n`);
      });
      let text = "";
      socket.on("data", (data) => (text += data));
      socket.on("error", reject);
      socket.on("close", () => resolve(Number(text.split(" ")[1])));
    });

  it("reads a path as the application does, or refuses it", async () => {
    const reader = await signIn({ role: "reader" });
    const admin = await signIn({ role: "admin" });
    const before = asked.length;
    for (const path of [
      "/admin/x", "/ADMIN/x", "/aDmin/x", "/admin", "/admin/", "/%61dmin/x", "//admin/x", "/admin//x", "/admin/./x", "/x/../admin/y", "/admin/../x", "/admin/%2e%2e/x", "/admin/%2e%2e%2fx", "/admin/..%2fx",
      "/x%2f..%2fadmin/y", "/x/..;/admin/y", "/admin;a=1/x", "/admin;a=1", "/x%5c..%5cadmin", "/x\\..\\admin", "/%2561dmin/x", "/x/%252e%252e/admin/y", "/admin%00", "/admin/%c0%ae%c0%ae/x", "/admin%3b/x",
      "/auth/verify/admin/x/../../../.well-known/openid-configuration", "/auth/../admin/x", "/auth/verify/../signout",
    ]) {
      const status = await raw(path, { cookie: reader.cookie });
      assert.ok([400, 403].includes(status), `${path} was answered ${status}`);
    }
    assert.deepEqual(asked.slice(before), []);

    for (const path of ["/admin/x", "/ADMIN/x", "/admin/a%20b?next=/../x;y"]) {
      assert.equal(await raw(path, { cookie: admin.cookie }), 200, path);
      assert.equal(asked.at(-1), path);
    }
    for (const path of ["/", "/caf%C3%A9", "/100%25", "/a.b/..c?x=%2f%2e%2e", "/administrators"]) {
      assert.equal(await raw(path, { cookie: reader.cookie }), 200, path);
      assert.equal(asked.at(-1), path);
    }

    // A client's own word about the path changes nothing for the better.
    assert.equal(await raw("/admin/..%2fx", { cookie: reader.cookie, "x-original-uri": "/x" }), 403);
  });

  it("refuses what a page of another origin makes a browser send", async () => {
    const { cookie } = await signIn();
    const post = (origin) => fetch(`${url}/act`, { method: "POST", body: "x", headers: { cookie, rid: "session", origin } });
    assert.equal((await post("https://attacker.example")).status, 401);
    assert.equal((await post(url)).status, 200);
    const out = await fetch(`${url}/auth/signout`, { method: "POST", headers: { cookie, rid: "session", origin: "https://attacker.example" } });
    assert.equal(out.status, 403);
    assert.equal((await fetch(`${url}/page`, { headers: { cookie } })).status, 200);
  });

  it("takes answers with long tokens and many cookies", async () => {
    const { cookie } = await signIn({ note: "n".repeat(1200) });
    assert.equal((await fetch(`${url}/page`, { headers: { cookie } })).status, 200);
    const refreshed = await fetch(`${url}/auth/session/refresh`, { method: "POST", headers: { rid: "session", cookie: `${cookie}; sAccessToken=tossed; sRefreshToken=tossed` } });
    assert.equal(refreshed.status, 200);
  });

  // fetch takes no headers of this size.
  const ask = (method, path, headers, body = "", base = url) =>
    new Promise((resolve, reject) => {
      const call = httpRequest(new URL(path, base), { method, headers: { "content-length": Buffer.byteLength(body), ...headers }, maxHeaderSize: 131072, agent: false });
      call.on("response", (answer) => answer.resume().on("end", () => resolve({ status: answer.statusCode, headers: answer.headers })));
      call.on("error", reject);
      call.end(body);
    });

  it("takes tokens as large as Grid makes them, in headers", async () => {
    const { json } = await grid.call("POST", "/recipe/session", { userId: "large", enableAntiCsrf: false, useDynamicSigningKey: true, userDataInJWT: { note: "n".repeat(10_800) }, userDataInDatabase: {} });
    const modes = { rid: "session", "st-auth-mode": "header" };
    assert.ok(json.accessToken.token.length > 14_000);
    assert.equal((await ask("GET", "/page", { ...modes, authorization: `Bearer ${json.accessToken.token}` })).status, 200);
    const refreshed = await ask("POST", "/auth/session/refresh", { ...modes, authorization: `Bearer ${json.refreshToken.token}` });
    assert.equal(refreshed.status, 200);
    assert.equal((await ask("GET", "/page", { ...modes, authorization: `Bearer ${refreshed.headers["st-access-token"]}` })).status, 200);
  });

  // What came back, up to an end that the test waits for.
  const upgrade = (headers, sent, end) =>
    new Promise((resolve, reject) => {
      const socket = connect(new URL(url).port, "127.0.0.1", () => {
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
        socket.write(`GET /socket HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${lines}\r\n`);
      });
      let text = "";
      socket.on("data", (data) => {
        if (text === "" && data.toString().includes(" 101 ")) socket.write(sent);
        text += data;
        if (text.includes(end)) socket.destroy();
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
  const handshake = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };

  it("lets WebSockets of a session through, from its own pages only", async () => {
    const { cookie, handle } = await signIn();
    const opened = await upgrade({ ...handshake, Cookie: cookie, Origin: url, "X-Grid-User": "root" }, "hello through the tunnel", "tunnel");
    assert.match(opened, /^HTTP\/1.1 101 .*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=.*hello through the tunnel$/s);
    assert.deepEqual([seen.at(-1)["x-grid-session"], seen.at(-1)["x-grid-user"]], [handle, "%C3%A4%20user"]);

    const before = asked.length;
    for (const headers of [handshake, { ...handshake, Cookie: cookie, Origin: "https://attacker.example" }]) {
      assert.match(await upgrade({ ...headers, Connection: "Upgrade, close" }, "", "}"), /^HTTP\/1.1 401 /);
    }
    assert.equal(asked.length, before);
  });

  it("lets no other protocol through, whose requests would pass unasked", async () => {
    const { cookie } = await signIn();
    const answer = await upgrade({ Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__", Cookie: cookie, Origin: url }, "", "application");
    assert.match(answer, /^HTTP\/1.1 200 /);
    assert.deepEqual([seen.at(-1).upgrade, seen.at(-1).connection], [undefined, undefined]);
  });

  it("refuses CORS preflights until the switch is set, and then hands on nothing but what CORS says", async () => {
    const preflight = { origin: "https://pages.example", "access-control-request-method": "PUT", "access-control-request-headers": "rid" };
    const forged = { ...preflight, cookie: "a=b", authorization: "Bearer x", "x-grid-user": "root", "x-grid-claim-plan": "gold", "x-http-method-override": "DELETE" };
    const before = asked.length;
    for (const path of ["/api/x", "/admin/x"]) {
      assert.equal((await ask("OPTIONS", path, preflight)).status, 401, path);
    }
    assert.equal(asked.length, before);

    // Another nginx with the switch set: one that reloads drops connections that clients keep.
    const port = await freePort();
    const switched = newFolder();
    mkdirSync(join(switched, "logs"));
    cpSync(join(shipped, "grid_session.conf"), join(switched, "grid_session.conf"));
    writeFileSync(join(switched, "main.conf"), configuration.replaceAll(folder, switched).replace(new URL(url).host, `127.0.0.1:${port}`).replace("# ~^OPTIONS:. 1;", "~^OPTIONS:. 1;"));
    const other = spawn("nginx", ["-p", switched, "-c", join(switched, "main.conf")], { stdio: "inherit" });
    try {
      await asks(`http://127.0.0.1:${port}`);
    } finally {
      other.kill("SIGTERM");
    }

    async function asks(base) {
      for (let attempt = 0; ; attempt++) {
        try {
          await ask("GET", "/", {}, "", base);
          break;
        } catch (failure) {
          if (attempt > 100) throw failure;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      for (const path of ["/api/x", "/admin/x"]) {
        const answer = await ask("OPTIONS", path, forged, "", base);
        assert.equal(answer.status, 200, path);
        assert.equal(answer.headers["access-control-allow-origin"], "https://pages.example");
        const { host, connection, ...told } = seen.at(-1);
        assert.deepEqual(told, preflight);
      }

      // Everything else is asked as before.
      const count = asked.length;
      assert.equal((await ask("OPTIONS", "/api/x", { origin: "https://pages.example" }, "", base)).status, 401);
      assert.equal((await ask("GET", "/api/x", preflight, "", base)).status, 401);
      assert.equal((await ask("PUT", "/admin/x", preflight, "", base)).status, 401);
      assert.equal(asked.length, count);
    }
  });

  it("lets strangers see what is public, and says whose session it is if there is one", async () => {
    const open = (headers) => fetch(`${url}/public/page`, { headers });
    const forged = { "x-grid-user": "root", "x-grid-session": "s", "x-grid-tenant": "t", "x-grid-claim-role": "admin" };
    assert.equal((await open(forged)).status, 200);
    assert.deepEqual(Object.keys(seen.at(-1)).filter((name) => name.startsWith("x-grid-")), []);

    const { cookie, handle } = await signIn({ role: "reader" });
    assert.equal((await open({ cookie, ...forged })).status, 200);
    assert.deepEqual([seen.at(-1)["x-grid-user"], seen.at(-1)["x-grid-session"], seen.at(-1)["x-grid-claim-role"]], ["%C3%A4%20user", handle, "reader"]);

    // A session that has ended is no stranger's, once: that clears its tokens.
    await grid.call("POST", "/recipe/session/remove", { sessionHandles: [handle] });
    const ended = await open({ cookie });
    assert.deepEqual([ended.status, await ended.json()], [401, { message: "unauthorised" }]);

    // Nothing else is public by being named so.
    const before = asked.length;
    for (const path of ["/public/../admin/x", "/public/%2e%2e/page", "/public/..%2fpage", "/public/..;/page", "/public/x/../../page"]) {
      assert.ok([400, 401, 403].includes(await raw(path, {})), path);
    }
    for (const path of ["/PUBLIC/page", "/publication", "/x/public/"]) {
      assert.equal(await raw(path, {}), 401, path);
    }
    // nginx's own answer: to the name with the slash.
    assert.equal(await raw("/public", {}), 301);
    assert.equal(asked.length, before);
  });

  it("refuses with what the browser SDKs need", async () => {
    const before = seen.length;
    const response = await fetch(`${url}/page`, { headers: { "x-grid-user": "root" } });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.deepEqual(await response.json(), { message: "unauthorised" });
    assert.equal(seen.length, before);
  });

  it("asks for anti-CSRF by the method of the request, which the client cannot talk away", async () => {
    const { cookie } = await signIn();
    const post = (headers) => fetch(`${url}/act`, { method: "POST", body: "x", headers: { cookie, ...headers } });
    assert.deepEqual(await (await post({ "x-forwarded-method": "GET", "x-original-method": "GET" })).json(), { message: "try refresh token" });
    assert.equal((await post({ rid: "anti-csrf" })).status, 200);
  });

  it("asks for claims where the location does", async () => {
    const admin = await signIn({ role: "admin" });
    const reader = await signIn({ role: "reader" });
    assert.equal((await fetch(`${url}/admin/x`, { headers: { cookie: admin.cookie } })).status, 200);
    const refused = await fetch(`${url}/admin/x`, { headers: { cookie: reader.cookie } });
    assert.equal(refused.status, 403);
    assert.equal((await refused.json()).claimValidationErrors[0].id, "role");
  });

  it("refuses a revoked session at once, and an outage signs nobody out", async () => {
    const { cookie, handle } = await signIn();
    const other = await signIn();
    await grid.call("POST", "/recipe/session/remove", { sessionHandles: [handle] });
    assert.equal((await fetch(`${url}/page`, { headers: { cookie } })).status, 401);
    assert.equal((await fetch(`${url}/page`, { headers: { cookie: other.cookie } })).status, 200);
    await grid.stop();
    const away = await fetch(`${url}/page`, { headers: { cookie: other.cookie } });
    assert.equal(away.status, 503);
    assert.equal(away.headers.get("retry-after"), "1");
  });
});
