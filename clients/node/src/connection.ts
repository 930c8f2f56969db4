import dns from "node:dns";
import type { LookupAddress, LookupOptions } from "node:dns";
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import WebSocket from "ws";
import { oneLine } from "./callbacks.js";
import type { Holder } from "./holder.js";
import { readMessage, type Message } from "./messages.js";
import { within } from "./within.js";

// How long the other side may be silent before it counts as gone: a machine that lost its power, or a proxy that dropped the connection, sends no packet.
const pingAfter = 1_000;
const silenceAllowed = 2_000;

// A lost packet is sent again after one second, then two, then four: a new attempt gets through sooner.
const nextAttemptAfter = 1_000;
const goodbyeWithin = 1_000;
const longestMessage = 1024 * 1024;

// Of what the other side has not taken: one that sends and does not read would fill this process.
const longestBacklog = 1024 * 1024;

// Looks that may be unanswered; with more, renewals and confirmations would have to wait behind them.
const mostLooks = 128;

const shortRest = 1_200;
const longRest = 10_000;

const statuses: Record<number, string> = {
  200: "what answers there is no Grid; check connectionURI",
  400: "it is not understood; check connectionURI: it may name an app that does not exist, or a port that takes https only",
  401: "set apiKey to a key of the core API",
  403: "this address is not allowed there",
  404: "holders cannot connect there. Check connectionURI, its base path and /appid-…; a SuperTokens core has no such route, and neither has a Grid before 0.1",
  426: "something between this service and Grid does not pass WebSockets on (in nginx: proxy_http_version 1.1, and the headers Upgrade and Connection)",
  429: "too many requests",
  503: "it is not ready, or has as many services as it takes; its log says which",
};

/** Grid, or something in between, refuses this service: an early retry is of little use. */
export class Refused extends Error {
  constructor(
    message: string,
    /** Longest pause after repeated refusals, in milliseconds: a wrong key stays wrong, but a silo that starts may be ready at any moment. */
    readonly longestRest = longRest,
  ) {
    super(message);
  }

  static byStatus(status: number, location?: string): Refused {
    const text = statuses[status] ?? "if it stays, check connectionURI and what stands before it";
    const where = status >= 300 && status < 400 ? ` to ${location === undefined ? "nowhere" : oneLine(location)}, which is not followed: connectionURI must be the core API's own address` : `: ${text}`;
    return new Refused(`HTTP ${status}${where}`, [401, 403, 429].includes(status) ? longRest : shortRest);
  }
}

/**
 * One connection to a silo, from its opening to its end and never again: requests and their answers, and entries for the holder in the order in which they came.
 * Longer than most files: whatever can end a connection is read in one place.
 */
export class Connection {
  private readonly waiting = new Map<number, { resolve: (answer: Message) => void; reject: (why: Error) => void }>();
  private readonly waitingLooks: (() => void)[] = [];
  private readonly closed: Promise<void>;
  private readonly ticking: NodeJS.Timeout;
  private looks = 0;
  private number = 0;
  private incarnation: string | undefined;
  private over = false;
  private heardAt = performance.now();
  private tickedAt = performance.now();

  /** Where it leads. */
  get url(): string {
    return this.socket.url;
  }

  /** Why Grid ended it, if it said so. */
  goodbye: string | undefined;

  private constructor(
    private readonly holder: Holder,
    private readonly socket: WebSocket,
  ) {
    socket.on("message", (data, isBinary) => this.onMessage(data, isBinary));
    socket.on("ping", () => (this.heardAt = performance.now()));
    socket.on("pong", () => (this.heardAt = performance.now()));
    socket.on("error", () => this.abort());
    this.closed = new Promise((resolve) =>
      socket.on("close", (_code, reason) => {
        this.goodbye ??= oneLine(reason.toString()) || undefined;
        this.abort();
        resolve();
      }),
    );
    this.ticking = setInterval(() => this.tick(), pingAfter).unref();
  }

  get isOpen(): boolean {
    return !this.over;
  }

  /**
   * While one attempt hangs others are started, so that neither a slow path nor one that loses packets delays the connection longer than necessary. Each goes to
   * the next of the addresses.
   */
  static async open(holder: Holder, urls: readonly string[], apiKey: string | undefined, tls: ConnectionOptions, patience: number): Promise<Connection> {
    const attempts: { socket: WebSocket; opened: Promise<WebSocket> }[] = [];
    let started = 0;
    const pauses = new AbortController();
    try {
      return await within(patience, async () => {
        while (true) {
          attempts.push(attempt(urls[started % urls.length]!, apiKey, tls, patience, Math.floor(started++ / urls.length)));
          const pause = delay(nextAttemptAfter, undefined, { signal: pauses.signal, ref: false }).catch(() => undefined);
          const first = await Promise.race([...attempts.map((attempt) => attempt.opened), pause]);
          if (pauses.signal.aborted) throw new Error("Given up.");
          if (first instanceof WebSocket) return new Connection(holder, attempts.splice(attempts.findIndex((attempt) => attempt.socket === first), 1)[0]!.socket);
        }
      });
    } finally {
      pauses.abort();
      for (const { socket, opened } of attempts) {
        opened.catch(() => undefined);
        socket.terminate();
      }
    }
  }

  /** Sends a request and waits for its answer. Rejects if the connection ends, or after that long. */
  ask(request: Message, patience: number): Promise<Message> {
    this.incarnation ??= request.incarnation;
    const n = ++this.number;
    return within(
      patience,
      () =>
        new Promise<Message>((resolve, reject) => {
          if (this.over) {
            reject(this.ended());
            return;
          }

          this.waiting.set(n, { resolve, reject });
          this.send({ ...request, n });
        }),
      true,
    ).finally(() => this.waiting.delete(n));
  }

  /** Sends a look, in its turn if too many are under way. */
  async look(look: Message, patience: number): Promise<Message> {
    if (this.looks >= mostLooks) await this.turn(patience);
    this.looks++;
    const n = this.number + 1;
    const done = () => {
      this.looks--;
      this.waitingLooks.shift()?.();
    };

    // Its place is free when it is answered, not when its caller gives up: until then the silo is busy with it.
    return this.ask(look, patience).then(
      (answer) => (done(), answer),
      (failure: unknown) => {
        if (this.over) done();
        else this.waiting.set(n, { resolve: done, reject: done });
        throw failure;
      },
    );
  }

  /** Says that this service has stopped accepting sessions, and closes; waits a second for the other side. */
  async leave(): Promise<void> {
    if (!this.over) {
      this.send({ type: "leave" });
      this.socket.close(1000);
      await Promise.race([this.closed, delay(goodbyeWithin)]);
    }

    this.abort();
  }

  /** Ends it without a word. */
  abort(): void {
    if (!this.over) {
      this.over = true;
      clearInterval(this.ticking);
      for (const { reject } of [...this.waiting.values()]) reject(this.ended());
      this.waiting.clear();
      for (const turn of this.waitingLooks.splice(0)) turn();
    }

    this.socket.terminate();
  }

  private async turn(patience: number): Promise<void> {
    let turn: () => void = () => undefined;
    try {
      await within(patience, () => new Promise<void>((resolve) => this.waitingLooks.push((turn = resolve))), true);
    } catch (late) {
      // If its turn has come just now, it is the next one's.
      const place = this.waitingLooks.indexOf(turn);
      if (place >= 0) this.waitingLooks.splice(place, 1);
      else this.waitingLooks.shift()?.();
      throw late;
    }
  }

  private ended(): Error {
    return new Error(this.goodbye === undefined ? "The connection is over." : `Grid ended the connection: ${this.goodbye}`);
  }

  private send(message: Message): void {
    this.socket.send(JSON.stringify(message), (failure) => failure && this.abort());
    if (this.socket.bufferedAmount > longestBacklog) this.abort();
  }

  private onMessage(data: WebSocket.RawData, isBinary: boolean): void {
    this.heardAt = performance.now();
    if (this.over) return;
    try {
      if (isBinary) throw new SyntaxError("Messages are text.");
      this.take(readMessage(data.toString()));
    } catch {
      // Perhaps from a newer version. What cannot be applied must not be confirmed: a new connection starts with an empty memory.
      this.abort();
    }
  }

  private take(message: Message): void {
    switch (message.type) {
      case "entries":
        if (message.entries === undefined) throw new SyntaxError("There are no entries.");

        // h3: applied first, then confirmed.
        this.holder.apply(message.entries);
        this.send({ type: "confirm", n: message.n ?? 0 });
        break;
      case "lost":
        this.goodbye = oneLine(message.reason ?? "") || undefined;
        if (this.holder.incarnation !== undefined && this.holder.incarnation === this.incarnation) this.holder.forget();
        this.abort();
        break;
      default:
        this.waiting.get(message.n ?? 0)?.resolve(message);
        this.waiting.delete(message.n ?? 0);
    }
  }

  private tick(): void {
    const now = performance.now();

    // Late: this process stood still, and what the other side sent meanwhile has not been read yet.
    const wasStill = now - this.tickedAt > pingAfter + silenceAllowed / 2;
    this.tickedAt = now;
    if (wasStill) this.heardAt = now;
    const silent = now - this.heardAt;
    if (silent > pingAfter + silenceAllowed) {
      // Sockets are read after timers.
      setImmediate(() => {
        if (this.heardAt <= now) this.abort();
      });
    } else if (silent > pingAfter / 2) {
      this.socket.ping();
    }
  }
}

function attempt(url: string, apiKey: string | undefined, tls: ConnectionOptions, patience: number, number: number): { socket: WebSocket; opened: Promise<WebSocket> } {
  const headers = apiKey === undefined ? {} : { "api-key": apiKey };
  const lookup = lookupFrom(number);
  const socket = new WebSocket(url, { lookup, ...tls, headers, handshakeTimeout: patience, maxPayload: longestMessage, perMessageDeflate: false, followRedirects: false });
  const opened = new Promise<WebSocket>((resolve, reject) => {
    // Being a holder keeps no process alive that has nothing else to do.
    socket.once("upgrade", (response) => response.socket.unref());
    socket.once("open", () => resolve(socket));
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("The connection was closed at once.")));
    socket.once("unexpected-response", (request, response) => {
      reject(Refused.byStatus(response.statusCode ?? 0, response.headers.location));
      request.destroy();
    });
  });
  return { socket, opened };
}

type Found = (failure: NodeJS.ErrnoException | null, addresses: string | LookupAddress[], family?: number) => void;

/**
 * Of a name with several addresses each attempt begins with another one. Node goes on to the next by itself only if a connection fails: a silo that stands still
 * takes connections and says nothing.
 */
function lookupFrom(number: number): (host: string, options: LookupOptions, found: Found) => void {
  return (host, options, found) =>
    dns.lookup(host, { ...options, all: true }, (failure, addresses) => {
      if (failure) {
        found(failure, []);
        return;
      }

      const first = number % Math.max(1, addresses.length);
      const turned = [...addresses.slice(first), ...addresses.slice(0, first)];
      if (options.all) found(null, turned);
      else found(null, turned[0]?.address ?? "", turned[0]?.family);
    });
}
