import { AsyncResource } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { callGuarded, describe, oneLine } from "./callbacks.js";
import { Checks, type Liveness } from "./checks.js";
import type { Clock } from "./clock.js";
import { Connection, Refused } from "./connection.js";
import { reasonOf } from "./failures.js";
import { parseHandle, type SessionName } from "./handle.js";
import { Holder, type FoundSession } from "./holder.js";
import type { Watch } from "./watches.js";
import { Late, within } from "./within.js";

const longestLease = 60_000;

// Version of the rules that holder.ts follows. Neighbouring ones work together.
const protocol = 1;

// How many renewals' time an answer may take.
const renewalsToWait = 3.5;
const retryAfter = 400;

// The log is kept at least three times as long.
const longestSilence = 5 * 60_000;

// A silo commits a registration in milliseconds; one that is silent for longer has probably gone. But a thousand services that come back at once wait for each other.
const registerWithin = 1_500;
const registerAtLastWithin = 6_000;
const shortAttempts = 4;
const firstRest = 500;

// The first request waits this long for the first connection; without Grid it is answered 503.
const firstFreshWithin = 2_000;
const recheckEvery = 2_000;

// At once, of all watched sessions that have to be looked up: requests shall not wait behind them.
const rechecksAtOnce = 32;

// As long as Grid keeps it.
const longestName = 100;
const leaveWithin = 1_000;

export interface ServiceOptions {
  /** Core APIs to connect to, each tried in turn. */
  readonly cores: readonly string[];
  readonly apiKey: string | undefined;
  readonly name: string;
  readonly tls: ConnectionOptions;

  /** Sessions to remember at most. */
  readonly capacity?: number | undefined;

  /** Longest wait for a look, in milliseconds. */
  readonly timeout: number;
  readonly log: (message: string) => unknown;
}

// Those that are to leave when the process ends: one listener for all, or Node warns of a leak when there are more than ten.
const running = new Set<Service>();

function onBeforeExit(): void {
  for (const service of running) void service.close();
}

/**
 * This process as a holder: connects, registers, renews, and comes back whatever happens. It becomes one with the first token that it checks, and not before.
 * Longer than most files: how the connection's life and the registration's follow each other is read in one place.
 */
export class Service {
  readonly holder: Holder;
  private readonly checks: Checks;

  // It begins within some request and outlives it: what belongs to that request (AsyncLocalStorage) shall neither be kept for ever nor appear in the log.
  private readonly scope = new AsyncResource("GridSessions");
  private connection: Connection | undefined;
  private unused: Connection | undefined;
  private former: { incarnation: string; secret: string } | undefined;
  private lease = 10_000;
  private next = 0;
  private unanswered = 0;
  private refusals = 0;
  private rest: { refusal: Refused; until: number } | undefined;
  private wakeUp: () => void = () => undefined;
  private nudged = false;
  private failing = false;
  private reported: string | undefined;
  private core: string;
  private isRechecking = false;
  private running: Promise<void> | undefined;
  private firstAttempt: Promise<void> | undefined;
  private tried: () => void = () => undefined;
  private stopped = false;
  private rechecking: NodeJS.Timeout | undefined;

  /** What the app says of valid tokens whose sessions cannot be checked. */
  bounded = false;

  constructor(
    private readonly options: ServiceOptions,
    private readonly clock: Clock,
  ) {
    this.core = options.cores[0]!;
    this.holder = new Holder(clock, options.capacity);
    this.holder.onSuspected = () => this.nudge();
    this.checks = new Checks(this.holder, (name) => this.look(name));
  }

  /** Resolves when it is fresh for the first time, or its first attempt has failed, within two seconds; attempts go on. */
  begin(): Promise<void> {
    if (this.running === undefined && !this.stopped) {
      this.firstAttempt = new Promise((resolve) => {
        const timer = setTimeout(resolve, firstFreshWithin).unref();
        this.tried = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (running.size === 0) process.on("beforeExit", onBeforeExit);
      running.add(this);
      this.scope.runInAsyncScope(() => {
        this.running = this.run();
        this.rechecking = setInterval(() => void this.recheck(), recheckEvery).unref();
      });
    }

    return this.firstAttempt ?? Promise.resolve();
  }

  /** Whether a session lives. Never rejects: whatever fails, or takes longer than `timeout`, the holder cannot tell. */
  async find(name: SessionName, isBackground = false): Promise<Liveness> {
    const work = async () => {
      await this.begin();
      return await this.checks.find(name);
    };
    try {
      return await within(this.options.timeout, work, isBackground);
    } catch {
      return "unknown";
    }
  }

  watch(name: SessionName, callback: () => unknown): Watch {
    const bound = AsyncResource.bind(callback);
    const watch = this.holder.watch(name.handle, () => callGuarded(bound, (failure) => this.say(`A callback of onEnded failed: ${describe(failure)}`)));
    void this.find(name, true);
    return watch;
  }

  /** Stops accepting and leaves the registry, so that no revocation waits for this process. */
  async close(): Promise<void> {
    this.stopped = true;
    if (running.delete(this) && running.size === 0) process.off("beforeExit", onBeforeExit);
    clearInterval(this.rechecking);
    this.holder.forget();
    this.nudge();
    this.unused?.abort();
    await this.connection?.leave();
    if (this.running) await Promise.race([this.running, delay(leaveWithin)]);
  }

  private async run(): Promise<void> {
    let incarnation: string | undefined;
    let heard = this.both();
    while (!this.stopped) {
      let pause = this.renewEvery * (0.9 + 0.2 * Math.random());
      try {
        const isNew = incarnation === undefined;
        if (incarnation === undefined) {
          this.holder.forget();
          heard = this.both();
          incarnation = await this.register();
        }

        const ticket = this.holder.startRenewal();
        if (ticket === undefined) throw new Error(this.connection?.goodbye ?? "The incarnation is over.");
        const asked = this.both();
        if (!this.connection?.isOpen) {
          // Known sessions are vouched for until the lease ends; they are given up only now that there is a connection to register on.
          this.unused = await this.open();
          incarnation = undefined;
          if (this.connection?.goodbye !== undefined && !this.failing) this.say(`Grid ended the connection: ${this.connection.goodbye}. This service looks its sessions up again`);
          continue;
        }

        const answer = await this.connection.ask({ type: "renew" }, this.renewWithin);
        if (answer.type !== "renewed") throw new Error("Grid could not renew.");
        if (this.isTooLong(heard)) {
          // What it missed may have been purged from the log.
          this.holder.forget();
          incarnation = undefined;
          await this.connection.leave();
          continue;
        }

        heard = asked;
        this.holder.completeRenewal(ticket);
        if (this.failing) this.say("There is a connection to Grid again");
        [this.failing, this.reported] = [false, undefined];
        this.tried();
        if (isNew) void this.recheck();
      } catch (failure) {
        this.onFailed(failure);
        pause = retryAfter * (0.5 + Math.random());
        if (incarnation === undefined || this.holder.incarnation !== incarnation) incarnation = undefined;
      }

      await this.restFor(pause);
    }

    this.holder.forget();
  }

  private get renewEvery(): number {
    return Math.min(this.lease / 4, 1_000);
  }

  private get renewWithin(): number {
    return renewalsToWait * this.renewEvery;
  }

  private both(): { now: number; wall: number } {
    return { now: this.clock.now(), wall: this.clock.wall() };
  }

  // By either clock: one of them may have stopped with the machine.
  private isTooLong(since: { now: number; wall: number }): boolean {
    return this.clock.now() - since.now > longestSilence || Math.abs(this.clock.wall() - since.wall) > longestSilence;
  }

  private async register(): Promise<string> {
    this.connection?.abort();
    const connection = (this.connection = this.unused?.isOpen ? this.unused : await this.open());
    this.unused = undefined;
    try {
      const incarnation = randomUUID();
      const request = { type: "register", incarnation, name: this.options.name.slice(0, longestName), protocol, ...(this.former && { former: this.former.incarnation, secret: this.former.secret }) };
      const answer = await connection.ask(request, this.unanswered < shortAttempts ? registerWithin : registerAtLastWithin);
      if (answer.type === "failed") throw this.refuse(new Refused(`Grid refuses this service: ${oneLine(answer.reason ?? "")}`));
      const { app, leaseMs, secret } = answer;
      if (answer.type !== "registered" || !app || leaseMs === undefined || leaseMs <= 0 || leaseMs > longestLease) {
        throw new Error("What answers there does not register holders: it is no Grid of this version.");
      }

      const theirs = answer.protocol ?? 1;
      if (Math.abs(theirs - protocol) > 1) {
        throw this.refuse(new Refused(`Grid follows version ${theirs} of the holders' protocol, and this package version ${protocol}: upgrade ${theirs > protocol ? "the package" : "Grid"}`));
      }

      // Proves to the next silo that this row is its own.
      this.former = secret === undefined ? undefined : { incarnation, secret };
      [this.unanswered, this.refusals, this.lease] = [0, 0, leaseMs];
      this.bounded = answer.bounded === true;

      // It may have been closed meanwhile, or been told that it is over.
      if (this.stopped || !connection.isOpen) throw new Error(connection.goodbye ?? "The connection is over.");
      this.holder.begin(incarnation, app, leaseMs, answer.revokedKeys ?? []);
      return incarnation;
    } catch (failure) {
      // Whether it was registered is not known: this incarnation is never used.
      if (failure instanceof Late) this.unanswered++;
      connection.abort();
      throw failure;
    }
  }

  private async open(): Promise<Connection> {
    if (this.rest !== undefined) {
      if (this.clock.now() < this.rest.until) throw this.rest.refusal;
      this.rest = undefined;
    }

    const { cores } = this.options;
    const first = this.next++ % cores.length;
    const inTurn = [...cores.slice(first), ...cores.slice(0, first)];
    this.core = inTurn[0]!;
    try {
      const connection = await Connection.open(this.holder, inTurn.map(addressOf), this.options.apiKey, this.options.tls, this.renewWithin);
      if (this.stopped) {
        connection.abort();
        throw new Error("This service ends.");
      }

      // Stays with one that works.
      this.next = Math.max(0, cores.findIndex((core) => addressOf(core) === connection.url));
      this.core = cores[this.next]!;
      return connection;
    } catch (failure) {
      throw failure instanceof Refused ? this.refuse(failure) : failure;
    }
  }

  // Doubled each time, and jittered, so that services that were refused together do not come back together.
  private refuse(refusal: Refused): Refused {
    const rest = Math.min(firstRest * 2 ** Math.min(this.refusals++, 6), refusal.longestRest) * (0.5 + 0.5 * Math.random());
    this.rest = { refusal, until: this.clock.now() + rest };
    return refusal;
  }

  private async look(name: SessionName): Promise<FoundSession | undefined> {
    if (!this.connection?.isOpen) throw new Error("There is no connection to Grid.");
    const answer = await this.connection.look({ type: "look", tenant: name.tenant, session: name.id }, this.options.timeout);
    if (answer.type !== "looked") throw new Error("Grid's store does not answer.");
    const { session, userId, epoch, expiresAt } = answer;
    if (session === undefined) return undefined;
    if (session !== name.id) throw new Error("Grid's answer is of another session.");
    if (userId === undefined || epoch === undefined || expiresAt === undefined) throw new Error("Grid's answer cannot be read.");
    return { handle: name.handle, tenant: name.tenant, userId, epoch, expiresAt: Date.parse(expiresAt) };
  }

  // An expiry has no entry, and what ended while there was no connection none that came here.
  private async recheck(): Promise<void> {
    // A slow store gets no more of them with each round.
    if (this.isRechecking) return;
    this.isRechecking = true;
    const unseen = this.holder.unseenWatched().values();
    await Promise.all(
      Array.from({ length: rechecksAtOnce }, async () => {
        for (const handle of unseen) await this.find(parseHandle(handle)!, true);
      }),
    );
    this.isRechecking = false;
  }

  // It is tried again at once, and an outage, until the next renewal, is one event. That the other side is there and refuses is another.
  private onFailed(failure: unknown): void {
    this.tried();
    if (this.stopped) return;
    const text = reasonOf(failure);
    const refusal = failure instanceof Refused ? text : undefined;
    if (!this.failing || (refusal !== undefined && refusal !== this.reported)) {
      this.failing = true;
      this.reported = refusal ?? this.reported;
      this.say(`There is no connection to Grid at ${nameOfCore(this.core)} (${text}). Known sessions are accepted until the lease ends; trying again`);
    }
  }

  // A log that fails is no reason to end the service, nor with an unhandled rejection the process. There is nobody else to tell.
  private say(text: string): void {
    callGuarded(
      () => this.options.log(text),
      () => undefined,
    );
  }

  private nudge(): void {
    this.nudged = true;
    this.wakeUp();
  }

  private restFor(time: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, time).unref();
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.nudged) this.wakeUp();
      this.nudged = false;
    }).finally(() => (this.nudged = false));
  }
}

// Without a user's name and password, if somebody has put them there.
function nameOfCore(core: string): string {
  const { protocol, host, pathname } = new URL(core);
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}

function addressOf(core: string): string {
  const url = new URL(core);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/session/holder`;
  return url.toString();
}
