// A protected Express endpoint: unprotected, with verifySession() as it is, with checkDatabase, and with the package, in one process and one run.
//   bench/Node/run [--smoke] [--output file.md]
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import express from "express";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import { gridSessions } from "grid-sessions";
import { Grid } from "../../../tests/EndToEnd/support/grid.mjs";

const doors = [
  { path: "/plain", name: "unprotected" },
  { path: "/today", name: "`verifySession()`", options: {} },
  { path: "/database", name: "`verifySession({ checkDatabase: true })`", options: { checkDatabase: true } },
  { path: "/package", name: "`verifySession()` with grid-sessions", options: { byGrid: true } },
];

/** All doors on one application. The SDK has one session recipe per process, so that an option of the endpoint says which of the two implementations is asked. */
function serve(connectionURI) {
  const sessions = gridSessions({ connectionURI });
  const functions = (original) => {
    const byGrid = sessions.functions(original);
    return { ...byGrid, getSession: (input) => (input.options?.byGrid ? byGrid : original).getSession(input) };
  };
  supertokens.init({
    framework: "express",
    supertokens: { connectionURI },
    appInfo: { appName: "bench", apiDomain: "http://localhost:3001", websiteDomain: "http://localhost:3000" },
    recipeList: [Session.init({ antiCsrf: "NONE", override: { functions } })],
  });
  const app = express();
  app.use(middleware());
  for (const { path, options } of doors) app.get(path, ...(options ? [verifySession(options)] : []), (_request, response) => response.send("hello"));
  app.use(errorHandler());
  const server = app.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
  process.on("message", () => process.send({ cpu: process.cpuUsage(), memory: process.memoryUsage().rss }));
  process.on("disconnect", () => process.exit());
}

const answerOf = (child, question) =>
  new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`The server ended with ${code}.`));
    child.once("exit", onExit);
    child.once("message", (answer) => {
      child.off("exit", onExit);
      resolve(answer);
    });
    if (question) child.send(question);
  });

/** One request in flight on each connection, for so long. */
async function load(port, requests, connections, seconds) {
  const latencies = [];
  const end = performance.now() + seconds * 1_000;
  let turn = 0;
  await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise((resolve, reject) => {
          const socket = connect(port, "127.0.0.1").setNoDelay();
          let sentAt = 0;
          let received = "";
          const send = () => {
            received = "";
            sentAt = performance.now();
            socket.write(requests[turn++ % requests.length]);
          };
          socket.on("connect", send);
          socket.on("error", reject);
          socket.on("data", (part) => {
            received += part.latin1Slice();
            const head = received.indexOf("\r\n\r\n");
            if (head < 0) return;
            const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
            if (received.length < head + 4 + length) return;
            if (!received.startsWith("HTTP/1.1 200") || !received.endsWith("hello")) {
              reject(new Error(`Refused: ${received}`));
              return;
            }
            const now = performance.now();
            latencies.push(now - sentAt);
            if (now < end) send();
            else {
              socket.destroy();
              resolve();
            }
          });
        }),
    ),
  );
  return latencies.sort((a, b) => a - b);
}

const median = (figures) => figures.sort((a, b) => a - b)[Math.floor(figures.length / 2)];

async function main() {
  const smoke = process.argv.includes("--smoke");
  const [rounds, seconds, connections] = smoke ? [1, 0.3, 16] : [7, 2, 16];
  const grid = await Grid.start();
  const server = fork(fileURLToPath(import.meta.url), ["serve", grid.url]);
  try {
    const { port } = await answerOf(server);
    const created = await Promise.all(
      Array.from({ length: 64 }, async (_, user) => {
        const body = { userId: `user-${user}`, userDataInJWT: { plan: "pro" }, userDataInDatabase: {}, useDynamicSigningKey: true, enableAntiCsrf: false };
        return (await grid.call("POST", "/recipe/session", body, { "cdi-version": "5.4" })).json.accessToken.token;
      }),
    );
    // The first answers may be 503, on a busy machine: its connection to Grid is on its way.
    for (const token of created) {
      while ((await fetch(`http://127.0.0.1:${port}/package`, { headers: { cookie: `sAccessToken=${token}` } })).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    }

    const runs = doors.map(() => []);

    // In turns, so that a busy neighbour meets all alike; the first turn warms up.
    for (let round = 0; round <= rounds; round++) {
      for (const [number, { path }] of doors.entries()) {
        const requests = created.map((token) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nCookie: sAccessToken=${token}\r\n\r\n`);
        const before = await answerOf(server, "usage");
        const began = performance.now();
        const latencies = await load(port, requests, connections, seconds);
        const took = (performance.now() - began) / 1_000;
        const after = await answerOf(server, "usage");
        if (round === 0) continue;
        runs[number].push({
          perSecond: latencies.length / took,
          p50: latencies[Math.floor(latencies.length * 0.5)],
          p99: latencies[Math.floor(latencies.length * 0.99)],
          cpu: (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / latencies.length,
        });
      }
    }

    const { memory } = await answerOf(server, "usage");
    const of = (number, figure) => median(runs[number].map((run) => run[figure]));
    const page = [
      "# A protected endpoint in Node",
      "",
      `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
      "",
      `One Express process serves all of them; ${connections} connections, one request in flight on each, 64 sessions in turn, each request with its access token in a cookie. ${rounds} rounds of ${seconds} s in alternation after one to warm up; medians, and ratios of medians. ` +
        `Load generator, server and a silo over SQLite share the cores. Command: \`bench/Node/run\`. Server memory ${Math.round(memory / 2 ** 20)} MB.`,
      "",
      "| endpoint | requests/s | of `verifySession()` | of `checkDatabase` | p50 ms | p99 ms | server CPU µs/request |",
      "|---|--:|--:|--:|--:|--:|--:|",
      ...doors.map(({ name }, number) => {
        const [rate, today, database] = [of(number, "perSecond"), of(1, "perSecond"), of(2, "perSecond")];
        return `| ${name} | ${rate.toFixed(0)} | ${(rate / today).toFixed(2)} | ${(rate / database).toFixed(2)} | ${of(number, "p50").toFixed(2)} | ${of(number, "p99").toFixed(2)} | ${of(number, "cpu").toFixed(0)} |`;
      }),
      "",
    ].join("\n");
    console.log(page);
    const output = process.argv.indexOf("--output");
    if (output > 0) writeFileSync(process.argv[output + 1], page);
  } finally {
    server.disconnect();
    await grid.stop();
  }
}

if (process.argv[2] === "serve") serve(process.argv[3]);
else await main();
