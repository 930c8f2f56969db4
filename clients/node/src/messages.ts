import type { Entry } from "./holder.js";

/** One message, either way (docs/protocol/holder.md). */
export interface Message {
  readonly type: string;
  readonly n?: number;
  readonly incarnation?: string;
  readonly former?: string;
  readonly secret?: string;
  readonly name?: string;
  readonly app?: string;
  readonly protocol?: number;
  readonly leaseMs?: number;
  readonly bounded?: boolean;
  readonly revokedKeys?: readonly string[];
  readonly entries?: readonly Entry[];
  readonly tenant?: string;
  readonly session?: string;
  readonly userId?: string;
  readonly epoch?: number;
  readonly expiresAt?: string;
  readonly reason?: string;
}

const isText = (value: unknown) => typeof value === "string";

// Greater ones are not told apart any more: an epoch could then seem equal that is less.
const isNumber = (value: unknown) => Number.isSafeInteger(value);

const members: Record<string, (value: unknown) => boolean> = {
  n: isNumber,
  secret: isText,
  app: isText,
  protocol: isNumber,
  leaseMs: isNumber,
  bounded: (value) => typeof value === "boolean",
  revokedKeys: (value) => Array.isArray(value) && value.every(isText),
  entries: (value) => Array.isArray(value) && value.every(isEntry),
  session: isText,
  userId: isText,
  epoch: isNumber,
  expiresAt: (value) => isText(value) && !Number.isNaN(Date.parse(value as string)),
  reason: isText,
};

const entryMembers: Record<string, (value: unknown) => boolean> = {
  tenant: isText,
  session: isText,
  userId: isText,
  epoch: isNumber,
  kept: isText,
  kid: isText,
};

/** Reads a message; throws if it is none, or has a member of a wrong type. */
export function readMessage(text: string): Message {
  const message: unknown = JSON.parse(text);
  if (!isObject(message) || !isText(message["type"]) || !fits(message, members)) throw new SyntaxError("That is no message.");
  return message as unknown as Message;
}

function isEntry(value: unknown): boolean {
  return isObject(value) && isNumber(value["position"]) && isNumber(value["kind"]) && isText(value["app"]) && fits(value, entryMembers);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Absent and null are the same; members that are not known do no harm.
function fits(value: Record<string, unknown>, rules: Record<string, (value: unknown) => boolean>): boolean {
  for (const [name, rule] of Object.entries(rules)) {
    const member = value[name];
    if (member === null) delete value[name];
    else if (member !== undefined && !rule(member)) return false;
  }

  return true;
}
