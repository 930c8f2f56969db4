import type { Clock } from "./clock.js";
import { Freshness } from "./freshness.js";
import { nameOf } from "./handle.js";
import { Tombstones, userKey, type FoundSession } from "./tombstones.js";
import { Watch, Watches } from "./watches.js";

export type { FoundSession } from "./tombstones.js";

/** What an entry ends. Other numbers come from later versions. */
export const EntryKind = { session: 1, user: 2, tenant: 3, app: 4, signingKey: 5 } as const;

/** An entry of the revocation log as Grid sends it (docs/protocol/holder.md). */
export interface Entry {
  readonly position: number;
  readonly kind: number;
  readonly app: string;
  readonly tenant?: string;
  readonly session?: string;
  readonly userId?: string;
  readonly epoch?: number;
  readonly kept?: string;
  readonly kid?: string;
}

/** The outcome of a check (h5): it lives; it is not known, so look; or the holder cannot tell. */
export type Verdict = "known" | "unknown" | "notFresh";

/** The outcome of a look (h4): it lives; there is none; or the answer was overtaken, so look again. */
export type LookOutcome = "known" | "notThere" | "void";

/** W: for so long an entry overrules what looks find, and a revoker waits for a silent holder. */
export function waitOf(lease: number): number {
  return 1.25 * lease + 250;
}

// Fewer sessions than that are removed in no time.
const mostOneByOne = 1_000;

/** A session that the holder vouches for while it is fresh. */
interface Known {
  readonly found: FoundSession;

  /** Checked since the last round of forgetting. */
  used: boolean;
}

/** What one incarnation knows. The next one starts empty, and tickets of this one are void. */
interface Incarnation {
  readonly id: string;
  readonly app: string;
  readonly freshness: Freshness;
  readonly wait: number;
  sessions: Map<string, Known>;
  users: Map<string, string | Set<string>>;

  /** How many sessions of each tenant there are. */
  readonly tenants: Map<string, number>;
  readonly tombstones: Tombstones;
  applied: number;

  /** Stands before the session that is the next to be forgotten. */
  hand: IterableIterator<Known> | undefined;
}

/** A renewal under way (h2). */
export interface RenewalTicket {
  readonly of: Incarnation;
  readonly sentAt: number;
  readonly wallAt: number;
}

/** A look under way (h4). */
export interface LookTicket {
  readonly of: Incarnation;
  readonly handle: string;
  readonly startedAt: number;
  readonly applied: number;
}

/**
 * Which sessions this process vouches for, and until when: rules h1–h6 of docs/protocol/holder.md and nothing else. It does no I/O and waits for nothing; since
 * JavaScript runs one thing at a time, whatever was applied is seen by every check that follows. Longer than most files: the rules are read in one place.
 */
export class Holder {
  private readonly watches = new Watches();
  private readonly revoked = new Set<string>();
  private state: Incarnation | undefined;

  /** Freshness was lost because the clocks disagree: renew at once. */
  onSuspected: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    /** Sessions to remember at most; those not checked lately are forgotten first. */
    private readonly capacity = 1_000_000,
  ) {}

  get incarnation(): string | undefined {
    return this.state?.id;
  }

  get isFresh(): boolean {
    return this.state?.freshness.freshNow() !== undefined;
  }

  get count(): number {
    return this.state?.sessions.size ?? 0;
  }

  /** Whether any signing key was revoked. */
  get knowsRevokedKeys(): boolean {
    return this.revoked.size > 0;
  }

  isRevokedKey(kid: string): boolean {
    return this.revoked.has(kid);
  }

  /** h1: forgets everything, and vouches for nothing until the next {@link begin}. */
  forget(): void {
    this.state?.freshness.end();
    this.state = undefined;
  }

  /** h1: starts an incarnation that is registered. It knows nothing, and is not fresh before its first renewal. */
  begin(id: string, app: string, lease: number, revokedKeys: Iterable<string>): void {
    this.forget();
    for (const kid of revokedKeys) this.revoked.add(kid);
    this.state = {
      id,
      app,
      freshness: new Freshness(this.clock, lease, () => this.onSuspected?.()),
      wait: waitOf(lease),
      sessions: new Map(),
      users: new Map(),
      tenants: new Map(),
      tombstones: new Tombstones(waitOf(lease)),
      applied: 0,
      hand: undefined,
    };
  }

  /** h2: before the renewal is sent. Undefined if nothing is registered. */
  startRenewal(): RenewalTicket | undefined {
    return this.state && { of: this.state, sentAt: this.clock.now(), wallAt: this.clock.wall() };
  }

  /** h2: applies what the renewal brought, and only then vouches on. False, with nothing done, if the incarnation is over. */
  completeRenewal(ticket: RenewalTicket, entries: readonly Entry[] = []): boolean {
    if (ticket.of !== this.state) return false;
    this.apply(entries);
    ticket.of.freshness.extend(ticket.sentAt, ticket.wallAt);
    return true;
  }

  /** h3: when this returns no check accepts what the entries end; then it may be confirmed. */
  apply(entries: readonly Entry[]): void {
    const state = this.state;
    if (state) {
      const now = this.clock.now();
      state.tombstones.purge(now);
      for (const entry of entries) this.applyOne(state, entry, now);
    }

    for (const entry of entries) {
      if (entry.kind === EntryKind.signingKey && entry.kid !== undefined) this.revoked.add(entry.kid);
    }
  }

  /** h4: before the store is asked. Undefined if there is no point in asking, because the holder is not fresh. */
  startLook(handle: string): LookTicket | undefined {
    const state = this.state;
    if (state === undefined || state.freshness.freshNow() === undefined) return undefined;
    return { of: state, handle, startedAt: this.clock.now(), applied: state.applied };
  }

  /** h4: takes the store's answer over, unless it was overtaken. */
  completeLook(ticket: LookTicket, found: FoundSession | undefined): LookOutcome {
    const state = ticket.of;
    if (state !== this.state || this.clock.now() - ticket.startedAt >= state.wait) return "void";
    if (found === undefined) {
      // Its row is gone without an entry: it expired, or its entry is still on the way.
      remove(state, ticket.handle);
      this.watches.endOlder(ticket.handle, ticket.startedAt);
      return "notThere";
    }

    if (state.tombstones.covers(found, ticket.applied)) return "void";
    this.add(state, found);
    return "known";
  }

  /** h5: whether the holder vouches for a session. The clock is read last. */
  check(handle: string): Verdict {
    const state = this.state;
    if (state === undefined) return "notFresh";
    const known = state.sessions.get(handle);
    if (known === undefined) return "unknown";
    const wall = state.freshness.freshNow();
    if (wall === undefined) return "notFresh";
    if (known.found.expiresAt <= wall) return "unknown";
    known.used = true;
    return "known";
  }

  /** Watches a session, known or not. The callback must not throw. */
  watch(handle: string, callback: () => void): Watch {
    const watch = new Watch(handle, this.clock.now(), callback);
    this.watches.add(watch);
    return watch;
  }

  unwatch(watch: Watch): void {
    watch.stop();
    this.watches.remove(watch);
  }

  /** Watched sessions that the holder does not vouch for now: not seen yet, ended or expired. */
  unseenWatched(): string[] {
    return this.watches.handles.filter((handle) => this.check(handle) !== "known");
  }

  private applyOne(state: Incarnation, entry: Entry, now: number): void {
    state.applied++;
    switch (entry.kind) {
      case EntryKind.session:
        if (entry.session === undefined || entry.tenant === undefined) break;
        const { handle } = nameOf(entry.session, entry.tenant);
        if (entry.app === state.app) {
          remove(state, handle);
          this.watches.end(handle);
          state.tombstones.addSession(handle, now);
        }
        return;
      case EntryKind.user:
        if (entry.userId === undefined || entry.tenant === undefined) break;
        if (entry.app === state.app) this.endUser(state, entry.tenant, entry.userId, entry, now);
        return;
      case EntryKind.tenant:
        if (entry.tenant === undefined) break;
        if (entry.app === state.app) this.endScope(state, entry, entry.tenant, now);
        return;
      case EntryKind.app:
        if (entry.app === state.app) this.endScope(state, entry, undefined, now);
        return;
      case EntryKind.signingKey:
        // Ends no session.
        if (entry.kid === undefined) break;
        return;
    }

    // A later version revoked something that this one does not know, or what it says cannot be understood: forget everything.
    this.endScope(state, entry, undefined, now);
  }

  private endUser(state: Incarnation, tenant: string, userId: string, entry: Entry, now: number): void {
    const epoch = entry.epoch ?? 0;
    const kept = entry.kept === undefined ? undefined : nameOf(entry.kept, tenant).handle;
    const handles = state.users.get(userKey(tenant, userId));
    for (const handle of typeof handles === "string" ? [handles] : [...(handles ?? [])]) {
      const known = state.sessions.get(handle);
      if (known && known.found.epoch < epoch && handle !== kept) {
        remove(state, handle);
        this.watches.end(handle);
      }
    }

    state.tombstones.addUser(tenant, userId, epoch, now);
  }

  // Forgotten in any case. Their watches end by an entry that is new; when one is repeated they are looked at again, because what is known by then may have
  // been made after it.
  private endScope(state: Incarnation, entry: Entry, tenant: string | undefined, now: number): void {
    const isNew = state.tombstones.addScope(tenant, entry.position, state.applied, now);
    const concerns = ({ found }: Known) => tenant === undefined || found.tenant === tenant;
    if (isNew) {
      for (const handle of this.watches.handles) {
        const known = state.sessions.get(handle);
        if (known && concerns(known)) this.watches.end(handle);
      }
    }

    const count = tenant === undefined ? state.sessions.size : (state.tenants.get(tenant) ?? 0);
    if (count === 0) return;
    if (count > mostOneByOne && count > state.sessions.size / 2) {
      keepOnly(state, (known) => !concerns(known));
      return;
    }

    for (const [handle, known] of state.sessions) {
      if (concerns(known)) remove(state, handle);
    }
  }

  private add(state: Incarnation, found: FoundSession): void {
    // Not overwritten: it shall stand at the end of the line.
    remove(state, found.handle);
    put(state, { found, used: false });
    this.makeRoom(state, found.handle);
  }

  // Second chance: one that was checked since the last round stays, as does one that is watched, and the one just added, even if that is one too many.
  private makeRoom(state: Incarnation, added: string): void {
    for (let tries = state.sessions.size; state.sessions.size > this.capacity && tries > 0; tries--) {
      const oldest = this.next(state);
      if (oldest === undefined) return;
      const { handle } = oldest.found;
      if (oldest.used || handle === added || this.watches.has(handle)) {
        oldest.used = false;
        state.sessions.delete(handle);
        state.sessions.set(handle, oldest);
      } else {
        remove(state, handle);
      }
    }
  }

  // One iterator for all rounds: a map's own beginning is slow to find once many have left it. It goes on to what is added while it stands.
  private next(state: Incarnation): Known | undefined {
    state.hand ??= state.sessions.values();
    const next = state.hand.next();
    if (!next.done) return next.value;
    state.hand = state.sessions.values();
    return state.hand.next().value;
  }
}

function put(state: Incarnation, known: Known): void {
  const { handle, tenant, userId } = known.found;
  state.sessions.set(handle, known);
  state.tenants.set(tenant, (state.tenants.get(tenant) ?? 0) + 1);
  const user = userKey(tenant, userId);
  const others = state.users.get(user);
  if (others === undefined) state.users.set(user, handle);
  else if (typeof others === "string") state.users.set(user, new Set([others, handle]));
  else others.add(handle);
}

/** For when most of them go: to remove a million one by one takes seconds, in which nothing is confirmed. */
function keepOnly(state: Incarnation, which: (known: Known) => boolean): void {
  const all = state.sessions;
  state.sessions = new Map();
  state.users = new Map();
  state.tenants.clear();
  state.hand = undefined;
  for (const known of all.values()) {
    if (which(known)) put(state, known);
  }
}

function remove(state: Incarnation, handle: string): void {
  const known = state.sessions.get(handle);
  if (known === undefined) return;
  state.sessions.delete(handle);
  const { tenant } = known.found;
  const others = (state.tenants.get(tenant) ?? 0) - 1;
  if (others > 0) state.tenants.set(tenant, others);
  else state.tenants.delete(tenant);
  const user = userKey(known.found.tenant, known.found.userId);
  const handles = state.users.get(user);
  if (typeof handles !== "object") {
    if (handles === handle) state.users.delete(user);
  } else if (handles.delete(handle) && handles.size === 0) {
    state.users.delete(user);
  }
}
