// The package in an Express application with the unmodified SDK, against the real executable.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import express from "express";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import { SessionUnavailableError, gridSessions } from "grid-sessions";
import { Grid } from "../../../tests/EndToEnd/support/grid.mjs";
import { startSample } from "./support/sample.mjs";

const apiKey = "node-package-key-0123456789";
const silo = new URL("../../../src/Silo/bin/Release/net10.0/Grid.Silo.dll", import.meta.url);

const until = async (holds, what) => {
  for (const began = Date.now(); Date.now() - began < 90_000; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`It does not come about: ${what}`);
};

describe("gridSessions() against Grid", { skip: !existsSync(silo) && "the silo is not built in Release" }, () => {
  let grid, sessions, server, url;
  const calls = [];
  const said = [];

  const login = async (user = "anna") => {
    const session = await Session.createNewSessionWithoutRequestResponse("public", supertokens.convertToRecipeUserId(user));
    return { handle: session.getHandle(), token: session.getAccessToken() };
  };
  const me = async ({ token }, path = "/me") => {
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };

  // A starved machine may be late for a renewal: then nobody can tell for a moment.
  const told = async (session) => {
    let answer;
    await until(async () => (answer = await me(session)).status !== 503, "it is told whether the session lives");
    return answer;
  };
  const revoke = async (body) => (await grid.call("POST", "/session/revoke", body, { "api-key": apiKey })).json;

  // A busy machine may take longer than the lease over anything.
  const accepted = (session) => until(async () => (await me(session)).status === 200, "a living session is accepted");

  before(async () => {
    grid = await Grid.start({ API_KEYS: apiKey, Grid__Revocation__Lease: "00:00:03" });
    sessions = gridSessions({ connectionURI: grid.url, apiKey, log: (message) => said.push(message) });
    supertokens.init({
      framework: "express",
      supertokens: {
        connectionURI: grid.url,
        apiKey,
        networkInterceptor: (request) => {
          calls.push(request.url);
          return request;
        },
      },
      appInfo: { appName: "node", apiDomain: "http://localhost:3001", websiteDomain: "http://localhost:3000" },
      recipeList: [Session.init({ antiCsrf: "NONE", override: sessions })],
    });
    const app = express().set("env", "test");
    app.use(middleware());
    app.get("/me", verifySession(), (request, response) => response.json({ user: request.session.getUserId() }));
    app.get("/maybe", verifySession({ sessionRequired: false }), (request, response) => response.json({ user: request.session?.getUserId() ?? null }));
    app.use(errorHandler());
    server = await new Promise((resolve) => {
      const listening = app.listen(0, "127.0.0.1", () => resolve(listening));
    });
    url = `http://127.0.0.1:${server.address().port}`;
  });
  after(async () => {
    await sessions?.close();
    server?.close();
    server?.closeAllConnections();
    await grid?.stop();
  });

  it("checks a known session without a call", async () => {
    const session = await login();
    await accepted(session);
    const before = calls.length;
    for (let i = 0; i < 50; i++) assert.ok([200, 503].includes((await me(session)).status));
    assert.deepEqual(calls.slice(before).filter((call) => call.includes("/recipe/session")), []);
    assert.equal((await me({ token: "nonsense" }, "/maybe")).text, '{"user":null}');
  });

  it("refuses a session from the moment at which its revocation is acknowledged", async () => {
    const [ended, kept] = [await login("bob"), await login("bob")];
    await accepted(ended);
    await accepted(kept);
    const receipt = await revoke({ sessionHandles: [ended.handle] });
    assert.equal(receipt.status, "OK");
    const refused = await told(ended);
    assert.deepEqual([refused.status, refused.text], [401, '{"message":"unauthorised"}']);
    await accepted(kept);
    await revoke({ userId: "bob" });
    assert.equal((await told(kept)).status, 401);
  });

  it("is a holder that revocations wait for", async () => {
    await accepted(await login());
    await until(async () => {
      await login("carl");
      const { holders } = await revoke({ userId: "carl" });
      return holders.confirmed === 2 && holders.waitedOut === 0;
    }, "silo and service confirm");
  });

  it("hears of the end of a session that it watches, and of one that ended before", async () => {
    const session = await login("dora");
    const container = await (async () => {
      for (;;) {
        try {
          return await Session.getSessionWithoutRequestResponse(session.token);
        } catch (failure) {
          assert.ok(failure instanceof SessionUnavailableError, failure);
        }
      }
    })();
    let heard = 0;
    const stop = container.onEnded(() => (heard += 100));
    stop();
    const ended = new Promise((resolve) => container.onEnded(() => resolve(++heard)));
    await revoke({ sessionHandles: [session.handle] });
    await ended;
    await new Promise((resolve) => sessions.onEnded(session.handle, resolve));
    assert.equal(heard, 1);
  });

  it("asks for a refresh when a token's signing key was revoked", async () => {
    const session = await login("emil");
    await accepted(session);
    const { kid } = JSON.parse(Buffer.from(session.token.split(".")[0], "base64url").toString());
    await revoke({ signingKey: kid });
    const refused = await told(session);
    assert.deepEqual([refused.status, refused.text], [401, '{"message":"try refresh token"}']);
    await accepted(await login("emil"));
  });

  for (const sample of ["express", "fastify"]) {
    it(`in samples/${sample} a session ends everywhere, its stream too`, async () => {
      const app = await startSample(sample, { GRID_URI: grid.url, GRID_API_KEY: apiKey });
      const { headers } = await fetch(`${app.url}/sign-in/alice`, { method: "POST", headers: { "st-auth-mode": "header" } });
      const authorized = { headers: { authorization: `Bearer ${headers.get("st-access-token")}` } };

      // 503 while its first connection is on its way, and when a starved machine is late for a renewal.
      const ask = async (path, method = "GET") => {
        let answer;
        await until(async () => (answer = await fetch(app.url + path, { method, ...authorized })).status !== 503, path);
        return answer;
      };
      const me = await ask("/me");
      assert.deepEqual([me.status, await me.json()], [200, { user: "alice" }]);
      const stream = await ask("/events");
      assert.equal((await ask("/sign-out-everywhere", "POST")).status, 200);
      const refused = await ask("/me");
      assert.deepEqual([refused.status, await refused.json()], [401, { message: "unauthorised" }]);
      assert.match(await stream.text(), /event: ended/);
      await app.stop();
    });
  }

  it("answers 503, and never 401, when Grid is away for longer than the lease, and comes back by itself", async () => {
    const session = await login("fred");
    await accepted(session);
    await grid.kill();
    let last;
    await until(async () => {
      last = await me(session);
      assert.ok([200, 503].includes(last.status), last.text);
      return last.status === 503;
    }, "the lease ends");
    assert.equal(last.headers.get("retry-after"), "1");
    assert.equal(sessions.isFresh, false);
    assert.ok(said.some((message) => message.startsWith("There is no connection to Grid")));
    await grid.launch();
    await accepted(session);
  });

  it("accepts a valid token while Grid is away, if the service or the app is bounded, and refuses an ended session", async () => {
    const app = "bounded";
    await grid.call("PUT", "/recipe/multitenancy/app/v2", { appId: app, coreConfig: { stale_session_behaviour: "BOUNDED" } }, { "api-key": apiKey });
    const handle = "00000000-0000-4000-8000-000000000001";
    const original = { getSession: async () => ({ getHandle: () => handle, getAccessToken: () => "e30.e30.e30" }) };
    const outcome = async (options) => {
      const own = gridSessions({ apiKey, log: () => {}, connectionURI: "http://127.0.0.1:9", ...options });
      try {
        await own.functions(original).getSession({});
        return "accepted";
      } catch (failure) {
        return failure instanceof SessionUnavailableError ? "unavailable" : failure.type;
      } finally {
        await own.close();
      }
    };
    assert.equal(await outcome({}), "unavailable");
    assert.equal(await outcome({ whenStale: "bounded" }), "accepted");

    // There is no such session, which Grid can tell.
    await until(async () => (await outcome({ connectionURI: `${grid.url}/appid-${app}`, whenStale: "strict" })) === "UNAUTHORISED", "the app's service is a holder");
  });

  it("holds up no revocation once it has left", async () => {
    await sessions.close();
    await until(async () => {
      await login("gina");
      const { holders } = await revoke({ userId: "gina" });
      return holders.confirmed === 1 && holders.waitedOut === 0;
    }, "only the silo is waited for");
    assert.equal((await me(await login())).status, 503);
  });
});
