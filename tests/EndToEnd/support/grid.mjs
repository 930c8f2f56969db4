// Starts the real executable and waits until it answers. Or takes a Grid that runs already, such as a cluster behind a proxy:
// GRID_URI, GRID_API_KEY_FILE and GRID_FRONT say where (`deploy/local-cluster env` prints them).
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const command = process.env.GRID_COMMAND?.split(" ") ?? ["dotnet", join(root, "src/Silo/bin/Release/net10.0/Grid.Silo.dll"), "serve"];

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function newFolder() {
  return mkdtempSync(join(tmpdir(), "grid-e2e-"));
}

export function newKeyFile() {
  const path = join(newFolder(), "key");
  writeFileSync(path, randomBytes(32).toString("base64"), { mode: 0o600 });
  return path;
}

/** A Grid that somebody else has started; undefined where there is none. */
export function given(environment = process.env) {
  const { GRID_URI: url, GRID_API_KEY_FILE: keyFile, GRID_FRONT: front } = environment;
  return url && { url, front, apiKey: keyFile && readFileSync(keyFile, "utf8").trim() };
}

export class Grid {
  constructor(settings) {
    this.settings = settings;
    this.folder = newFolder();
    this.log = "";
  }

  static async start(settings = {}) {
    const place = given();
    if (place) return Grid.at(place);
    const grid = new Grid(settings);
    grid.port = await freePort();
    await grid.launch();
    return grid;
  }

  /** One that runs already, with settings of its own. It is neither killed nor stopped. */
  static at({ url, front, apiKey }) {
    const grid = new Grid({});
    Object.assign(grid, { isGiven: true, place: url, front, apiKey });
    return grid;
  }

  get url() {
    return this.place ?? `http://127.0.0.1:${this.port}`;
  }

  async launch() {
    this.process = spawn(command[0], command.slice(1), {
      cwd: this.folder,
      env: { ...process.env, Grid__Core__Port: String(this.port), Grid__Front__Port: "0", Grid__Shutdown__Drain: "00:00:00", ...this.settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = new Promise((resolve) => this.process.once("exit", resolve));
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (text) => (this.log += text));
    }
    for (let attempt = 0; attempt < 1800; attempt++) {
      if (this.process.exitCode !== null) {
        throw new Error(`Grid ended with ${this.process.exitCode}: ${this.log}`);
      }
      try {
        if ((await fetch(`${this.url}/hello`)).ok) return;
      } catch {
        // not listening yet
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Grid did not become ready: ${this.log}`);
  }

  async kill() {
    this.process.kill("SIGKILL");
    await this.exited;
  }

  async stop() {
    if (this.isGiven) return;
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGTERM");
      await this.exited;
    }
  }

  async call(method, path, body, headers = {}) {
    const response = await fetch(this.url + path, {
      method,
      headers: { "content-type": "application/json", ...(this.apiKey && { "api-key": this.apiKey }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, text, json: text.startsWith("{") ? JSON.parse(text) : undefined };
  }
}
