import type { Clock } from "./clock.js";

// h6: a clock that jumped, or stood still while the other went on.
const mostDrift = 500;

/** Until when an incarnation may vouch for sessions: to the end of its lease (h2), and only while both clocks agree (h6). */
export class Freshness {
  private current: { readonly until: number; readonly sentAt: number; readonly wallAt: number } | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly lease: number,
    private readonly onSuspected: () => void,
  ) {}

  /** The wall time at this moment if it may vouch now, otherwise undefined. The monotonic clock is read last. */
  freshNow(): number | undefined {
    const current = this.current;
    if (current === undefined) return undefined;
    const wall = this.clock.wall();
    const now = this.clock.now();
    if (now >= current.until) return undefined;
    if (Math.abs(wall - current.wallAt - (now - current.sentAt)) <= mostDrift || this.agreeAfterAll(current)) return wall;
    return undefined;
  }

  /** The lease counts from the sending of the renewal. An answer that a later one has overtaken shortens nothing. */
  extend(sentAt: number, wallAt: number): void {
    const until = sentAt + this.lease;
    if (this.current === undefined || this.current.until < until) this.current = { until, sentAt, wallAt };
  }

  end(): void {
    this.current = undefined;
  }

  // The process may have been stopped between the two readings.
  private agreeAfterAll(current: { sentAt: number; wallAt: number; until: number }): boolean {
    const wall = this.clock.wall();
    const now = this.clock.now();
    if (now < current.until && Math.abs(wall - current.wallAt - (now - current.sentAt)) <= mostDrift) return true;
    this.current = undefined;
    this.onSuspected();
    return false;
  }
}
