/** The tenant that handles do not name. */
const publicTenant = "public";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuidLength = 36;
const tenantId = /^[\x21-\x7e]{1,64}$/;

/** A session handle, taken apart: a UUID, and `_tenant` behind it for tenants other than `public`. */
export interface SessionName {
  /** The one spelling by which a session is remembered. */
  readonly handle: string;
  readonly id: string;
  readonly tenant: string;
}

export function nameOf(id: string, tenant: string): SessionName {
  return { handle: tenant === publicTenant ? id : `${id}_${tenant}`, id, tenant };
}

/** Undefined if the text is no handle: then it names no session. */
export function parseHandle(text: string): SessionName | undefined {
  if (typeof text !== "string") return undefined;
  const id = text.slice(0, uuidLength);
  if (!uuid.test(id)) return undefined;
  if (text.length === uuidLength) return nameOf(id, publicTenant);
  const tenant = text.slice(uuidLength + 1);

  // What names none must not be sent either: a message that is too long ends the connection.
  return text[uuidLength] === "_" && tenantId.test(tenant) ? nameOf(id, tenant) : undefined;
}
