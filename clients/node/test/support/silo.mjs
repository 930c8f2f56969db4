// A silo that is made up: it says what a test wants to be said, true or not.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { WebSocketServer } from "ws";

/** Remembers what services said, and answers as it is told. */
export class Silo {
  heard = [];
  leaseMs = 2_000;
  answers = {
    register: ({ n }) => ({ type: "registered", n, secret: `secret ${this.connections}`, app: "public", leaseMs: this.leaseMs, revokedKeys: [] }),
    renew: ({ n }) => ({ type: "renewed", n }),
    look: ({ n, session }) => ({ type: "looked", n, session, userId: "anna", epoch: 0, expiresAt: "2099-01-01T00:00:00.1234567+00:00" }),
  };

  /** On which a service was registered, or tried to be. */
  connections = 0;

  /** @param tls Certificate and key, for https. */
  static async start(tls) {
    const silo = new Silo();
    silo.scheme = tls ? "https" : "http";
    silo.http = (tls ? (listener) => createSecureServer(tls, listener) : createServer)((_request, response) => response.writeHead(silo.status ?? 404).end());
    silo.sockets = new WebSocketServer({ noServer: true });
    silo.http.on("upgrade", (request, socket, head) => {
      silo.request = { url: request.url, headers: request.headers };
      socket.on("error", () => {});
      if (silo.status) {
        silo.refused = (silo.refused ?? 0) + 1;
        socket.end(`HTTP/1.1 ${silo.status} No\r\n${silo.location ? `Location: ${silo.location}\r\n` : ""}Connection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      silo.sockets.handleUpgrade(request, socket, head, (socket) => silo.serve(socket));
    });
    await new Promise((resolve) => silo.http.listen(0, "127.0.0.1", resolve));
    return silo;
  }

  get url() {
    return `${this.scheme}://127.0.0.1:${this.http.address().port}`;
  }

  serve(socket) {
    // Services hang up as they like.
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString());

      // Of several attempts on a slow machine one is used.
      if (message.type === "register") {
        this.connections++;
        this.socket = socket;
      }
      this.heard.push(message);
      const answer = this.answers[message.type]?.(message);
      if (answer) socket.send(JSON.stringify(answer));
    });
  }

  /** Ends a session again and again, until that shows: on a slow machine the connection may just have been replaced. */
  async revoke(session, shows) {
    await until(() => {
      this.tell({ type: "entries", n: 1, entries: [{ position: 1, kind: 1, app: "public", tenant: "public", session, epoch: 0 }] });
      return shows();
    });
  }

  tell(message) {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  of(type) {
    return this.heard.filter((message) => message.type === type);
  }

  stop() {
    for (const socket of this.sockets.clients) socket.terminate();
    this.http.close();
    this.http.closeAllConnections();
  }
}

export const until = async (holds) => {
  for (const began = Date.now(); Date.now() - began < 90_000; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`It does not come about: ${holds}`);
};
