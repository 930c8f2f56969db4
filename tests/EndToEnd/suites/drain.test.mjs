// Two silos behind nginx; one of them is asked to end while requests keep coming.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Grid, freePort, newFolder, newKeyFile } from "../support/grid.mjs";
import { PostgreSql } from "../support/postgresql.mjs";

const noNginx = spawnSync("nginx", ["-v"]).error ? "nginx is not on this machine" : false;
const server = noNginx ? null : await PostgreSql.start();
const workers = 8;

describe("a silo is asked to end under load", { skip: noNginx || (server === null ? PostgreSql.missing : false), timeout: 600_000 }, () => {
  let silos, nginx, folder, port;
  // Each with a connection of its own: what a client meets when nginx reloads is not what is tried here.
  const agent = new Agent({ keepAlive: false });

  // As an ingress controller writes it: the silos whose readiness is green, and kept-alive connections to them.
  const balance = (ports) => {
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n");
    writeFileSync(join(folder, "main.conf"), `daemon off; pid ${folder}/pid; error_log stderr;
events {}
http {
access_log off;
${temp}
upstream core { ${ports.map((silo) => `server 127.0.0.1:${silo};`).join(" ")} keepalive 16; }
server {
  listen 127.0.0.1:${port};
  location / { proxy_pass http://core; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; }
}
}
`);
  };

  before(async () => {
    const settings = { POSTGRESQL_CONNECTION_URI: server.uri, Grid__Keys__EncryptionKeyFile: newKeyFile(), Grid__Shutdown__Drain: "00:00:06" };
    silos = await Promise.all([1, 2].map(() => Grid.start(settings)));
    port = await freePort();
    folder = newFolder();
    mkdirSync(join(folder, "logs"));
    balance(silos.map((silo) => silo.port));
    nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "main.conf")], { stdio: "inherit" });
    for (let attempt = 0; ; attempt++) {
      try {
        await fetch(`http://127.0.0.1:${port}/hello`);
        break;
      } catch (failure) {
        if (attempt > 100) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  });

  after(async () => {
    agent.destroy();
    nginx?.kill("SIGTERM");
    await Promise.all((silos ?? []).map((silo) => silo.kill()));
    server.stop();
  });

  const create = () =>
    new Promise((resolve) => {
      const body = JSON.stringify({ userId: "drained", enableAntiCsrf: false, userDataInJWT: {}, userDataInDatabase: {} });
      const call = request({ port, host: "127.0.0.1", path: "/recipe/session", method: "POST", agent, headers: { "content-type": "application/json", "content-length": body.length } });
      call.on("response", (answer) => answer.resume().on("end", () => resolve(answer.statusCode)));
      call.on("error", (failure) => resolve(failure.code));
      call.end(body);
    });

  it("loses no request, and says in its log how far it is", async () => {
    const [leaving, staying] = silos;
    const answers = new Map();
    let going = true;
    const load = Array.from({ length: workers }, async () => {
      while (going) {
        const answer = await create();
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    });
    const until = async (condition) => {
      for (let attempt = 0; !(await condition()); attempt++) {
        assert.ok(attempt < 600, leaving.log);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await until(() => (answers.get(200) ?? 0) > 100);

    leaving.process.kill("SIGTERM");
    await until(async () => (await fetch(`${leaving.url}/health/ready`)).status === 503);
    const last = await fetch(`${leaving.url}/hello`);
    assert.equal(last.status, 200);
    assert.equal(last.headers.get("connection"), "close");
    assert.equal((await fetch(`${staying.url}/health/ready`)).status, 200);
    balance([staying.port]);
    nginx.kill("SIGHUP");

    assert.equal(await leaving.exited, 0);
    const sofar = answers.get(200);
    await until(() => answers.get(200) > sofar + 100);
    going = false;
    await Promise.all(load);
    assert.deepEqual([...answers.keys()], [200], JSON.stringify([...answers]));

    const phases = ["Shutting down: readiness is red", "Drained: ", "Ports closed", "Stopped"].map((phase) => leaving.log.indexOf(phase));
    assert.ok(phases.every((at, i) => at > (i === 0 ? 0 : phases[i - 1])), leaving.log);
  });

  it("ends at once when it is asked a second time", async () => {
    const silo = silos[1];
    silo.process.kill("SIGTERM");
    while ((await fetch(`${silo.url}/health/ready`)).status !== 503) await new Promise((resolve) => setTimeout(resolve, 20));
    silo.process.kill("SIGTERM");
    assert.equal(await silo.exited, 0);
  });
});
