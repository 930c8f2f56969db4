import { hostname } from "node:os";
import { basename } from "node:path";
import type { ConnectionOptions } from "node:tls";
import type { RecipeInterface, SessionContainerInterface } from "supertokens-node/lib/build/recipe/session/types";
import SessionError from "supertokens-node/lib/build/recipe/session/error";
import { systemClock } from "./clock.js";
import { parseHandle } from "./handle.js";
import { Service } from "./service.js";

declare module "supertokens-node/lib/build/recipe/session/types" {
  interface SessionContainerInterface {
    /**
     * Calls back once when this session ends, wherever that happens: revoked within moments, expired within two seconds. Not when Grid is merely away.
     * For WebSockets, event streams and long requests. What the callback throws, or rejects with, goes to `log`. From `grid-sessions`.
     * @returns Stops watching: call it when the connection is closed.
     */
    onEnded(callback: () => unknown): () => void;
  }
}

/** Options of {@link gridSessions}. */
export interface GridSessionsOptions {
  /** As in `supertokens.init`: the core API, `;` between several, with `/appid-…` for an app other than the first. */
  connectionURI: string;

  /** A key of the core API, if it has keys. */
  apiKey?: string | undefined;

  /**
   * What becomes of a valid token whose session cannot be checked, because Grid has been away for longer than the lease: `"strict"` answers 503, `"bounded"` accepts it
   * until it expires. Default: what the app says (`stale_session_behaviour`).
   */
  whenStale?: "strict" | "bounded" | undefined;

  /** This service in Grid's log and registry, for people. Default: script and host. */
  name?: string | undefined;

  /** Longest wait for a session that is not known yet, in milliseconds, 100 … 60000. Default 5000. */
  timeout?: number | undefined;

  /** Sessions that are remembered at most, 1000 … 10000000, at about 350 bytes each. Those not checked lately are forgotten first, and looked up again. Default 1000000. */
  rememberedSessions?: number | undefined;

  /** For `https`: `ca`, `cert`, `key` and the like, as `tls.connect` takes them. */
  tls?: ConnectionOptions | undefined;

  /** Hears of outages, each once, and of callbacks that failed. What it throws is ignored. Default `console.warn`. */
  log?: ((message: string) => unknown) | undefined;
}

/** Neither alive nor ended: Grid has been away for too long to tell. Frameworks answer it with 503. */
export class SessionUnavailableError extends Error {
  override readonly name = "SessionUnavailableError";
  readonly status = 503;
  readonly statusCode = 503;
  readonly headers = { "retry-after": "1" };
  readonly expose = true;

  constructor() {
    super("Cannot tell whether the session is active: there is no connection to Grid, or Grid has none to its store.");

    // In an outage frameworks write one for each request, and where it was made says nothing.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** What {@link gridSessions} returns: an `override` for `Session.init`, and what belongs to the process's end. */
export interface GridSessions {
  /** For `Session.init({ override })`. To combine it with functions of your own, call it with what they override. */
  readonly functions: (original: RecipeInterface) => RecipeInterface;

  /** Whether sessions can be checked at this moment; false before the first one was. For a readiness probe. */
  readonly isFresh: boolean;

  /** Calls back once when the session of this handle ends, as `session.onEnded` does. Returns what stops it. */
  onEnded(sessionHandle: string, callback: () => unknown): () => void;

  /**
   * Leaves Grid, so that no revocation waits for this process. From now on no session can be checked: nothing is accepted, but for what `whenStale: "bounded"`
   * accepts unchecked. Call it when the process ends, after its last request.
   */
  close(): Promise<void>;
}

const checks: { [name in keyof Required<GridSessionsOptions>]: (value: never) => string | undefined } = {
  connectionURI: (value: unknown) => (typeof value === "string" && coresOf(value).length > 0 ? undefined : "must be the core API's address, such as http://127.0.0.1:3567"),
  apiKey: (value: unknown) => (value === undefined || (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) ? undefined : "must be a key of the core API, without blanks and line breaks, or left out"),
  whenStale: (value: unknown) => (value === undefined || value === "strict" || value === "bounded" ? undefined : 'must be "strict" or "bounded"'),
  name: (value: unknown) => (value === undefined || (typeof value === "string" && !value.includes("\0")) ? undefined : "must be text"),
  timeout: (value: unknown) => (value === undefined || (typeof value === "number" && value >= 100 && value <= 60_000) ? undefined : "must be milliseconds, 100 … 60000"),
  rememberedSessions: (value: unknown) =>
    value === undefined || (Number.isInteger(value) && (value as number) >= 1_000 && (value as number) <= 10_000_000) ? undefined : "must be a whole number, 1000 … 10000000",
  tls: (value: unknown) => (value === undefined || (typeof value === "object" && value !== null) ? undefined : "must be options of tls.connect"),
  log: (value: unknown) => (value === undefined || typeof value === "function" ? undefined : "must be a function"),
};

/**
 * Makes `supertokens-node` check sessions in this process: the signature as before, and the session's life by a lease of Grid's, without a call per request.
 * A revoked session is refused from the moment at which its revocation is acknowledged.
 * @throws TypeError for options that are unknown, missing or wrong, with their names.
 */
export function gridSessions(options: GridSessionsOptions): GridSessions {
  validate(options);
  const service = new Service(
    {
      cores: coresOf(options.connectionURI),
      apiKey: options.apiKey,
      name: options.name ?? `${basename(process.argv[1] ?? "node")} on ${hostname()}`,
      tls: options.tls ?? {},
      capacity: options.rememberedSessions,
      timeout: options.timeout ?? 5_000,
      log: options.log ?? ((message) => console.warn(`grid-sessions: ${message}`)),
    },
    systemClock,
  );

  const onEnded = (handle: string, callback: () => unknown): (() => void) => {
    const name = parseHandle(handle);
    if (name === undefined) throw new TypeError(`'${handle}' is no session handle.`);
    if (typeof callback !== "function") throw new TypeError("onEnded: callback must be a function.");
    const watch = service.watch(name, callback);
    return () => service.holder.unwatch(watch);
  };

  const extended = <T extends SessionContainerInterface | undefined>(session: T): T => {
    if (session !== undefined) session.onEnded = (callback) => onEnded(session.getHandle(), callback);
    return session;
  };

  const accept = async (session: SessionContainerInterface): Promise<void> => {
    const name = parseHandle(session.getHandle());
    const liveness = name === undefined ? "ended" : await service.find(name);
    if (liveness === "ended") throw new SessionError({ message: "The session has ended.", type: "UNAUTHORISED" });
    if (liveness === "unknown" && (options.whenStale ?? (service.bounded ? "bounded" : "strict")) === "strict") throw new SessionUnavailableError();
  };

  return {
    functions: (original) => ({
      ...original,
      getSession: async function (input) {
        const session = await original.getSession(input);
        if (session === undefined) return session;

        // Grid itself has just said so.
        if (input.options?.checkDatabase !== true) {
          if (service.holder.check(session.getHandle()) !== "known") await accept(session);
          if (service.holder.knowsRevokedKeys) {
            const kid = kidOf(session.getAccessToken());

            // The oldest tokens name no key: only Grid knows which it was.
            if (kid === undefined) return extended(await original.getSession({ ...input, options: { ...input.options, checkDatabase: true } }));
            if (service.holder.isRevokedKey(kid)) throw new SessionError({ message: "The access token's signing key was revoked.", type: "TRY_REFRESH_TOKEN" });
          }
        }

        return extended(session);
      },
      createNewSession: async (input) => extended(await original.createNewSession(input)),
      refreshSession: async (input) => extended(await original.refreshSession(input)),
    }),
    get isFresh() {
      return service.holder.isFresh;
    },
    onEnded,
    close: () => service.close(),
  };
}

function validate(options: GridSessionsOptions): void {
  if (typeof options !== "object" || options === null) throw new TypeError("gridSessions: options must be an object with connectionURI.");
  const known = Object.keys(checks) as (keyof GridSessionsOptions)[];
  for (const name of Object.keys(options)) {
    if (!known.includes(name as keyof GridSessionsOptions)) throw new TypeError(`gridSessions: there is no option '${name}'; there are ${known.join(", ")}.`);
  }

  for (const name of known) {
    const wrong = checks[name](options[name] as never);
    if (wrong !== undefined) throw new TypeError(`gridSessions: ${name} ${wrong}.`);
  }
}

/** The addresses in a connection URI, read as the SDK reads it; none if one of them is none. */
function coresOf(connectionURI: string): string[] {
  const cores = connectionURI
    .split(";")
    .map((core) => core.trim())
    .filter((core) => core.length > 0)
    .map((core) => (core.includes("://") ? core : `${/^(localhost|[0-9.]+)(:|\/|$)/.test(core) ? "http" : "https"}://${core}`));
  return cores.every((core) => URL.canParse(core) && /^https?:$/.test(new URL(core).protocol)) ? cores : [];
}

function kidOf(token: string): string | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf(".")), "base64url").toString());
    const kid = (header as { kid?: unknown }).kid;
    return typeof kid === "string" ? kid : undefined;
  } catch {
    return undefined;
  }
}
