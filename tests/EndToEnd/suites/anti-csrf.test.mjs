import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Grid } from "../support/grid.mjs";
import { Client, initSdk, listen } from "../support/service.mjs";

describe("anti-CSRF by token", () => {
  let grid, service;
  before(async () => {
    grid = await Grid.start();
    initSdk(grid.url, undefined, "VIA_TOKEN");
    service = await listen();
  });
  after(async () => {
    await service?.close();
    await grid?.stop();
  });

  it("refuses a state change without the token and accepts it with it, also after a refresh", async () => {
    const client = new Client(service.url);
    await client.post("/login/u1");
    assert.ok(client.antiCsrf);
    assert.equal((await client.post("/merge", { a: 1 }, { "anti-csrf": null })).status, 401);
    assert.equal((await client.post("/merge", { a: 1 }, { "anti-csrf": "guess" })).status, 401);
    assert.equal((await client.post("/merge", { a: 1 })).status, 200);
    const old = client.antiCsrf;
    assert.equal((await client.post("/auth/session/refresh")).status, 200);
    assert.notEqual(client.antiCsrf, old);
    assert.equal((await client.post("/merge", { a: 2 })).status, 200);
  });
});
