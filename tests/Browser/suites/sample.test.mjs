// The React sample against both of its APIs.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Grid, freePort, given } from "../../EndToEnd/support/grid.mjs";
import { apiNames, startApi, webRoot } from "../support/apis.mjs";
import { ask, launch, pass, record, signIn } from "../support/chromium.mjs";
import { startSite } from "../support/site.mjs";

// What the SDK told the application of the session's end.
const events = (page) => page.evaluate(() => performance.getEntriesByType("mark")
  .map((mark) => mark.name).filter((name) => /^session (UNAUTHORISED|SIGN_OUT)$/.test(name)).map((name) => name.slice(8)));

const LIFE = 2; // seconds, of access tokens in the app "short"

for (const name of apiNames) {
  describe(`React with ${name}`, { timeout: 600_000 }, () => {
    let grid, site, browser;
    const stops = [];

    before(async () => {
      grid = await Grid.start();
      await grid.call("PUT", "/recipe/multitenancy/app/v2", { appId: "short", coreConfig: { access_token_validity: LIFE } });
      await grid.call("PUT", "/recipe/multitenancy/app/v2", { appId: "brief", coreConfig: { access_token_validity: 1, refresh_token_validity: 0.05 } });
      if (given()) {
        const made = await grid.call("PUT", "/recipe/multitenancy/app/v2", { appId: "hour", coreConfig: { access_token_validity: 3600, refresh_token_validity: 144000 } });
        assert.equal(made.status, 200, made.text);
      }
      site = await startSite();
      browser = await launch("--host-resolver-rules=MAP *.grid.test 127.0.0.1");
    });

    after(async () => {
      await browser?.close();
      await Promise.all(stops.map((stop) => stop()));
      await site?.stop();
      await grid?.stop();
    });

    // An API of this kind, a fresh browser profile, and the page open in it.
    // The installation's own validity is what the front's suite needs where one Grid serves both.
    async function open({ app = given() ? "hour" : undefined, mode = "cookie", host = "localhost", siteHost = host, config = {}, ...environment } = {}) {
      const port = await freePort();
      const url = `http://${host}:${port}`;
      const origin = `http://${siteHost}:${site.port}`;
      const settings = { port, GRID_URI: grid.url + (app ? `/appid-${app}` : ""), API_DOMAIN: url, WEBSITE_DOMAIN: origin, ...environment };
      const api = await startApi(name, settings);
      stops.push(api.stop);
      site.config = { apiDomain: url, websiteDomain: origin, tokenTransferMethod: mode, ...config };
      const context = await browser.newContext();
      const page = await context.newPage();
      const userId = `user-${randomUUID()}`;
      const opened = {
        api, url, origin, settings, context, page, userId, core: app ? `/appid-${app}` : "",
        calls: record(page),
        lives: async (handle) => (await grid.call("GET", `${opened.core}/recipe/session?sessionHandle=${handle}`)).json.status === "OK",
        endAll: () => fetch(`${url}/api/end-all`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ userId }) }),
      };
      await signIn(page, origin, userId);
      return opened;
    }

    it("signs in, calls by fetch and axios, and signs out with its own redirect", async () => {
      const { page, userId, lives, context } = await open();
      const me = await ask(page, "fetch");
      assert.equal(me.userId, userId);
      assert.deepEqual(await ask(page, "axios"), me);
      assert.deepEqual(await ask(page, "note"), { ok: true });
      assert.ok(await lives(me.sessionHandle));
      await page.getByTestId("sign-out").click();
      await page.getByTestId("signed-out").waitFor();
      assert.ok(!(await lives(me.sessionHandle)));
      assert.deepEqual((await context.cookies()).filter((c) => c.name.startsWith("s") && c.name.endsWith("Token") && c.value), []);
      await page.goto(page.url().replace("/?signed-out", "/app"));
      await page.getByTestId("sign-in").waitFor();
    });

    it("leaves the console clean from the sign-in to the sign-out, as the sample is configured", async () => {
      const shipped = JSON.parse(readFileSync(join(webRoot, "config.json"), "utf8"));
      const { context, url, origin } = await open();
      const page = await context.newPage();
      const said = [];
      page.on("console", (message) => ["warning", "error"].includes(message.type()) && said.push(message.text()));
      page.on("pageerror", (failure) => said.push(failure.message));
      page.on("requestfailed", (request) => said.push(`failed: ${request.url()}`));
      site.config = { ...shipped, apiDomain: url, websiteDomain: origin };
      await signIn(page, origin, `user-${randomUUID()}`);
      for (const button of ["fetch", "axios", "note", "verify-email", "verified"]) await ask(page, button);
      await page.getByTestId("sign-out").click();
      await page.getByTestId("signed-out").waitFor();
      assert.deepEqual(said, []);
    });

    it("refreshes silently when the access token has expired", async () => {
      const { page, calls } = await open({ app: "short" });
      const before = await ask(page, "fetch");
      await pass(LIFE + 0.2);
      calls.length = 0;
      const afterwards = await ask(page, "axios");
      assert.equal(afterwards.sessionHandle, before.sessionHandle);
      assert.deepEqual(calls, ["GET /api/me", "POST /auth/session/refresh", "GET /api/me"]);
    });

    it("signs out with an expired access token by refreshing first and revoking then", async () => {
      const { page, calls, lives } = await open({ app: "short" });
      const { sessionHandle } = await ask(page, "fetch");
      await pass(LIFE + 0.2);
      calls.length = 0;
      await page.getByTestId("sign-out").click();
      await page.getByTestId("signed-out").waitFor();
      assert.deepEqual(calls, ["POST /auth/session/refresh", "POST /auth/signout"]);
      assert.ok(!(await lives(sessionHandle)));
    });

    it("lets two tabs refresh at once", async () => {
      const { page, context, origin, lives } = await open({ app: "short" });
      const second = await context.newPage();
      await second.goto(`${origin}/app`);
      await second.getByTestId("user").waitFor();
      for (let round = 0; round < 3; round++) {
        await pass(LIFE + 0.2);
        const [left, right] = await Promise.all([ask(page, "fetch"), ask(second, "axios")]);
        assert.equal(left.sessionHandle, right.sessionHandle);
        assert.ok(await lives(left.sessionHandle));
      }
    });

    it("sees a revocation at the next call and tells the page", async () => {
      const { page, endAll } = await open();
      await ask(page, "fetch");
      assert.deepEqual(await (await endAll()).json(), { ended: 1 });
      await page.getByTestId("fetch").click();
      await page.getByTestId("expired").waitFor();
    });

    // supertokens-node has no such events.
    if (name === "dotnet") it("tells every page at once, without a call of theirs, that the session was revoked", async () => {
      const { page, context, origin, endAll } = await open({ config: { sessionEvents: true } });
      const other = await context.newPage();
      await other.goto(`${origin}/app`);
      await other.getByTestId("user").waitFor();
      // One of them listens for both; it has to have begun.
      await page.waitForTimeout(1_500);
      await endAll();
      await page.getByTestId("expired").waitFor();
      await other.getByTestId("expired").waitFor();
      await page.waitForTimeout(1_500);
      for (const one of [page, other]) assert.deepEqual(await events(one), ["UNAUTHORISED"]);
    });

    if (name === "dotnet") for (const mode of ["cookie", "header"]) {
      it(`tells the other pages of a sign-out once and the page that signed out nothing (${mode})`, async () => {
        const { page, context, origin, url } = await open({ mode, config: { sessionEvents: true } });
        const other = await context.newPage();
        await other.goto(`${origin}/app`);
        await other.getByTestId("user").waitFor();
        await page.waitForTimeout(1_500);
        // Without the sample's own way out, which leaves the page.
        await page.evaluate((api) => fetch(`${api}/auth/signout`, { method: "POST", headers: { rid: "session" } }).then((answer) => answer.json()), url);
        await other.getByTestId("expired").waitFor();
        await page.waitForTimeout(1_500);
        assert.deepEqual(await events(page), ["SIGN_OUT"]);
        assert.deepEqual(await events(other), ["UNAUTHORISED"]);
      });

      it(`tells of an end elsewhere once (${mode})`, async () => {
        const { page, endAll } = await open({ mode, config: { sessionEvents: true } });
        await page.waitForTimeout(1_500);
        await endAll();
        await page.getByTestId("expired").waitFor();
        await page.waitForTimeout(1_500);
        assert.deepEqual(await events(page), ["UNAUTHORISED"]);
      });
    }

    it("tells the page when the refresh token's life has passed", async () => {
      const { page } = await open({ app: "brief" });
      await pass(3.3);
      await page.getByTestId("fetch").click();
      await page.getByTestId("expired").waitFor();
    });

    it("works by headers, also over a reload", async () => {
      const { page, context, userId, calls } = await open({ app: "short", mode: "header" });
      assert.equal((await ask(page, "fetch")).userId, userId);
      assert.ok(!(await context.cookies()).some((c) => c.name === "sAccessToken"));
      await page.reload();
      await page.getByTestId("user").waitFor();
      await pass(LIFE + 0.2);
      calls.length = 0;
      assert.equal((await ask(page, "axios")).userId, userId);
      assert.ok(calls.includes("POST /auth/session/refresh"));
      await page.getByTestId("sign-out").click();
      await page.getByTestId("signed-out").waitFor();
    });

    it("works across sites, where a request needs the SDK's header", async () => {
      // localhost and an address are two sites, and the only two that may use SameSite=None without https.
      const { page, context, userId, url } = await open({ siteHost: "127.0.0.1", mode: "header" });
      assert.equal((await ask(page, "fetch")).userId, userId);
      assert.deepEqual(await ask(page, "note"), { ok: true });
      const preflight = await context.request.fetch(`${url}/api/notes`, { method: "OPTIONS", headers: { origin: "http://attacker.example", "access-control-request-method": "POST" } });
      assert.notEqual(preflight.headers()["access-control-allow-origin"], "http://attacker.example");
    });

    it("refuses a state change without the anti-CSRF token", async () => {
      const { page, context, url } = await open({ ANTI_CSRF: "VIA_TOKEN" });
      assert.deepEqual(await ask(page, "note"), { ok: true });
      const forged = await context.request.post(`${url}/api/notes`, { data: { text: "forged" } });
      assert.equal(forged.status(), 401);
      assert.deepEqual(await forged.json(), { message: "try refresh token" });
      assert.equal((await context.request.get(`${url}/api/me`)).status(), 200);
    });

    it("refuses a state change without the custom header", async () => {
      const { page, context, url } = await open({ ANTI_CSRF: "VIA_CUSTOM_HEADER" });
      assert.deepEqual(await ask(page, "note"), { ok: true });
      assert.equal((await context.request.post(`${url}/api/notes`, { data: { text: "forged" } })).status(), 401);
      assert.equal((await context.request.post(`${url}/api/notes`, { data: { text: "mine" }, headers: { rid: "anti-csrf" } })).status(), 200);
    });

    it("goes on with the session over a change of cookie domain", async () => {
      const { api, page, context, settings, userId, calls } = await open({
        app: "short", host: "api.grid.test", siteHost: "app.grid.test", COOKIE_DOMAIN: ".grid.test",
        config: { sessionTokenBackendDomain: ".grid.test" },
      });
      const before = await ask(page, "fetch");
      await api.stop();
      stops.splice(stops.indexOf(api.stop), 1);
      const changed = await startApi(name, { ...settings, COOKIE_DOMAIN: "api.grid.test", OLDER_COOKIE_DOMAIN: ".grid.test" });
      stops.push(changed.stop);
      await pass(LIFE + 0.2);
      // supertokens-node's answer that clears the duplicates lacks the front token, which the SDK reports once as an error.
      const after = name === "express" ? await ask(page, "fetch").catch(() => ask(page, "fetch")) : await ask(page, "fetch");
      assert.equal(after.sessionHandle, before.sessionHandle);
      assert.equal(after.userId, userId);
      assert.ok(calls.filter((call) => call === "POST /auth/session/refresh").length >= 2);
      const domains = (await context.cookies(settings.API_DOMAIN + "/auth/session/refresh")).filter((c) => /^s(Access|Refresh)Token$/.test(c.name) && c.value).map((c) => c.domain);
      assert.deepEqual(domains.map((d) => d.replace(/^\./, "")), ["api.grid.test", "api.grid.test"]);
    });

    it("shows a claim that fails, and goes on when it is mended", async () => {
      const { page } = await open();
      const refused = await ask(page, "verified");
      assert.equal(refused.invalidClaims[0].id, "email-verified");
      assert.equal(refused.invalidClaims[0].reason.message, "value does not exist");
      assert.deepEqual(await ask(page, "verify-email"), { ok: true });
      assert.deepEqual(await ask(page, "verified"), { ok: true });
      await page.waitForFunction(() => document.querySelector('[data-testid="claim"]').textContent === "true");
    });
  });
}
