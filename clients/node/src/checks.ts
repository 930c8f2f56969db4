import type { SessionName } from "./handle.js";
import type { FoundSession, Holder, LookOutcome } from "./holder.js";

/** Whether a session lives; "unknown": the holder cannot tell. */
export type Liveness = "active" | "ended" | "unknown";

/** Asks the store, through Grid: undefined if there is no such session. Rejects if it did not answer. */
export type Look = (name: SessionName) => Promise<FoundSession | undefined>;

// A void look was overtaken by a revocation; the next one usually gives the answer.
const mostLooks = 4;

/** Checks sessions: from memory if they are known, otherwise by one look that all who wait for it share. */
export class Checks {
  private readonly looking = new Map<string, Promise<LookOutcome>>();

  constructor(
    private readonly holder: Holder,
    private readonly look: Look,
  ) {}

  /** Whether a session lives now. Rejects if it was not known and the store did not answer. */
  async find(name: SessionName): Promise<Liveness> {
    if (this.holder.check(name.handle) === "known") return "active";
    for (let attempt = 0; attempt < mostLooks; attempt++) {
      let shared = this.looking.get(name.handle);
      const isMine = shared === undefined;
      if (shared === undefined) {
        const ticket = this.holder.startLook(name.handle);

        // The store's answer could not be vouched for.
        if (ticket === undefined) return "unknown";
        shared = this.look(name)
          .then((found) => this.holder.completeLook(ticket, found))
          .finally(() => this.looking.delete(name.handle));
        this.looking.set(name.handle, shared);
      }

      const outcome = await shared;
      if (outcome === "notThere" && isMine) return "ended";

      // Who joined came after the look began: checks what it found, and looks again for what it did not find.
      switch (this.holder.check(name.handle)) {
        case "known":
          return "active";
        case "notFresh":
          return "unknown";
      }
    }

    return "unknown";
  }
}
