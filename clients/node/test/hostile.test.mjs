// A Grid that lies, breaks off or stands still, machines whose clocks jump, and applications whose callbacks fail: nothing of it ends the process, and none is accepted by it.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { execFileSync, spawn } from "node:child_process";
import dns from "node:dns";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Silo, until } from "./support/silo.mjs";

const require = createRequire(import.meta.url);
const { Service } = require("../dist/service.js");
const { Holder } = require("../dist/holder.js");
const { parseHandle } = require("../dist/handle.js");
const { systemClock } = require("../dist/clock.js");
const { gridSessions } = require("../dist/index.js");

const folder = fileURLToPath(new URL("..", import.meta.url));
const idOf = (number) => `22222222-2222-4222-8222-${String(number).padStart(12, "0")}`;
const handle = idOf(1);
const name = parseHandle(handle);
const entry = (number, more) => ({ position: number, kind: 1, app: "public", tenant: "public", session: idOf(number), epoch: 0, ...more });

describe("a service that", () => {
  let silo, service;
  const said = [];
  const begin = (options, clock = systemClock) => {
    said.length = 0;
    service = new Service({ cores: [silo.url], apiKey: "key", name: "a test", tls: {}, timeout: 60_000, log: (message) => said.push(message), ...options }, clock);
  };
  const start = async (tls) => {
    silo = await Silo.start(tls);

    // So that a slow machine is fresh all the same.
    silo.leaseMs = 60_000;
  };
  const active = (which = name) => until(async () => (await service.find(which)) === "active");
  const hears = (text) => until(() => said.some((message) => text.test(message)));

  // Anew until it says so: on a busy machine the first attempt may have taken too long, which is all that is said of an outage then.
  const tried = (options, text) =>
    until(async () => {
      begin(options);
      assert.equal(await service.find(name), "unknown");
      await service.close();
      return said.some((message) => text.test(message));
    });
  afterEach(async () => {
    await service.close();
    silo.stop();
  });

  describe("calls back", () => {
    it("tells the log of callbacks that throw and that reject, and they disturb no other", async () => {
      await start();
      begin();
      await active();
      const heard = [];
      service.watch(name, () => {
        throw new Error("thrown");
      });
      service.watch(name, async () => {
        throw new Error("rejected");
      });
      service.watch(name, () => {
        throw null;
      });
      service.watch(name, () => ({
        get then() {
          throw new Error("no promise");
        },
      }));
      service.watch(name, () => heard.push("after them"));
      await silo.revoke(handle, () => heard.length === 1 && said.filter((message) => message.startsWith("A callback")).length >= 4);
      for (const text of ["Error: thrown", "Error: rejected", "null", "Error: no promise"]) {
        assert.ok(said.some((message) => message.startsWith("A callback of onEnded failed: ") && message.includes(text)), text);
      }

      // It is still there, and confirms.
      await until(() => silo.of("confirm").length > 0);
      await active(parseHandle(idOf(2)));
    });

    it("goes on when the log rejects", async () => {
      await start();
      let tried = 0;
      begin({
        log: async () => {
          tried++;
          throw new Error("The log is full.");
        },
      });
      await active();
      service.watch(name, () => {
        throw new Error("thrown");
      });
      await silo.revoke(handle, () => tried > 0);
      await active(parseHandle(idOf(2)));
    });

    it("does not call back what another callback has stopped", async () => {
      await start();
      begin();
      await active();
      const heard = [];
      service.watch(name, () => {
        heard.push("first");
        service.holder.unwatch(second);
      });
      const second = service.watch(name, () => heard.push("second"));
      service.watch(name, () => heard.push("third"));
      await silo.revoke(handle, () => heard.includes("third"));
      assert.deepEqual(heard, ["first", "third"]);
    });
  });

  it("begins within a request keeps nothing of it, and calls back within the one that asked", async () => {
    await start();
    const requests = new AsyncLocalStorage();
    const seen = [];
    begin({ log: () => seen.push(["log", requests.getStore()]) });
    await requests.run("first", () => service.find(name));
    await active();
    requests.run("second", () => service.watch(name, () => seen.push(["callback", requests.getStore()])));
    await silo.revoke(handle, () => seen.some(([who]) => who === "callback"));
    silo.status = 503;
    silo.socket.terminate();
    await until(() => seen.some(([who]) => who === "log"));
    assert.deepEqual(seen.filter(([who, request]) => request !== (who === "log" ? undefined : "second")), []);
  });

  describe("is lied to", () => {
    it("takes nothing that is no message, and comes back with an empty memory", async () => {
      await start();
      begin();
      await active();
      const lies = ["", "{", "null", "{}", "[".repeat(200_000), '{"type":"renewed","n":1.5}', Buffer.from([0, 1, 2]), "x".repeat(1024 * 1024 + 1)];
      for (const lie of lies) {
        const { connections } = silo;
        const { incarnation } = service.holder;
        silo.socket.send(lie);
        await until(() => silo.connections > connections && service.holder.isFresh && service.holder.incarnation !== incarnation);
        assert.equal(service.holder.count, 0);
      }
      await active();
    });

    it("does not mistake numbers that it cannot tell apart", async () => {
      await start();
      begin();
      await active();
      const { incarnation } = service.holder;
      silo.tell('{"type":"entries","n":3,"entries":[{"position":1,"kind":2,"app":"public","tenant":"public","userId":"anna","epoch":9007199254740993}]}');
      await until(() => service.holder.isFresh && service.holder.incarnation !== incarnation);
      assert.deepEqual(silo.of("confirm"), []);
    });

    it("is not moved by entries of other apps, places that go back, answers that nobody asked for, and the same twice", async () => {
      await start();
      begin();
      await active();
      const { incarnation } = service.holder;
      silo.tell({ type: "entries", n: 1, entries: [entry(1, { app: "other" }), { position: 9, kind: 4, app: "other" }, { position: 8, kind: 99, app: "public", tenant: "t1", anything: {} }] });
      await until(() => silo.of("confirm").length === 1);
      assert.equal(service.holder.count, 0, "what it does not know may have ended everything");
      await active();
      for (const strange of [{ type: "registered", n: 1, app: "other", leaseMs: 60_000 }, { type: "renewed", n: 1 }, { type: "renewed", n: 4_000 }, { type: "looked", n: 4_001 }, { type: "hello" }, { type: "failed", n: 0, reason: "" }, { type: "confirm" }]) silo.tell(strange);
      for (const position of [7, 3, 3]) silo.tell({ type: "entries", n: 10 + position, entries: [entry(position, { session: idOf(5) }), entry(position, { app: "other" })] });
      await until(() => silo.of("confirm").length === 4);
      assert.deepEqual(silo.of("confirm").map(({ n }) => n), [1, 17, 13, 13]);
      assert.equal(service.holder.incarnation, incarnation);
      assert.equal(service.holder.check(handle) === "unknown", false, "another app's entry ends nothing here");
      assert.equal(silo.connections, 1);
    });

    it("takes no other session's answer for the one that it asked for", async () => {
      await start();
      begin();
      await active();
      const { look } = silo.answers;
      silo.answers.look = ({ n }) => ({ type: "looked", n, session: idOf(7), userId: "anna", epoch: 0, expiresAt: "2099-01-01T00:00:00Z" });
      const other = parseHandle(idOf(8));
      assert.equal(await service.find(other), "unknown");
      assert.equal(service.holder.check(other.handle) === "known", false);
      silo.answers.look = look;
      await active(other);
    });

    it("says in one line what it was told, however long", async () => {
      await start();
      silo.answers.register = ({ n }) => ({ type: "failed", n, reason: `no\n\u001b[31m${"x".repeat(100_000)}` });
      begin();
      await service.find(name);
      await hears(/Grid refuses this service: no/);
      for (const message of said) assert.ok(message.length < 1_000 && !/[\n\u001b]/.test(message), message);
    });

    it("does not keep for a Grid that sends and never reads what that has not taken", async () => {
      await start();
      begin();
      await active();
      const { incarnation } = service.holder;
      Object.defineProperty(service.connection.socket, "bufferedAmount", { get: () => 2 * 1024 * 1024 });
      silo.tell({ type: "entries", n: 1, entries: [entry(3)] });
      await until(() => silo.connections >= 2 && service.holder.isFresh && service.holder.incarnation !== incarnation);
    });
  });

  describe("meets a Grid that", () => {
    it("dies in the middle of a frame", async () => {
      await start();
      begin();
      await active();
      const frame = Buffer.concat([Buffer.from([0x81, 100]), Buffer.from('{"type":"lost"')]);
      silo.socket._socket.write(frame, () => silo.socket._socket.destroy());
      await until(() => silo.connections >= 2);
      await active();
    });

    it("never answers a look", async () => {
      await start();
      begin({ timeout: 200 });
      silo.answers.look = () => undefined;
      assert.equal(await service.find(name), "unknown");
      await until(() => service.holder.isFresh);
      assert.equal(await service.find(name), "unknown");
      assert.equal(service.holder.count, 0);
    });

    it("revokes a hundred thousand sessions at once", async () => {
      await start();
      begin();
      await active();
      const spared = parseHandle(idOf(999_999));
      await active(spared);
      for (let n = 1; n <= 500; n++) silo.tell({ type: "entries", n, entries: Array.from({ length: 200 }, (_, i) => entry((n - 1) * 200 + i + 1)) });
      await until(() => silo.of("confirm").length === 500);
      assert.deepEqual(silo.of("confirm").map(({ n }) => n), Array.from({ length: 500 }, (_, i) => i + 1));
      assert.equal(service.holder.count, 1, "all but the one that was spared");
      assert.equal(silo.connections, 1);
    });

    it("takes the key away, and then accepts it again", async () => {
      await start();
      begin();
      await active();
      silo.status = 401;
      silo.tell({ type: "lost", reason: "its key is not accepted any more" });
      await hears(/HTTP 401: set apiKey/);
      assert.equal(service.holder.incarnation, undefined);
      assert.equal(await service.find(name), "unknown");
      silo.status = undefined;
      await active();
      await hears(/There is a connection to Grid again/);
      assert.equal(said.filter((message) => message.includes("401")).length, 1);
    });

    for (const [status, text] of Object.entries({ 200: /no Grid/, 400: /may name an app that does not exist/, 302: /HTTP 302 to http:\/\/127\.0\.0\.1:9\/elsewhere, which is not followed/, 404: /connectionURI.*a SuperTokens core has no such route/, 426: /does not pass WebSockets on/, 500: /HTTP 500: .*connectionURI/, 503: /HTTP 503: it is not ready/ })) {
      it(`answers ${status} instead of a WebSocket`, async () => {
        await start();
        silo.status = Number(status);
        if (status === "302") silo.location = "http://127.0.0.1:9/elsewhere";
        begin();
        assert.equal(await service.find(name), "unknown");
        await until(() => said.some((message) => text.test(message) && /^There is no connection to Grid at http:\/\/127\.0\.0\.1:\d+ \(HTTP /.test(message)));
        silo.status = undefined;
        await active();
      });
    }

    it("speaks another protocol", async () => {
      await start();
      const stranger = createServer((socket) => {
        socket.on("error", () => {});
        socket.end("SSH-2.0-OpenSSH_9.2\r\n");
      });
      await new Promise((resolve) => stranger.listen(0, "127.0.0.1", resolve));
      await tried({ cores: [`http://127.0.0.1:${stranger.address().port}`] }, /There is no connection to Grid at http:\/\/127\.0\.0\.1:\d+ \(.+\)/);
      stranger.close();
    });
  });

  describe("looks for Grid by", () => {
    it("a name of which one address is a silo that stands still, and one that is dead", async () => {
      await start();
      const { port } = silo.http.address();
      const connected = [];
      const still = createServer((socket) => connected.push(socket));
      await new Promise((resolve) => still.listen(port, "127.0.0.2", resolve));
      const { lookup } = dns;
      try {
        dns.lookup = (host, options, found) =>
          host === "grid.example"
            ? process.nextTick(found, null, ["127.0.0.2", "127.0.0.3", "127.0.0.1"].map((address) => ({ address, family: 4 })))
            : lookup(host, options, found);
        begin({ cores: [`http://grid.example:${port}`] });
        await active();
        assert.ok(connected.length > 0, "the one that stands still was tried");
      } finally {
        dns.lookup = lookup;
        for (const socket of connected) socket.destroy();
        still.close();
      }
    });

    it("two addresses of which the first stands still", async () => {
      await start();
      const connected = [];
      const still = createServer((socket) => connected.push(socket));
      await new Promise((resolve) => still.listen(0, "127.0.0.1", resolve));
      begin({ cores: [`http://127.0.0.1:${still.address().port}`, silo.url] });
      await active();
      for (const socket of connected) socket.destroy();
      still.close();
    });

    it("a name that nobody listens at, and says so", async () => {
      await start();
      await tried({ cores: ["http://user:secret@localhost:9/base"] }, /at http:\/\/localhost:9\/base \(.*ECONNREFUSED.*nobody listens there/);
      assert.ok(!said.join().includes("secret"));
    });

    it("TLS, if it trusts the certificate, and says what is wrong if it does not", async (t) => {
      const own = mkdtempSync(join(tmpdir(), "grid-tls-"));
      const [key, cert] = [join(own, "key.pem"), join(own, "cert.pem")];
      try {
        execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=a test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], { stdio: "ignore" });
      } catch {
        await start();
        begin();
        t.skip("no openssl on this machine");
        return;
      }
      const tls = { key: readFileSync(key), cert: readFileSync(cert) };
      rmSync(own, { recursive: true });
      await start(tls);
      await tried({}, /set tls\.ca/);
      await tried({ tls: { ca: tls.cert }, cores: [silo.url.replace("127.0.0.1", "localhost")] }, /(altnames|ECONNREFUSED)/);
      await tried({ cores: [silo.url.replace("https", "http")] }, /https/);
      const plain = await Silo.start();
      await tried({ cores: [plain.url.replace("http", "https")] }, /is it http instead of https\?/);
      plain.stop();
      begin({ tls: { ca: tls.cert } });
      await active();
    });
  });

  describe("has a clock that", () => {
    for (const [what, step, isNew] of [["steps ahead", 10_000, false], ["steps back", -10_000, false], ["stood still with the machine for ten minutes", 600_000, true]]) {
      it(what, async () => {
        await start();
          let ahead = 0;
        begin({}, { now: systemClock.now, wall: () => systemClock.wall() + ahead });
        await active();
        const { incarnation } = service.holder;
        silo.answers.renew = () => undefined;
        ahead = step;
        assert.equal(service.holder.check(handle), "notFresh");
        silo.answers.renew = ({ n }) => ({ type: "renewed", n });
        await active();
        assert.equal(service.holder.incarnation !== incarnation, isNew);
      });
    }
  });
});

describe("what a holder keeps", () => {
  it("of what was revoked is gone after W", () => {
    let now = 0;
    const holder = new Holder({ now: () => now, wall: () => now });
    holder.begin("1", "public", 10_000, []);
    holder.completeRenewal(holder.startRenewal());
    for (let n = 0; n < 500; n++) {
      holder.apply(Array.from({ length: 200 }, (_, i) => entry(n * 200 + i, i % 2 === 0 ? {} : { kind: 2, userId: `user ${n * 200 + i}`, session: undefined, epoch: 1 })));
    }
    const { sessions, users } = holder.state.tombstones;
    assert.deepEqual([sessions.size, users.size], [50_000, 50_000]);
    now = 12_750;
    holder.apply([]);
    assert.deepEqual([sessions.size, users.size], [0, 0]);
  });

  it("of a tenant and of an app ends at once, however many there are, with their watches", async () => {
    const holder = new Holder({ now: () => 0, wall: () => 0 });
    holder.begin("1", "public", 10_000, []);
    holder.completeRenewal(holder.startRenewal());
    const know = (number, tenant) => {
      const known = parseHandle(tenant === "public" ? idOf(number) : `${idOf(number)}_${tenant}`);
      holder.completeLook(holder.startLook(known.handle), { handle: known.handle, tenant, userId: `user ${number % 7}`, epoch: 0, expiresAt: 1_000 });
      return known.handle;
    };
    const [many, few] = [Array.from({ length: 5_000 }, (_, number) => know(number, "t1")), Array.from({ length: 50 }, (_, number) => know(number, "t2"))];
    const spared = know(1, "public");
    const heard = [];
    for (const watched of [many[0], few[0], spared]) holder.watch(watched, () => heard.push(watched));
    const after = async (count, ended) => {
      await new Promise((resolve) => queueMicrotask(resolve));
      assert.equal(holder.count, count);
      assert.deepEqual(heard, ended);
      assert.deepEqual([...holder.state.tenants.values()].reduce((sum, of) => sum + of, 0), count);
    };
    holder.apply([{ position: 1, kind: 3, app: "public", tenant: "nobody's" }]);
    await after(5_051, []);
    holder.apply([{ position: 2, kind: 3, app: "public", tenant: "t1" }]);
    await after(51, [many[0]]);
    holder.apply([{ position: 3, kind: 2, app: "public", tenant: "t2", userId: "user 1", epoch: 1 }]);
    await after(51 - few.filter((_, number) => number % 7 === 1).length, [many[0]]);
    holder.apply([{ position: 4, kind: 3, app: "public", tenant: "t2" }]);
    await after(1, [many[0], few[0]]);
    assert.equal(holder.check(spared), "known");
    holder.apply([{ position: 5, kind: 4, app: "public" }]);
    await after(0, [many[0], few[0], spared]);
    assert.equal(holder.state.users.size, 0);
  });

  it("of handles is nothing that names no session", () => {
    for (const text of [`${handle}_${"t".repeat(65)}`, `${handle}_a b`, `${handle}_\ud800`, undefined, null, 7]) assert.equal(parseHandle(text), undefined);
    const sessions = gridSessions({ connectionURI: "http://127.0.0.1:9" });
    assert.throws(() => sessions.onEnded(`${handle}_${"t".repeat(20_000)}`, () => {}), /is no session handle/);
    assert.throws(() => sessions.onEnded(undefined, () => {}), /is no session handle/);
  });
});

describe("a process", () => {
  /** Runs a script to its end. */
  const run = (script, ...args) =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, ["-e", script, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
      const output = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"]) child[stream].on("data", (text) => (output[stream] += text));
      child.once("close", (code, signal) => resolve({ end: code ?? signal, ...output }));
    });
  const holds = `
    const watchUntilFresh = async (uri) => {
      const sessions = require("grid-sessions").gridSessions({ connectionURI: uri, log: () => {} });
      sessions.onEnded("${handle}", () => {});
      for (let i = 0; i < 3000 && !sessions.isFresh; i++) await new Promise((resolve) => setTimeout(resolve, 20));
      if (!sessions.isFresh) throw new Error("It does not get there.");
    };`;

  it("that is connected and has nothing else to do ends, and leaves", async () => {
    const silo = await Silo.start();
    silo.leaseMs = 60_000;
    assert.deepEqual(await run(`${holds} watchUntilFresh(${JSON.stringify(silo.url)});`), { end: 0, stdout: "", stderr: "" });
    await until(() => silo.of("leave").length > 0);
    silo.stop();
  });

  it("may have many of them", async () => {
    const silo = await Silo.start();
    silo.leaseMs = 60_000;
    assert.deepEqual(await run(`${holds} for (let i = 0; i < 30; i++) watchUntilFresh(${JSON.stringify(silo.url)});`), { end: 0, stdout: "", stderr: "" });
    assert.ok(silo.of("register").length >= 30);
    await until(() => silo.of("leave").length > 0);
    silo.stop();
  });

  it("may have workers, of threads and of the cluster module, each with its own", async () => {
    const silo = await Silo.start();
    silo.leaseMs = 60_000;
    const script = `
      const { Worker } = require("node:worker_threads");
      const cluster = require("node:cluster");
      ${holds}
      const fresh = watchUntilFresh(${JSON.stringify(silo.url)});
      if (cluster.isPrimary) {
        new Worker(${JSON.stringify(`${holds} watchUntilFresh(${JSON.stringify(silo.url)}).then(() => console.log("thread"));`)}, { eval: true });
        cluster.fork();
      } else {
        void fresh.then(() => cluster.worker.disconnect());
      }`;
    const own = mkdtempSync(join(folder, ".workers-"));
    try {
      const file = join(own, "main.cjs");
      writeFileSync(file, script);
      assert.deepEqual(await run("require(process.argv[1])", file), { end: 0, stdout: "thread\n", stderr: "" });
    } finally {
      rmSync(own, { recursive: true });
    }
    assert.ok(silo.of("register").length >= 3);
    silo.stop();
  });
});
