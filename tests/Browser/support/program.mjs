// A sample that `dotnet run` starts, from what was built in Release.
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** Starts it with the line that its README prints, and waits until it listens. */
export async function startSample(name, grid) {
  const child = spawn("dotnet", ["run", "--project", join(root, "samples", name), "-c", "Release", "--no-build"], {
    cwd: grid.folder, detached: true, stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, URL: "http://127.0.0.1:0", ConnectionStrings__Grid: grid.url },
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let log = "";
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        log += text;
        const found = /Now listening on: (\S+)\s/.exec(log);
        if (found) resolve(found[1]);
      });
    }
    exited.then((code) => reject(new Error(`${name} ended with ${code}: ${log}`)));
  });
  return {
    url,
    get log() { return log; },
    async stop() {
      // With the program that `dotnet run` has started.
      process.kill(-child.pid, "SIGTERM");
      await exited;
    },
  };
}

/** A cable to a server, that can be pulled. */
export async function startCable(url) {
  const open = new Set();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => {});
      one.on("close", () => { open.delete(one); other.destroy(); });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() { isCut = true; for (const socket of open) socket.destroy(); },
    mend() { isCut = false; },
    stop() { this.cut(); server.close(); },
  };
}
