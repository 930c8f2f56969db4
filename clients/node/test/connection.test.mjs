// What a service does on the wire (docs/protocol/holder.md), against a silo that is made up here.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { afterEach, describe, it } from "node:test";
import { Silo, until } from "./support/silo.mjs";

const require = createRequire(import.meta.url);
const { Service } = require("../dist/service.js");
const { parseHandle } = require("../dist/handle.js");
const { systemClock } = require("../dist/clock.js");
const { gridSessions } = require("../dist/index.js");

const handle = "11111111-1111-4111-8111-111111111111";
const name = parseHandle(handle);

describe("a service on the wire", () => {
  let silo, service;
  const said = [];
  const start = async () => {
    said.length = 0;
    silo = await Silo.start();
    service = new Service({ cores: [silo.url], apiKey: "key", name: "a test", tls: {}, timeout: 60_000, log: (message) => said.push(message) }, systemClock);
  };
  const active = () => until(async () => (await service.find(name)) === "active");
  afterEach(async () => {
    await service.close();
    silo.stop();
  });

  it("connects with the first session that it checks, registers, renews and looks", async () => {
    await start();
    assert.equal(silo.connections, 0);
    await active();
    assert.equal(silo.request.url, "/session/holder");
    assert.equal(silo.request.headers["api-key"], "key");

    // A starved machine may renew twice before it looks.
    assert.deepEqual([...new Set(silo.heard.map(({ type }) => type))], ["register", "renew", "look"]);
    const [register, renew, look] = ["register", "renew", "look"].map((type) => silo.of(type)[0]);
    assert.match(register.incarnation, /^[0-9a-f-]{36}$/);
    assert.deepEqual([register.former, register.protocol], [undefined, 1]);
    assert.ok(renew.n >= 1);
    assert.deepEqual([look.tenant, look.session], ["public", handle]);
    const { length: looks } = silo.of("look");
    const { length: renewals } = silo.of("renew");
    await until(() => silo.of("renew").length > renewals + 1);
    assert.equal(silo.of("look").length, looks, "known sessions cost nothing");
  });

  it("confirms entries that come before it is registered, and goes on", async () => {
    await start();
    const { register } = silo.answers;
    silo.answers.register = (message) => {
      silo.tell({ type: "entries", n: 5, entries: [{ position: 1, kind: 2, app: "public", tenant: "public", userId: "anna", epoch: 0 }] });
      return register(message);
    };
    await active();
    assert.deepEqual(silo.of("confirm").map(({ n }) => n), [5]);
    assert.equal(silo.connections, 1);
  });

  it("applies entries before it confirms them, also those that are sent again", async () => {
    await start();
    await active();
    silo.answers.look = ({ n }) => ({ type: "looked", n });
    for (const n of [7, 8]) silo.tell({ type: "entries", n, entries: [{ position: 1, kind: 1, app: "public", tenant: "public", session: handle, epoch: 0 }] });
    await until(() => silo.of("confirm").length === 2);
    assert.deepEqual(silo.of("confirm").map(({ n }) => n), [7, 8]);
    assert.equal(service.holder.check(handle), "unknown");

    // A starved machine may be late for a renewal: then nobody can tell for a moment.
    await until(async () => (await service.find(name)) === "ended");
  });

  it("confirms no entries that it cannot read, and comes back with an empty memory", async () => {
    await start();
    await active();
    for (const entries of [[{ position: 1, kind: "session", app: "public" }], [7], { kind: 1 }, undefined, [{ position: 1, kind: 1, app: "public", tenant: "public", session: 1 }]]) {
      const before = silo.connections;
      const { incarnation } = service.holder;
      silo.tell({ type: "entries", n: 9, entries });
      await until(() => silo.connections > before && service.holder.isFresh && service.holder.incarnation !== incarnation);
    }
    assert.equal(silo.of("confirm").length, 0);
    const [first, second] = silo.of("register");
    assert.deepEqual([second.former, second.secret], [first.incarnation, "secret 1"]);
    assert.notEqual(second.incarnation, first.incarnation);
    assert.ok(silo.of("look").length >= 1);
  });

  it("forgets everything when it is told that it is lost", async () => {
    await start();
    await active();
    silo.answers.register = () => undefined;
    silo.tell({ type: "lost", reason: "for a test" });
    await until(() => service.holder.check(handle) === "notFresh");
    assert.equal(service.holder.incarnation, undefined);
  });

  it("goes on with what it knows when the connection breaks, until its lease ends", async () => {
    await start();
    silo.leaseMs = 4_000;
    await active();
    silo.status = 503;
    silo.socket.terminate();
    await until(() => silo.refused > 0 && said.some((text) => text.includes("503")));
    await until(() => service.holder.check(handle) === "notFresh");
    assert.equal(service.holder.count, 1, "it is not forgotten before there is a connection");
    assert.equal(await service.find(name), "unknown");
    silo.status = undefined;
    await active();
    assert.ok(said.some((text) => text.includes("503")));
  });

  it("is not fresh when its renewals are not answered", async () => {
    await start();
    await active();
    const { connections } = silo;
    silo.answers.renew = () => undefined;
    await until(() => !service.holder.isFresh);
    assert.equal(silo.connections, connections, "a silo without a store is no reason to forget");
    silo.answers.renew = ({ n }) => ({ type: "renewed", n });
    await until(() => service.holder.check(handle) === "known");
  });

  it("rests longer and longer when it is refused, and says so once", async () => {
    await start();
    silo.status = 401;
    assert.equal(await service.find(name), "unknown");
    await until(() => silo.refused >= 3);
    assert.equal(said.length, 1);
    assert.match(said[0], /HTTP 401: set apiKey/);
    silo.status = undefined;
    await active();
  });

  it("goes on when the log throws", async () => {
    await start();
    silo.status = 401;
    service.options.log = () => {
      silo.logged = true;
      throw new Error("The log is full.");
    };
    assert.equal(await service.find(name), "unknown");
    await until(() => silo.logged && silo.refused >= 2);
    silo.status = undefined;
    await active();
  });

  it("takes nothing for a registration that is none", async () => {
    await start();
    for (const wrong of [{ leaseMs: 0 }, { leaseMs: 60_001 }, { app: "" }, { type: "hello" }, { protocol: 3 }, { type: "failed", reason: "too many" }]) {
      const { length } = silo.of("register");
      silo.answers.register = ({ n }) => ({ type: "registered", n, app: "public", leaseMs: 2_000, ...wrong });
      void service.find(name);
      await until(() => silo.of("register").length > length + 1);
      assert.equal(service.holder.incarnation, undefined);
    }
    assert.equal(silo.of("renew").length, 0);
    assert.ok(said.some((text) => text.includes("Grid refuses this service: too many")));
    assert.ok(said.some((text) => text.includes("Grid follows version 3 of the holders' protocol")));
  });

  it("gives up a connection that is silent, and another silo is found", async () => {
    await start();
    await active();
    const dead = silo.socket;
    silo.answers.renew = () => undefined;
    dead._socket.pause();
    await until(() => silo.connections >= 2);
    silo.answers.renew = ({ n }) => ({ type: "renewed", n });
    await active();
  });

  it("shares one look among all who wait for it, and has at most 128 unanswered", async () => {
    await start();
    silo.leaseMs = 60_000;
    await active();
    const waiting = [];
    silo.answers.look = (message) => void waiting.push(message);
    const id = (number) => `22222222-2222-4222-8222-${String(number).padStart(12, "0")}`;
    await until(() => service.holder.isFresh);
    const found = Promise.all(Array.from({ length: 300 }, (_, number) => service.find(parseHandle(id(number % 150)))));
    await until(() => waiting.length >= 128);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(waiting.length, 128);
    silo.answers.look = ({ n, session }) => ({ type: "looked", n, session, userId: "bob", epoch: 1, expiresAt: "2099-01-01T00:00:00Z" });
    for (const message of waiting) silo.tell(silo.answers.look(message));
    assert.ok((await found).every((liveness) => liveness !== "ended"));
    assert.ok(silo.of("look").length <= 1 + 150 + 150);
  });

  it("leaves at its end", async () => {
    await start();
    await active();
    await service.close();
    await until(() => silo.of("leave").length === 1);
    assert.equal(service.holder.check(handle), "notFresh");
    assert.equal(await service.find(name), "unknown");
  });
});

describe("gridSessions()", () => {
  it("refuses options that it does not know, and wrong ones, by name", () => {
    assert.throws(() => gridSessions({ conectionURI: "http://127.0.0.1:3567" }), /there is no option 'conectionURI'; there are connectionURI, apiKey/);
    assert.throws(() => gridSessions({}), /connectionURI must be the core API's address/);
    assert.throws(() => gridSessions(), /options must be an object/);
    assert.throws(() => gridSessions({ connectionURI: "ftp://a" }), /connectionURI/);
    assert.throws(() => gridSessions({ connectionURI: "localhost", whenStale: "never" }), /whenStale must be "strict" or "bounded"/);
    assert.throws(() => gridSessions({ connectionURI: "localhost", timeout: 5 }), /timeout must be milliseconds/);
    assert.throws(() => gridSessions({ connectionURI: "localhost", apiKey: "" }), /apiKey/);
    assert.throws(() => gridSessions({ connectionURI: "localhost", apiKey: "from-a-file\n" }), /apiKey must be a key of the core API, without blanks and line breaks/);
    assert.throws(() => gridSessions({ connectionURI: "localhost", rememberedSessions: 10 }), /rememberedSessions must be a whole number, 1000 … 10000000/);
    assert.equal(gridSessions({ connectionURI: "http://a:1;https://b/appid-x" }).isFresh, false);
  });

  it("keeps no process alive, and reads handles as Grid writes them", () => {
    assert.deepEqual(parseHandle(`${handle}_t1`), { handle: `${handle}_t1`, id: handle, tenant: "t1" });
    assert.equal(parseHandle(`${handle}_public`).handle, handle);
    for (const text of ["", "x", handle.toUpperCase().replace("1", "A"), `${handle}_`, `${handle}t1`, handle.slice(1)]) assert.equal(parseHandle(text), undefined);
  });
});
