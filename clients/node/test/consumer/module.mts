import Session from "supertokens-node/recipe/session";
import { SessionUnavailableError, gridSessions, type GridSessions } from "grid-sessions";

const sessions: GridSessions = gridSessions({ connectionURI: "http://127.0.0.1:3567", apiKey: process.env["GRID_API_KEY"], whenStale: "strict", timeout: 1_000 });
Session.init({ override: sessions });
Session.init({ override: { functions: (original) => ({ ...sessions.functions(original), getGlobalClaimValidators: () => [] }) } });

export async function watch(token: string): Promise<() => void> {
  const session = await Session.getSessionWithoutRequestResponse(token);
  session.onEnded(async () => {
    await Promise.resolve();
  });
  return session.onEnded(() => console.log("over", sessions.isFresh));
}

export const isAway = (failure: unknown): boolean => failure instanceof SessionUnavailableError && failure.statusCode === 503;

// @ts-expect-error There is no such option.
gridSessions({ connectionUri: "http://127.0.0.1:3567" });
