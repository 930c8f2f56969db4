// Three processes, one PostgreSQL: any port will do.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Grid, newKeyFile } from "../support/grid.mjs";
import { PostgreSql } from "../support/postgresql.mjs";

const server = await PostgreSql.start();
describe("three silos over one PostgreSQL", { skip: server === null ? PostgreSql.missing : false }, () => {
  let silos;
  before(async () => {
    const settings = { POSTGRESQL_CONNECTION_URI: server.uri, Grid__Keys__EncryptionKeyFile: newKeyFile() };
    silos = await Promise.all([1, 2, 3].map(() => Grid.start(settings)));
  });
  after(async () => {
    await Promise.all(silos.map((silo) => silo.stop()));
    server.stop();
  });

  const create = async (silo, userId) =>
    (await silo.call("POST", "/recipe/session", { userId, enableAntiCsrf: false, userDataInJWT: { a: 1 }, userDataInDatabase: {} })).json;
  const verify = async (silo, accessToken) =>
    (await silo.call("POST", "/recipe/session/verify", { accessToken, enableAntiCsrf: false, doAntiCsrfCheck: false, checkDatabase: true })).json.status;

  it("verifies, refreshes and revokes through the others what one made", async () => {
    for (let round = 0; round < 12; round++) {
      const [a, b, c] = [0, 1, 2].map((i) => silos[(round + i) % 3]);
      const created = await create(a, `u${round}`);
      assert.equal(created.status, "OK");
      for (const silo of silos) assert.equal(await verify(silo, created.accessToken.token), "OK");
      const refreshed = (await b.call("POST", "/recipe/session/refresh", { refreshToken: created.refreshToken.token, enableAntiCsrf: false, useDynamicSigningKey: true })).json;
      assert.equal(refreshed.status, "OK");
      for (const silo of silos) assert.equal(await verify(silo, refreshed.accessToken.token), "OK");
      const removed = (await c.call("POST", "/recipe/session/remove", { sessionHandles: [created.session.handle] })).json;
      assert.deepEqual(removed.sessionHandlesRevoked, [created.session.handle]);
      for (const silo of silos) {
        assert.equal(await verify(silo, refreshed.accessToken.token), "UNAUTHORISED");
        assert.equal((await silo.call("POST", "/recipe/session/refresh", { refreshToken: refreshed.refreshToken.token, enableAntiCsrf: false, useDynamicSigningKey: true })).json.status, "UNAUTHORISED");
      }
    }
  });

  it("ends all sessions of a user through any silo", async () => {
    const made = await Promise.all(Array.from({ length: 30 }, (_, i) => create(silos[i % 3], "many")));
    const removed = (await silos[1].call("POST", "/recipe/session/remove", { userId: "many" })).json;
    assert.equal(removed.sessionHandlesRevoked.length, 30);
    for (const session of made) {
      for (const silo of silos) assert.equal(await verify(silo, session.accessToken.token), "UNAUTHORISED");
    }
  });

  it("shows a new app and its settings on every silo at once", async () => {
    const appId = "cluster-app";
    await silos[0].call("PUT", "/recipe/multitenancy/app/v2", { appId, coreConfig: { access_token_validity: 77 } });
    for (const silo of silos) {
      const tenant = (await silo.call("GET", `/appid-${appId}/recipe/multitenancy/tenant/v2`)).json;
      assert.equal(tenant.coreConfig.access_token_validity, 77);
    }
    await silos[1].call("PUT", "/recipe/multitenancy/app/v2", { appId, coreConfig: { api_keys: "a-key-of-the-app-0123456789" } });
    for (const silo of silos) assert.equal((await silo.call("GET", `/appid-${appId}/apiversion`)).status, 401);
  });

  it("goes on when one silo is killed", async () => {
    const created = await create(silos[2], "survivor");
    await silos[2].kill();
    for (const silo of silos.slice(0, 2)) assert.equal(await verify(silo, created.accessToken.token), "OK");
    // The dead silo's grains move once its peers agree that it is dead.
    let status;
    for (let attempt = 0; attempt < 60 && status !== "OK"; attempt++) {
      const answer = await silos[0].call("POST", "/recipe/session/refresh", { refreshToken: created.refreshToken.token, enableAntiCsrf: false, useDynamicSigningKey: true });
      assert.ok(answer.status === 200 || answer.status === 503, `${answer.status} ${answer.text}`);
      status = answer.json?.status;
      if (status !== "OK") await new Promise((resolve) => setTimeout(resolve, 500));
    }
    assert.equal(status, "OK");
  });
});
