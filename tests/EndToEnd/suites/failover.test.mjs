import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Grid, freePort } from "../support/grid.mjs";
import { Client, Session, initSdk, listen } from "../support/service.mjs";

describe("two connection URIs, one of them dead", () => {
  let grid, service;
  before(async () => {
    grid = await Grid.start();
    // The SDK takes them in turn, and its first call asks for the version in between: the live one stands first.
    initSdk(`${grid.url};http://127.0.0.1:${await freePort()}`);
    service = await listen();
  });
  after(async () => {
    await service?.close();
    await grid?.stop();
  });

  it("goes on with the other", async () => {
    const client = new Client(service.url);
    assert.equal((await client.post("/login/u1")).status, 200);
    for (let i = 0; i < 6; i++) {
      assert.equal((await client.get("/me/checked")).status, 200);
      assert.equal((await Session.getAllSessionHandlesForUser("u1")).length, 1);
    }
  });
});
