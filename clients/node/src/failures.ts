import { oneLine } from "./callbacks.js";

// What Node and OpenSSL call by names that need a second look.
const repairs: Record<string, string> = {
  ECONNREFUSED: "nobody listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name server does not answer",
  ECONNRESET: "the other side hung up; is it https instead of http?",
  EPROTO: "it does not speak TLS as it should; is it http instead of https?",
  DEPTH_ZERO_SELF_SIGNED_CERT: "set tls.ca to that certificate, or to the one that signed it",
  SELF_SIGNED_CERT_IN_CHAIN: "set tls.ca to the authority's certificate",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "set tls.ca to the authority's certificate",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "set tls.ca to the authority's certificate",
};

/** Why there is no connection, in one line, with what to do about it where that is known. */
export function reasonOf(failure: unknown): string {
  // One for each address of a name, and no text of its own.
  const failures: unknown[] = failure instanceof AggregateError && failure.errors.length > 0 ? failure.errors : [failure];
  return oneLine([...new Set(failures.map(textOf))].join("; "));
}

function textOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  const { code } = failure as { code?: unknown };
  const repair = typeof code === "string" ? repairs[code] : undefined;
  const text = failure.message || (typeof code === "string" ? code : failure.name);
  return repair === undefined ? text : `${text}: ${repair}`;
}
