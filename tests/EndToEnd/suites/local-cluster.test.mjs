// deploy/local-cluster: PostgreSQL, three silos and nginx before them by one command, and the SDK through nginx.
// Against one that runs already (`eval "$(deploy/local-cluster env)"`) only the latter.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Grid, given, newFolder } from "../support/grid.mjs";
import { sessionSuite } from "../support/sessions.mjs";

const script = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "deploy", "local-cluster");
const state = join(newFolder(), "state");
const own = !given();

const run = (verb, ...rest) => {
  const done = spawnSync(script, [verb, "--state", state, ...rest], { encoding: "utf8", timeout: 900_000, env: { ...process.env, Grid__Shutdown__Drain: "0s" } });
  return { code: done.status, text: done.stdout + done.stderr };
};
const env = (text) => Object.fromEntries([...text.matchAll(/(GRID_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]));
const pid = (name) => Number(readFileSync(join(state, "run", `${name}.pid`), "utf8").split("\n")[0]);
const lives = (id) => existsSync(`/proc/${id}`) && !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${id}/stat`, "utf8"));
const names = ["postgresql", "silo-1", "silo-2", "silo-3", "nginx"];

const missing = spawnSync("nginx", ["-v"]).error ? "nginx is not on this machine"
  : !existsSync("/usr/lib/postgresql") ? "no PostgreSQL server binaries on this machine" : false;
let place = given();

if (own && !missing) {
  // Who runs PostgreSQL has to get to its folder.
  chmodSync(dirname(state), 0o711);
  const up = run("up", "--free-ports", "--no-build");
  assert.equal(up.code, 0, up.text);
  place = given(env(run("env").text));
}

sessionSuite("a local cluster, through nginx", async () => (place ? { given: place } : null));

describe("the front of a local cluster, through nginx", { skip: place?.front ? false : "no front is given" }, () => {
  it("hands a session over by ticket, refreshes it and ends it, whichever silo answers", async () => {
    const grid = Grid.at(place);
    const call = (path, headers, body) => fetch(place.front + path, {
      method: "POST", headers: { "content-type": "application/json", rid: "session", "st-auth-mode": "header", ...headers }, body: JSON.stringify(body ?? {}),
    });
    const { json } = await grid.call("POST", "/session/ticket", { userId: "by ticket" });
    const redeemed = await call("/auth/session/ticket", {}, { ticket: json.ticket });
    assert.equal(redeemed.status, 200);
    const first = { authorization: `Bearer ${redeemed.headers.get("st-refresh-token")}` };
    const refreshed = await call("/auth/session/refresh", first);
    assert.equal(refreshed.status, 200);
    const access = { authorization: `Bearer ${refreshed.headers.get("st-access-token")}` };
    // More of them than there are silos.
    for (let round = 0; round < 6; round++) assert.equal((await call("/auth/verify", access)).status, 200);
    assert.equal((await grid.call("POST", "/recipe/session/remove", { sessionHandles: [json.sessionHandle] })).json.status, "OK");
    for (let round = 0; round < 6; round++) assert.equal((await call("/auth/verify", access)).status, 401);
  });
});

describe("deploy/local-cluster", { skip: !own ? "it was started by hand" : missing }, () => {
  let bystander;
  before(() => {
    bystander = spawn("sleep", ["7200"]);
  });
  after(() => {
    bystander.kill();
    run("down", "--purge");
  });

  it("leaves what runs as it is, and starts what was killed", () => {
    const before = names.map(pid);
    assert.equal(run("up", "--no-build").code, 0);
    assert.deepEqual(names.map(pid), before);
    assert.equal(run("status").code, 0);

    process.kill(pid("silo-2"), "SIGKILL");
    const status = run("status");
    assert.equal(status.code, 1);
    assert.match(status.text, /silo-2: does not run/);
    const again = run("up", "--no-build");
    assert.equal(again.code, 0, again.text);
    assert.deepEqual(names.filter((name, i) => pid(name) !== before[i]), ["silo-2"]);
  });

  it("keeps its secrets to itself", () => {
    assert.equal(statSync(join(state, "secrets")).mode & 0o077, 0);
    for (const name of ["api-key", "db-password", "encryption-key"]) assert.equal(statSync(join(state, "secrets", name)).mode & 0o077, 0);
    for (const name of names) {
      const log = readFileSync(join(state, "log", `${name}.log`), "utf8");
      assert.ok(!log.includes(place.apiKey), name);
    }
  });

  it("refuses what it does not know", () => {
    for (const words of [["upp"], ["up", "--purge"], ["down", "now"], ["up", "2"]]) {
      const refused = run(...words);
      assert.equal(refused.code, 1, words.join(" "));
      assert.match(refused.text, /^local-cluster: /);
    }
  });

  it("ends what it started and nothing else, keeps the data, and removes them when it is told to", async () => {
    // As after a crash and a restart of the machine: the number is another process's by now.
    const silo = pid("silo-3");
    const before = names.map(pid);
    spawnSync("cp", [join(state, "run", "silo-3.pid"), join(state, "silo-3.kept")]);
    spawnSync("sed", ["-i", `1s/.*/${bystander.pid}/`, join(state, "run", "silo-3.pid")]);
    assert.match(run("status").text, /silo-3: does not run/);
    spawnSync("mv", [join(state, "silo-3.kept"), join(state, "run", "silo-3.pid")]);
    assert.equal(pid("silo-3"), silo);

    const down = run("down");
    assert.equal(down.code, 0, down.text);
    assert.deepEqual(before.filter(lives), []);
    assert.ok(lives(bystander.pid));
    assert.ok(existsSync(join(state, "postgresql", "data", "PG_VERSION")));
    assert.ok(existsSync(join(state, "secrets", "encryption-key")));

    assert.equal(run("down", "--purge").code, 0);
    assert.ok(!existsSync(state));
  });
});
