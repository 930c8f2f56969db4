// What the SDK promises to back ends, run against Grid on either engine.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import * as jose from "jose";
import { Grid } from "./grid.mjs";
import { Client, JWT, Multitenancy, Session, initSdk, listen, roles, thefts } from "./service.mjs";

const ownKey = "end-to-end-key-0123456789";

export function sessionSuite(engine, prepare) {
  describe(`supertokens-node on ${engine}`, async () => {
    const place = await prepare();
    if (place === null) {
      it.skip(`everything on ${engine}: no database on this machine`, () => {});
      return;
    }

    // Not of ours to kill, and with a log of its own: what needs that is left to the suites that start one.
    const itWhereStarted = place.given ? () => {} : it;
    const apiKey = place.given ? place.given.apiKey : ownKey;
    let grid, service;
    const user = () => `user-${randomUUID()}`;
    const login = async (name, body, mode) => {
      const client = new Client(service.url, mode);
      const answer = await client.post(`/login/${name}`, body);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      client.handle = answer.body.handle;
      return client;
    };

    before(async () => {
      grid = place.given ? Grid.at(place.given) : await Grid.start({ ...place.settings, API_KEYS: `${apiKey},second-key-0123456789abc` });
      const appId = randomUUID();
      const made = await grid.call("PUT", "/recipe/multitenancy/app/v2", { appId }, { "api-key": apiKey });
      assert.deepEqual(made.json, { status: "OK", createdNew: true });
      initSdk(`${grid.url}/appid-${appId}`, apiKey);
      service = await listen();
    });
    after(async () => {
      await service?.close();
      await grid?.stop();
      place.close?.();
    });

    for (const mode of ["cookie", "header"]) {
      it(`creates, verifies, refreshes and signs out by ${mode}`, async () => {
        const name = user();
        const client = await login(name, { payload: { plan: "pro", n: 1.5 } }, mode);
        const me = await client.get("/me");
        assert.equal(me.status, 200);
        assert.equal(me.body.user, name);
        assert.equal(me.body.payload.plan, "pro");
        assert.equal(me.body.payload.n, 1.5);
        assert.equal((await client.get("/me/checked")).status, 200);
        const before = client.mode === "header" ? client.refresh : client.cookies.get("sRefreshToken");
        const refreshed = await client.post("/auth/session/refresh");
        assert.equal(refreshed.status, 200);
        const afterwards = client.mode === "header" ? client.refresh : client.cookies.get("sRefreshToken");
        assert.notEqual(afterwards, before);
        assert.equal((await client.get("/me")).body.handle, client.handle);
        assert.equal((await client.post("/auth/signout")).status, 200);
        assert.equal(await Session.getSessionInformation(client.handle), undefined);
        assert.equal((await client.get("/maybe")).body.user, null);
        assert.equal((await client.get("/me")).status, 401);
      });
    }

    it("sees a revocation by the back end at the next database check", async () => {
      const client = await login(user());
      assert.equal(await Session.revokeSession(client.handle), true);
      assert.equal(await Session.revokeSession(client.handle), false);
      assert.equal((await client.get("/me")).status, 200, "without a look-up the SDK accepts until expiry");
      assert.equal((await client.get("/me/checked")).status, 401);
      assert.equal((await client.post("/auth/session/refresh")).status, 401);
    });

    it("lists and revokes a user's sessions, one tenant or all", async () => {
      const name = user();
      assert.equal((await Multitenancy.createOrUpdateTenant("t1", {})).createdNew, true);
      assert.equal((await Multitenancy.createOrUpdateTenant("t1", {})).createdNew, false);
      const here = await login(name);
      const there = await login(name, { tenantId: "t1" });
      assert.equal((await there.get("/me")).body.tenant, "t1");
      assert.match(there.handle, /_t1$/);
      assert.deepEqual(new Set(await Session.getAllSessionHandlesForUser(name)), new Set([here.handle, there.handle]));
      assert.deepEqual(await Session.getAllSessionHandlesForUser(name, true, "t1"), [there.handle]);
      assert.deepEqual(await Session.revokeAllSessionsForUser(name, true, "t1"), [there.handle]);
      assert.deepEqual(await Session.getAllSessionHandlesForUser(name), [here.handle]);
      const again = await login(name, { tenantId: "t1" });
      assert.deepEqual(new Set(await Session.revokeAllSessionsForUser(name)), new Set([here.handle, again.handle]));
      assert.deepEqual(await Session.getAllSessionHandlesForUser(name), []);
      assert.equal((await here.get("/me/checked")).status, 401);
    });

    it("revokes several by handle and tells which there were", async () => {
      const [a, b] = [await login(user()), await login(user())];
      assert.deepEqual(new Set(await Session.revokeMultipleSessions([a.handle, b.handle, randomUUID(), "nonsense"])), new Set([a.handle, b.handle]));
    });

    it("reads and updates what is stored with a session", async () => {
      const name = user();
      const client = await login(name, { payload: { a: 1 }, data: { cart: ["x"] } });
      const info = await Session.getSessionInformation(client.handle);
      assert.equal(info.userId, name);
      assert.deepEqual(info.sessionDataInDatabase, { cart: ["x"] });
      assert.equal(info.customClaimsInAccessTokenPayload.a, 1);
      assert.equal(info.tenantId, "public");
      assert.equal(await Session.updateSessionDataInDatabase(client.handle, { cart: [], "ключ": "ü" }), true);
      assert.deepEqual((await Session.getSessionInformation(client.handle)).sessionDataInDatabase, { cart: [], "ключ": "ü" });
      assert.equal(await Session.updateSessionDataInDatabase(randomUUID(), {}), false);
      assert.equal(await Session.mergeIntoAccessTokenPayload(client.handle, { b: 2 }), true);
      await client.post("/auth/session/refresh");
      assert.equal((await client.get("/me")).body.payload.b, 2);
    });

    it("merges into the payload of the running session at once", async () => {
      const client = await login(user());
      assert.equal((await client.post("/merge", { seen: true })).body.payload.seen, true);
      assert.equal((await client.get("/me")).body.payload.seen, true);
      await client.post("/auth/session/refresh");
      assert.equal((await client.get("/me")).body.payload.seen, true);
    });

    it("answers 403 with the failing claim, and lets through when it is mended", async () => {
      const name = user();
      const client = await login(name);
      const refused = await client.get("/admin");
      assert.equal(refused.status, 403);
      assert.equal(refused.body.message, "invalid claim");
      assert.equal(refused.body.claimValidationErrors[0].id, "role");
      roles.set(name, "admin");
      assert.equal((await client.post("/claim")).body.role, "admin");
      assert.equal((await client.get("/admin")).status, 200);
      roles.delete(name);
      await client.post("/unclaim");
      assert.equal((await client.get("/admin")).status, 403, "fetched anew, it is a guest again");
    });

    it("detects the theft of a refresh token and ends the session", async () => {
      const client = await login(user());
      const thief = client.clone();
      await client.post("/auth/session/refresh");
      assert.equal((await client.get("/me")).status, 200, "the first use of the new token settles it");
      const stolen = await thief.post("/auth/session/refresh");
      assert.equal(stolen.status, 401);
      assert.equal(stolen.body.message, "token theft detected");
      assert.equal(thefts.at(-1).handle, client.handle);
      assert.equal((await client.get("/me/checked")).status, 401);
    });

    it("lets N concurrent refreshes of one token end in one usable session", async () => {
      const client = await login(user());
      const tabs = Array.from({ length: 8 }, () => client.clone());
      const answers = await Promise.all(tabs.map((tab) => tab.post("/auth/session/refresh")));
      assert.ok(answers.every((answer) => answer.status === 200), answers.map((a) => a.status).join());
      assert.equal((await tabs[0].get("/me/checked")).status, 200);
    });

    it("creates JWTs that others verify with the published keys, access tokens too", async () => {
      const { keys } = await JWT.getJWKS();
      const keySet = jose.createLocalJWKSet({ keys });
      for (const useStaticKey of [true, false]) {
        const { jwt } = await JWT.createJWT({ sub: "svc", n: 7 }, 60, useStaticKey);
        const { payload, protectedHeader } = await jose.jwtVerify(jwt, keySet);
        assert.equal(payload.n, 7);
        assert.match(protectedHeader.kid, useStaticKey ? /^s-/ : /^d-/);
      }
      const client = await login(user(), { payload: { x: "é😀" } }, "header");
      const { payload, protectedHeader } = await jose.jwtVerify(client.access, keySet);
      assert.equal(payload.sessionHandle, client.handle);
      assert.equal(payload.x, "é😀");
      assert.equal(protectedHeader.version, "5");
      assert.equal(protectedHeader.alg, "RS256");
    });

    it("ends a tenant's sessions with the tenant", async () => {
      await Multitenancy.createOrUpdateTenant("gone", { firstFactors: ["emailpassword"] });
      assert.deepEqual((await Multitenancy.getTenant("gone")).firstFactors, ["emailpassword"]);
      assert.ok((await Multitenancy.listAllTenants()).tenants.some((t) => t.tenantId === "gone"));
      const client = await login(user(), { tenantId: "gone" });
      assert.equal((await Multitenancy.deleteTenant("gone")).didExist, true);
      assert.equal(await Multitenancy.getTenant("gone"), undefined);
      await assert.rejects(Session.getSessionInformation(client.handle), /Tenant with the following/);
      await Multitenancy.createOrUpdateTenant("gone", {});
      assert.equal(await Session.getSessionInformation(client.handle), undefined, "a namesake has none of its sessions");
    });

    itWhereStarted("wants the API key, any of those configured", async () => {
      for (const headers of [{}, { "api-key": "wrong-key-0123456789abcdef" }]) {
        const refused = await grid.call("GET", "/apiversion", undefined, headers);
        assert.deepEqual([refused.status, refused.text], [401, "Invalid API key\n"]);
      }
      for (const headers of [{ "api-key": apiKey }, { authorization: "Bearer second-key-0123456789abc" }, { authorization: apiKey }]) {
        assert.equal((await grid.call("GET", "/apiversion", undefined, headers)).status, 200);
      }
      assert.equal((await grid.call("GET", "/hello")).text, "Hello\n");
    });

    it("keeps settings per app: a token that lives a second asks for a refresh", async () => {
      const appId = randomUUID();
      await grid.call("PUT", "/recipe/multitenancy/app/v2", { appId, coreConfig: { access_token_validity: 1, access_token_validity_jitter: 0 } }, { "api-key": apiKey });
      const headers = { "api-key": apiKey, "cdi-version": "5.4" };
      const created = await grid.call("POST", `/appid-${appId}/recipe/session`, { userId: "u", enableAntiCsrf: false, userDataInJWT: {}, userDataInDatabase: {} }, headers);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const verified = await grid.call("POST", `/appid-${appId}/recipe/session/verify`, { accessToken: created.json.accessToken.token, enableAntiCsrf: false, doAntiCsrfCheck: false, checkDatabase: false }, headers);
      assert.equal(verified.json.status, "TRY_REFRESH_TOKEN");
    });

    itWhereStarted("finds after kill -9 and restart what was acknowledged before", async () => {
      const name = user();
      const [kept, ended] = [await login(name), await login(name)];
      await Session.revokeSession(ended.handle);
      await kept.post("/auth/session/refresh");
      await grid.kill();
      await grid.launch();
      assert.equal((await kept.get("/me/checked")).status, 200);
      assert.deepEqual(await Session.getAllSessionHandlesForUser(name), [kept.handle]);
      assert.equal((await kept.post("/auth/session/refresh")).status, 200);
      assert.equal((await ended.get("/me/checked")).status, 401);
    });

    itWhereStarted("logs no token, cookie, key or hash", async () => {
      assert.ok(grid.log.includes("Ready"), "the log is captured");
      assert.ok(!grid.log.includes(apiKey));
      assert.ok(!/eyJ[A-Za-z0-9_-]{20,}/.test(grid.log), "no JWT");
      assert.ok(!/[0-9a-f]{64}/.test(grid.log), "no hash");
    });
  });
}
