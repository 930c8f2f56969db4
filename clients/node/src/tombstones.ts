/** A session as the store holds it. */
export interface FoundSession {
  readonly handle: string;
  readonly tenant: string;
  readonly userId: string;

  /** The user's epoch when the session was made. */
  readonly epoch: number;

  /** Wall time at which it ends unless it is refreshed before. */
  readonly expiresAt: number;
}

export function userKey(tenant: string, userId: string): string {
  // A tenant's id has no line break.
  return `${tenant}\n${userId}`;
}

// No tenant is called so: this is the whole app.
const wholeApp = "";

/** What was ended within the last W, so that a look that was under way does not bring it back (h3, h4). */
export class Tombstones {
  // In the order of their ends: whatever is set anew goes to the back.
  private readonly sessions = new Map<string, { until: number }>();
  private readonly users = new Map<string, { epoch: number; until: number }>();
  private readonly scopes = new Map<string, { position: number; applied: number; until: number }>();

  constructor(private readonly keep: number) {}

  addSession(handle: string, now: number): void {
    put(this.sessions, handle, { until: now + this.keep });
  }

  addUser(tenant: string, userId: string, epoch: number, now: number): void {
    const key = userKey(tenant, userId);
    put(this.users, key, { epoch: Math.max(this.users.get(key)?.epoch ?? 0, epoch), until: now + this.keep });
  }

  /**
   * A tenant, or (undefined) the whole app. Sessions made later are not concerned: only looks that are under way become void.
   * Answers false if it was added before: entries are read from the log after they were pushed, and sessions may have been made in between.
   */
  addScope(tenant: string | undefined, position: number, applied: number, now: number): boolean {
    const known = this.scopes.get(tenant ?? wholeApp)?.position ?? 0;
    put(this.scopes, tenant ?? wholeApp, { position: Math.max(known, position), applied, until: now + this.keep });
    return position === 0 || position > known;
  }

  /** Whether to reject what a look read that began after so many entries. */
  covers(found: FoundSession, applied: number): boolean {
    const user = this.users.size > 0 ? this.users.get(userKey(found.tenant, found.userId)) : undefined;
    return (
      this.sessions.has(found.handle) ||
      (user !== undefined && found.epoch < user.epoch) ||
      (this.scopes.get(found.tenant)?.applied ?? -1) > applied ||
      (this.scopes.get(wholeApp)?.applied ?? -1) > applied
    );
  }

  purge(now: number): void {
    for (const map of [this.sessions, this.users, this.scopes] as Map<string, { until: number }>[]) {
      for (const [key, { until }] of map) {
        if (until > now) break;
        map.delete(key);
      }
    }
  }
}

function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
}
