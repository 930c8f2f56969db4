// samples/express and samples/fastify as processes of their own, against the real executable.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Grid } from "../../../tests/EndToEnd/support/grid.mjs";

const silo = new URL("../../../src/Silo/bin/Release/net10.0/Grid.Silo.dll", import.meta.url);

/** From here, where its packages are installed. */
async function start(sample, grid) {
  const folder = mkdtempSync(fileURLToPath(new URL(".sample-", import.meta.url)));
  copyFileSync(new URL(`../../../samples/${sample}/server.mjs`, import.meta.url), join(folder, "server.mjs"));
  const child = spawn(process.execPath, [join(folder, "server.mjs")], { env: { ...process.env, GRID_URI: grid.url, PORT: "0" }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const url = await new Promise((resolve, reject) => {
    const read = (text) => {
      output += text;
      const [, found] = /listens on (\S+)\n/.exec(output) ?? [];
      if (found) resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", () => reject(new Error(output)));
  });
  rmSync(folder, { recursive: true });
  return {
    url,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
      child.kill("SIGTERM");
      assert.equal(await ended, 0, output);
    },
  };
}

describe("samples", { skip: !existsSync(silo) && "the silo is not built in Release" }, () => {
  let grid;
  before(async () => (grid = await Grid.start()));
  after(async () => grid?.stop());

  for (const sample of ["express", "fastify"]) {
    it(`${sample}: a session ends everywhere, its stream too`, async () => {
      const app = await start(sample, grid);
      const { headers } = await fetch(`${app.url}/sign-in/alice`, { method: "POST", headers: { "st-auth-mode": "header" } });
      const authorized = { headers: { authorization: `Bearer ${headers.get("st-access-token")}` } };

      // 503 while the first connection is on its way, on a busy machine.
      let me;
      do me = await fetch(`${app.url}/me`, authorized);
      while (me.status === 503);
      assert.deepEqual([me.status, await me.json()], [200, { user: "alice" }]);
      const stream = await fetch(`${app.url}/events`, authorized);
      assert.equal((await fetch(`${app.url}/sign-out-everywhere`, { method: "POST", ...authorized })).status, 200);
      const refused = await fetch(`${app.url}/me`, authorized);
      assert.deepEqual([refused.status, await refused.json()], [401, { message: "unauthorised" }]);
      assert.match(await stream.text(), /event: ended/);
      await app.stop();
    });
  }
});
