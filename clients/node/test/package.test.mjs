// What others get: the files, both forms, and the types.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import * as asModule from "grid-sessions";

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL("..", import.meta.url));

it("both forms are one, so that a process has one holder whichever it imports", () => {
  const common = require("grid-sessions");
  assert.deepEqual(Object.keys(asModule).sort(), ["SessionUnavailableError", "gridSessions"]);
  for (const [name, value] of Object.entries(asModule)) assert.equal(value, common[name]);
});

it("the package has what it needs and nothing else", () => {
  const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] }).toString());
  const paths = files.map(({ path }) => path);
  for (const path of ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.mjs", "dist/index.d.ts", "dist/index.d.mts", "dist/holder.js"]) assert.ok(paths.includes(path), path);
  assert.deepEqual(paths.filter((path) => !/^(dist\/[a-z]+\.(js|mjs|d\.ts|d\.mts)|package\.json|README\.md|LICENSE)$/.test(path)), []);
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(new URL("../package.json", import.meta.url))).dependencies), ["ws"]);
});

it("its types fit the SDK's, in modules and in CommonJS", () => {
  const { status, stdout } = spawnSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", "test/consumer"], { cwd: folder });
  assert.equal(status, 0, stdout.toString());
});

it("a process that is a holder and has nothing else to do ends, and leaves", () => {
  const script = `
    const { gridSessions } = require("grid-sessions");
    const sessions = gridSessions({ connectionURI: "http://127.0.0.1:9", log: () => {} });
    sessions.onEnded("11111111-1111-4111-8111-111111111111", () => {});`;
  assert.equal(spawnSync(process.execPath, ["-e", script], { cwd: folder, timeout: 120_000 }).status, 0);
});
