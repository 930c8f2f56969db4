/** Calls back once when a session ends. */
export class Watch {
  private over = false;
  private stopped = false;

  constructor(
    readonly handle: string,
    /** When it began, by the holder's monotonic clock. */
    readonly since: number,
    private readonly callback: () => void,
  ) {}

  /** Whether its session has ended. */
  get ended(): boolean {
    return this.over;
  }

  end(): void {
    this.over = true;

    // Not from inside the holder, which is in the middle of something. Another callback may stop this one until then.
    queueMicrotask(() => {
      if (!this.stopped) this.callback();
    });
  }

  /** It does not call back any more. */
  stop(): void {
    this.stopped = true;
  }
}

/** All watches by session. */
export class Watches {
  private readonly bySession = new Map<string, Watch[]>();

  get handles(): string[] {
    return [...this.bySession.keys()];
  }

  has(handle: string): boolean {
    return this.bySession.has(handle);
  }

  add(watch: Watch): void {
    const others = this.bySession.get(watch.handle);
    if (others) others.push(watch);
    else this.bySession.set(watch.handle, [watch]);
  }

  remove(watch: Watch): void {
    this.keep(watch.handle, (other) => other !== watch);
  }

  end(handle: string): void {
    const ended = this.bySession.get(handle);
    this.bySession.delete(handle);
    ended?.forEach((watch) => watch.end());
  }

  /** A look that began at that time found no such session. Later watches stay: it may have been made since. */
  endOlder(handle: string, lookedAt: number): void {
    const ended = this.bySession.get(handle)?.filter((watch) => watch.since <= lookedAt) ?? [];
    this.keep(handle, (watch) => watch.since > lookedAt);
    ended.forEach((watch) => watch.end());
  }

  private keep(handle: string, which: (watch: Watch) => boolean): void {
    const kept = this.bySession.get(handle)?.filter(which);
    if (kept === undefined) return;
    if (kept.length > 0) this.bySession.set(handle, kept);
    else this.bySession.delete(handle);
  }
}
