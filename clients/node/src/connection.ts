import { setTimeout as delay } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import WebSocket from "ws";
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

// Looks that may be unanswered; with more, renewals and confirmations would have to wait behind them.
const mostLooks = 128;

const shortRest = 1_200;
const longRest = 10_000;

/** Grid, or something in between, refuses this service: an early retry is of little use. */
export class Refused extends Error {
  constructor(
    message: string,
    /** Longest pause after repeated refusals, in milliseconds: a wrong key stays wrong, but a silo that starts may be ready at any moment. */
    readonly longestRest = longRest,
  ) {
    super(message);
  }

  static byStatus(status: number): Refused {
    const text =
      status === 401
        ? "HTTP 401: set apiKey to a key of the core API"
        : status === 503
          ? "HTTP 503: it is not ready, or has as many services as it takes; its log says which"
          : `HTTP ${status} instead of a WebSocket: if it stays, check connectionURI and what stands before it`;
    return new Refused(text, [401, 403, 429].includes(status) ? longRest : shortRest);
  }
}

/** One connection to a silo, from its opening to its end and never again: requests and their answers, and entries for the holder in the order in which they came. */
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
        this.goodbye ??= reason.toString() || undefined;
        this.abort();
        resolve();
      }),
    );
    this.ticking = setInterval(() => this.tick(), pingAfter).unref();
  }

  get isOpen(): boolean {
    return !this.over;
  }

  /** While one attempt hangs others are started, so that neither a slow path nor one that loses packets delays the connection longer than necessary. */
  static async open(holder: Holder, url: string, apiKey: string | undefined, tls: ConnectionOptions, patience: number): Promise<Connection> {
    const attempts: { socket: WebSocket; opened: Promise<WebSocket> }[] = [];
    const pauses = new AbortController();
    try {
      return await within(patience, async () => {
        while (true) {
          attempts.push(attempt(url, apiKey, tls, patience));
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
  ask(request: Message, patience: number, isBackground = true): Promise<Message> {
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
      isBackground,
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
    return this.ask(look, patience, false).then(
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
      await within(patience, () => new Promise<void>((resolve) => this.waitingLooks.push((turn = resolve))));
    } catch (late) {
      this.waitingLooks.splice(this.waitingLooks.indexOf(turn), 1);
      throw late;
    }
  }

  private ended(): Error {
    return new Error(this.goodbye === undefined ? "The connection is over." : `Grid ended the connection: ${this.goodbye}`);
  }

  private send(message: Message): void {
    this.socket.send(JSON.stringify(message), (failure) => failure && this.abort());
  }

  private onMessage(data: WebSocket.RawData, isBinary: boolean): void {
    this.heardAt = performance.now();
    if (this.over) return;
    let message: Message;
    try {
      if (isBinary) throw new SyntaxError("Messages are text.");
      message = readMessage(data.toString());
    } catch {
      // Perhaps from a newer version. What cannot be applied must not be confirmed: a new connection starts with an empty memory.
      this.abort();
      return;
    }

    switch (message.type) {
      case "entries":
        if (message.entries === undefined) {
          this.abort();
          return;
        }

        // h3: applied first, then confirmed.
        this.holder.apply(message.entries);
        this.send({ type: "confirm", n: message.n ?? 0 });
        break;
      case "lost":
        this.goodbye = message.reason;
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
    if (silent > pingAfter + silenceAllowed) this.abort();
    else if (silent > pingAfter / 2) this.socket.ping();
  }
}

function attempt(url: string, apiKey: string | undefined, tls: ConnectionOptions, patience: number): { socket: WebSocket; opened: Promise<WebSocket> } {
  const headers = apiKey === undefined ? {} : { "api-key": apiKey };
  const socket = new WebSocket(url, { ...tls, headers, handshakeTimeout: patience, maxPayload: longestMessage, perMessageDeflate: false });
  const opened = new Promise<WebSocket>((resolve, reject) => {
    // Being a holder keeps no process alive that has nothing else to do.
    socket.once("upgrade", (response) => response.socket.unref());
    socket.once("open", () => resolve(socket));
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("The connection was closed at once.")));
    socket.once("unexpected-response", (request, response) => {
      reject(Refused.byStatus(response.statusCode ?? 0));
      request.destroy();
    });
  });
  return { socket, opened };
}
