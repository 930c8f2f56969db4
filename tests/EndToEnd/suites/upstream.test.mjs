// Express with the recipes that people have, against Grid before a core that stands for SuperTokens'.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import express from "express";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import AccountLinking from "supertokens-node/recipe/accountlinking/index.js";
import Dashboard from "supertokens-node/recipe/dashboard/index.js";
import EmailPassword from "supertokens-node/recipe/emailpassword/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import ThirdParty from "supertokens-node/recipe/thirdparty/index.js";
import UserMetadata from "supertokens-node/recipe/usermetadata/index.js";
import UserRoles from "supertokens-node/recipe/userroles/index.js";
import { Grid } from "../support/grid.mjs";
import { Upstream } from "../support/upstream.mjs";

const gridKey = "the-key-that-back-ends-show-to-grid";

// Answered by Grid: never seen behind.
const grids = (path) => /^\/(public\/)?(recipe\/session|recipe\/jwt|\.well-known|apiversion)/.test(path);

describe("before a SuperTokens core", () => {
  let core, grid, server, url;
  const sent = [];
  before(async () => {
    core = await Upstream.start();
    grid = await Grid.start({ API_KEYS: gridKey, Grid__Upstream__Uri: core.url, Grid__Upstream__ApiKey: core.key });
    grid.apiKey = gridKey;
    supertokens.init({
      framework: "express",
      supertokens: {
        connectionURI: grid.url,
        apiKey: gridKey,
        networkInterceptor: (request) => {
          const path = new URL(request.url).pathname;
          const query = new URLSearchParams(Object.entries(request.params ?? {}).filter(([, value]) => value !== undefined)).toString();
          sent.push({ method: request.method.toUpperCase(), url: path + (query && `?${query}`), headers: request.headers, body: request.body === undefined ? "" : JSON.stringify(request.body) });
          return request;
        },
      },
      appInfo: { appName: "e2e", apiDomain: "http://localhost:3001", websiteDomain: "http://localhost:3000" },
      recipeList: [
        EmailPassword.init(), ThirdParty.init(), UserRoles.init(), UserMetadata.init(), Dashboard.init(),
        Session.init({ antiCsrf: "NONE", cookieSecure: false, getTokenTransferMethod: () => "header" }),
      ],
    });
    const app = express();
    app.use(middleware());
    app.get("/me", verifySession({ checkDatabase: true }), (request, response) => response.json({ user: request.session.getUserId() }));
    app.get("/who", verifySession({ checkDatabase: true }), ({ session }, response) => response.json({ user: session.getUserId(), account: session.getRecipeUserId().getAsString() }));
    app.use(errorHandler());
    app.use((failure, _request, response, _next) => response.status(500).json({ message: failure.message }));
    await new Promise((resolve) => (server = app.listen(0, "127.0.0.1", resolve)));
    url = `http://127.0.0.1:${server.address().port}`;
  });
  after(async () => {
    server?.closeAllConnections();
    server?.close();
    await grid?.stop();
    await core?.stop().catch(() => {});
  });

  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, { method, headers: { "content-type": "application/json", "st-auth-mode": "header", ...headers }, body: body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, json: text.startsWith("{") ? JSON.parse(text) : undefined, text, access: response.headers.get("st-access-token"), refresh: response.headers.get("st-refresh-token") };
  };
  const bearer = (token) => ({ authorization: `Bearer ${token}` });
  const form = (email) => ({ formFields: [{ id: "email", value: email }, { id: "password", value: "correct-horse-1" }] });

  it("signs up and in, with roles in the session, metadata, a provider's user and the dashboard", async () => {
    const up = await call("POST", "/auth/signup", form("alice@example.com"));
    assert.equal(up.json?.status, "OK", up.text);
    const userId = up.json.user.id;
    assert.deepEqual((await call("GET", "/me", undefined, bearer(up.access))).json, { user: userId });
    assert.equal((await call("POST", "/auth/signup", form("alice@example.com"))).json.status, "FIELD_ERROR");

    assert.equal((await UserRoles.createNewRoleOrAddPermissions("admin", ["read", "write"])).status, "OK");
    assert.equal((await UserRoles.addRoleToUser("public", userId, "admin")).status, "OK");
    assert.deepEqual((await UserMetadata.updateUserMetadata(userId, { nickname: "Älice", nested: { a: [1, null] } })).metadata, { nickname: "Älice", nested: { a: [1, null] } });
    assert.deepEqual((await UserMetadata.getUserMetadata(userId)).metadata.nickname, "Älice");

    const signedIn = await call("POST", "/auth/signin", form("alice@example.com"));
    assert.equal(signedIn.json?.status, "OK", signedIn.text);
    const payload = JSON.parse(Buffer.from(signedIn.access.split(".")[1], "base64url"));
    assert.deepEqual([payload["st-role"].v, payload["st-perm"].v], [["admin"], ["read", "write"]]);
    assert.equal((await call("POST", "/auth/signin", { formFields: [{ id: "email", value: "alice@example.com" }, { id: "password", value: "wrong-horse-1" }] })).json.status, "WRONG_CREDENTIALS_ERROR");

    const other = await ThirdParty.manuallyCreateOrUpdateUser("public", "github", "gh-1", "bob@example.com", false);
    assert.equal(other.status, "OK");
    assert.equal((await supertokens.getUser(other.user.id)).thirdParty[0].id, "github");
    assert.equal(await supertokens.getUserCount(), 2);

    const dashboard = await call("POST", "/auth/dashboard/api/signin", { email: "admin@example.com", password: "x" });
    assert.equal(dashboard.json?.status, "OK", dashboard.text);
    const users = await call("GET", "/auth/dashboard/api/users?limit=10", undefined, bearer(dashboard.json.sessionId));
    assert.equal(users.json?.users.length, 2, users.text);
    const sessions = await call("GET", `/auth/dashboard/api/user/sessions?userId=${userId}`, undefined, bearer(dashboard.json.sessionId));
    assert.equal(sessions.json?.sessions.length, 2, sessions.text);
  });

  it("passed on every request as the SDK wrote it, in a version that both serve, and none of sessions", () => {
    const expected = sent.filter(({ url }) => !grids(url));
    assert.ok(expected.length > 15, `${expected.length} requests`);

    // What the SDK sends at once may arrive in any order. Grid asks by itself who is linked with a user, under no agent's name.
    const passed = core.requests.filter(({ headers }) => headers["user-agent"]);
    const line = ({ method, url, headers, body }) => JSON.stringify([method, url, headers["cdi-version"], headers["content-type"], headers.rid, body]);
    assert.deepEqual(passed.map(line).sort(), expected.map(line).sort());
    assert.ok(passed.every(({ headers }) => headers["cdi-version"] === "5.4"));
    assert.ok(core.requests.every(({ headers }) => Upstream.versions.includes(headers["cdi-version"]) && !Object.values(headers).includes(gridKey)));
    assert.equal(core.requests.filter(({ url }) => grids(url)).length, 0);
  });

  it("answers with the core's own bytes, refusals included", async () => {
    for (const [method, path, body] of [
      ["GET", "/users/count"], ["GET", "/recipe/role/permissions?role=%20no%2Fsuch"], ["POST", "/recipe/signin", { email: "x" }], ["GET", "/recipe/no/such"], ["PUT", "/public/recipe/user/metadata", { userId: "u", metadataUpdate: { a: "ü" } }],
    ]) {
      const headers = (key) => ({ "api-key": key, "cdi-version": "5.3", "content-type": "application/json" });
      const [direct, through] = await Promise.all([[core.url, core.key], [grid.url, gridKey]].map(async ([place, key]) => {
        const response = await fetch(place + path, { method, headers: headers(key), body: body && JSON.stringify(body) });
        return [response.status, response.headers.get("content-type"), await response.text()];
      }));
      assert.deepEqual(through, direct, `${method} ${path}`);
    }
  });

  it("has ended a removed user's sessions before the core hears of it", async () => {
    const up = await call("POST", "/auth/signup", form("carol@example.com"));
    let then;
    core.beforeRemoval = async () => (then = (await call("GET", "/me", undefined, bearer(up.access))).status);
    assert.equal((await supertokens.deleteUser(up.json.user.id)).status, "OK");
    assert.equal(then, 401);
    assert.equal((await call("GET", "/me", undefined, bearer(up.access))).status, 401);
    assert.equal((await call("POST", "/auth/signin", form("carol@example.com"))).json.status, "WRONG_CREDENTIALS_ERROR");
  });

  it("takes linked accounts for one user who signed in by one of them", async () => {
    const primary = (await call("POST", "/auth/signup", form("dora@example.com"))).json.user.id;
    const other = await call("POST", "/auth/signup", form("dora.work@example.com"));
    const account = other.json.user.id;
    assert.deepEqual((await call("GET", "/who", undefined, bearer(other.access))).json, { user: account, account });
    assert.equal((await AccountLinking.createPrimaryUser(supertokens.convertToRecipeUserId(primary))).status, "OK");
    assert.equal((await AccountLinking.linkAccounts(supertokens.convertToRecipeUserId(account), primary)).status, "OK");
    assert.equal((await call("GET", "/who", undefined, bearer(other.access))).status, 401, "it was another user's");

    const signIn = async (email) => {
      const { access, refresh } = await call("POST", "/auth/signin", form(email));
      return { access, refresh, handle: JSON.parse(Buffer.from(access.split(".")[1], "base64url")).sessionHandle };
    };
    const who = async ({ access }) => {
      const { status, json } = await call("GET", "/who", undefined, bearer(access));
      return status === 200 ? json : status;
    };
    let [first, second] = [await signIn("dora@example.com"), await signIn("dora.work@example.com")];
    assert.deepEqual([await who(first), await who(second)], [{ user: primary, account: primary }, { user: primary, account }]);
    const refreshed = await call("POST", "/auth/session/refresh", undefined, bearer(second.refresh));
    assert.deepEqual(await who({ access: refreshed.access }), { user: primary, account });
    const information = await Session.getSessionInformation(second.handle);
    assert.deepEqual([information.userId, information.recipeUserId.getAsString()], [primary, account]);
    assert.deepEqual((await Session.getAllSessionHandlesForUser(primary)).length, 3, "with the one of the sign-up");
    assert.deepEqual(await Session.getAllSessionHandlesForUser(account, false), [second.handle]);

    assert.deepEqual(await Session.revokeAllSessionsForUser(account, false), [second.handle]);
    assert.deepEqual([await who(first), await who({ access: refreshed.access })], [{ user: primary, account: primary }, 401]);
    second = await signIn("dora.work@example.com");
    assert.equal((await Session.revokeAllSessionsForUser(primary, false)).length, 2);
    assert.deepEqual([await who(first), await who(second)], [401, { user: primary, account }]);
    first = await signIn("dora@example.com");
    assert.deepEqual((await Session.revokeAllSessionsForUser(primary)).sort(), [first.handle, second.handle].sort());
    assert.deepEqual([await who(first), await who(second)], [401, 401]);

    [first, second] = [await signIn("dora@example.com"), await signIn("dora.work@example.com")];
    assert.equal((await AccountLinking.unlinkAccount(supertokens.convertToRecipeUserId(account))).status, "OK");
    assert.deepEqual([await who(first), await who(second)], [{ user: primary, account: primary }, 401]);
    assert.deepEqual(await who(await signIn("dora.work@example.com")), { user: account, account });
  });

  it("keeps sessions going while the core is away, says so to the rest, and finds it again", async () => {
    const signedIn = await call("POST", "/auth/signin", form("alice@example.com"));
    core.leave();
    const refused = await call("POST", "/auth/signin", form("alice@example.com"));
    assert.equal(refused.status, 500);
    assert.match(refused.text, /503.*The core behind Grid, 127\.0\.0\.1:\d+, cannot be reached/);
    assert.equal((await call("GET", "/me", undefined, bearer(signedIn.access))).status, 200);
    const refreshed = await call("POST", "/auth/session/refresh", undefined, bearer(signedIn.refresh));
    assert.equal(refreshed.status, 200);
    assert.equal((await call("GET", "/me", undefined, bearer(refreshed.access))).status, 200);
    assert.equal((await fetch(`${grid.url}/health/ready`)).status, 200);
    assert.equal((await call("POST", "/auth/signout", undefined, bearer(refreshed.access))).status, 200);
    assert.equal((await call("GET", "/me", undefined, bearer(refreshed.access))).status, 401);

    core.comeBack();
    assert.equal((await call("POST", "/auth/signin", form("alice@example.com"))).json?.status, "OK");
    assert.equal(grid.log.match(/cannot be reached:/g)?.length, 1, "one line for one outage");
  });
});
