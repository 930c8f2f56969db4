// Serves the built React app with a config.json of the test's choice.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { webRoot } from "./apis.mjs";

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

export async function startSite() {
  const site = { config: {} };
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://site").pathname);
    if (path === "/config.json") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(site.config));
      return;
    }
    const file = join(webRoot, path);
    const served = extname(path) && existsSync(file) ? file : join(webRoot, "index.html");
    response.setHeader("content-type", types[extname(served)] ?? "application/octet-stream");
    createReadStream(served).pipe(response);
  });
  // Fixed where a Grid that runs already was told it: Grid:Front:WebsiteDomains.
  await new Promise((resolve) => server.listen(Number(process.env.SITE_PORT ?? 0), "127.0.0.1", resolve));
  site.port = server.address().port;
  site.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return site;
}
