// A throw-away PostgreSQL, run by a user that is not root.
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { freePort, newFolder } from "./grid.mjs";

const base = "/usr/lib/postgresql";

export class PostgreSql {
  // Null, with a reason in `missing`, where there are no binaries.
  static missing = "no PostgreSQL server binaries on this machine";

  static async start() {
    const versions = existsSync(base) ? readdirSync(base).filter((v) => Number(v) >= 15 && existsSync(join(base, v, "bin/initdb"))) : [];
    if (versions.length === 0) return null;
    const server = new PostgreSql();
    server.bin = join(base, versions.sort((a, b) => b - a)[0], "bin");
    server.folder = newFolder();
    server.port = await freePort();
    if (process.getuid() === 0) {
      const id = (flag) => Number(execFileSync("id", [flag, "postgres"]).toString());
      chownSync(server.folder, id("-u"), id("-g"));
    }
    server.run("initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync");
    server.run("pg_ctl", "-D", server.data, "-w", "-l", join(server.folder, "log"), "-o", `-p ${server.port} -k ${server.folder} -c listen_addresses=127.0.0.1 -c max_connections=200`, "start");
    return server;
  }

  get data() {
    return join(this.folder, "data");
  }

  get uri() {
    return `postgresql://postgres@127.0.0.1:${this.port}/postgres`;
  }

  run(tool, ...args) {
    const line = [join(this.bin, tool), ...args];
    const full = process.getuid() === 0 ? ["runuser", "-u", "postgres", "--", ...line] : line;
    execFileSync(full[0], full.slice(1), { stdio: "ignore", cwd: "/tmp" });
  }

  stop() {
    this.run("pg_ctl", "-D", this.data, "-m", "immediate", "-w", "stop");
    rmSync(this.folder, { recursive: true, force: true });
  }
}
