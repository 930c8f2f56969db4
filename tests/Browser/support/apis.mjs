// The sample's two APIs as processes; both understand the same environment variables.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { given } from "../../EndToEnd/support/grid.mjs";

const sample = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "samples", "react-app");
const commands = {
  express: ["node", join(sample, "express-api", "server.mjs")],
  dotnet: ["dotnet", join(sample, "dotnet-api", "bin", "Release", "net10.0", "Grid.Samples.ReactApi.dll")],
};

export const apiNames = Object.keys(commands);
export const webRoot = join(sample, "web", "dist");

/** Starts an API and waits until it listens. */
export async function startApi(name, { port, ...environment }) {
  const [command, ...rest] = commands[name];
  const apiKey = given()?.apiKey;
  const child = spawn(command, rest, { env: { ...process.env, PORT: String(port), ...(apiKey && { GRID_API_KEY: apiKey }), ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let log = "";
  await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        log += text;
        if (log.includes("listening on ")) resolve();
      });
    }
    exited.then((code) => reject(new Error(`${name} ended with ${code}: ${log}`)));
  });
  return {
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
