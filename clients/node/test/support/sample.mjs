// One of samples/ as a process of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** From here, where its packages are installed. */
export async function startSample(sample, environment) {
  const folder = mkdtempSync(fileURLToPath(new URL("../.sample-", import.meta.url)));
  copyFileSync(new URL(`../../../../samples/${sample}/server.mjs`, import.meta.url), join(folder, "server.mjs"));
  const child = spawn(process.execPath, [join(folder, "server.mjs")], { env: { ...process.env, ...environment, PORT: "0" }, stdio: ["ignore", "pipe", "pipe"] });
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
