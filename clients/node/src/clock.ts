/** Both clocks of a holder, in milliseconds. */
export interface Clock {
  /** Monotonic; only for durations within this process. */
  now(): number;

  /** Wall time, since 1970. */
  wall(): number;
}

/**
 * The process's clocks. On Linux the monotonic one goes on while the process is stopped, and stands still while the machine is suspended; Node offers no other
 * that is quick enough to be read for each check. The wall clock counts the suspension, so comparing both finds it (rule h6). What that comparison may miss is
 * half a second, and a revoker waits a quarter of the lease and a quarter of a second longer than the lease.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
};
