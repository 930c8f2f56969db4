import { inspect } from "node:util";

/**
 * Calls a function of the application's. Whatever it throws, or rejects with later, goes to `onFailed` and no further: an error in one callback disturbs no
 * other, and ends neither the service nor, as an unhandled rejection, the process.
 */
export function callGuarded(call: () => unknown, onFailed: (failure: unknown) => void): void {
  try {
    const result = call();
    if ((typeof result === "object" && result !== null) || typeof result === "function") Promise.resolve(result).catch(onFailed);
  } catch (failure) {
    onFailed(failure);
  }
}

/** A failure for people, with its stack: it is the application's. Whatever was thrown can be written. */
export function describe(failure: unknown): string {
  try {
    return failure instanceof Error ? (failure.stack ?? String(failure)) : inspect(failure);
  } catch {
    return "something that cannot be written";
  }
}

// What comes from outside may be long, and may hold what a terminal or a reader of logs takes for something else.
const longestText = 300;

/** One line, of a bounded length. */
export function oneLine(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
}
