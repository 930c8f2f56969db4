import { useState } from "react";
import axios from "axios";
import Session, { BooleanClaim, SessionAuth, signOut, useSessionContext } from "supertokens-auth-react/recipe/session";

const EmailVerified = new BooleanClaim({ id: "email-verified", refresh: async () => {} });

export function App({ api }) {
  const [expired, setExpired] = useState(false);
  if (expired) {
    return (
      <p data-testid="expired">
        Your session has ended. <a href="/">Sign in again</a>
      </p>
    );
  }
  return (
    <SessionAuth onSessionExpired={() => setExpired(true)}>
      <Protected api={api} />
    </SessionAuth>
  );
}

function Protected({ api }) {
  const session = useSessionContext();
  const [answer, setAnswer] = useState("");

  // Whatever comes back, or why nothing did.
  const show = (call) => async () => {
    setAnswer("…");
    try {
      setAnswer(JSON.stringify(await call()));
    } catch (failure) {
      setAnswer(`failed: ${failure.message}`);
    }
  };

  async function request(method, path, body) {
    const response = await fetch(api + path, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
    if (response.status === 403) {
      return { invalidClaims: await Session.getInvalidClaimsFromResponse({ response }) };
    }
    return response.ok ? response.json() : { status: response.status };
  }

  async function leave() {
    await signOut();
    location.assign("/?signed-out");
  }

  if (session.loading) return null;
  return (
    <>
      <p>
        Signed in as <strong data-testid="user">{session.userId}</strong>
      </p>
      <div className="buttons">
        <button data-testid="fetch" onClick={show(() => request("GET", "/api/me"))}>Who am I? (fetch)</button>
        <button data-testid="axios" onClick={show(async () => (await axios.get(`${api}/api/me`)).data)}>Who am I? (axios)</button>
        <button data-testid="note" onClick={show(() => request("POST", "/api/notes", { text: "hello" }))}>Add a note</button>
        <button data-testid="verified" onClick={show(() => request("GET", "/api/verified"))}>For verified addresses</button>
        <button data-testid="verify-email" onClick={show(() => request("POST", "/api/verify-email"))}>Verify my address</button>
        <button data-testid="sign-out" onClick={leave}>Sign out</button>
      </div>
      <p>
        Address verified: <span data-testid="claim">{String(EmailVerified.getValueFromPayload(session.accessTokenPayload) ?? "unknown")}</span>
      </p>
      <pre data-testid="answer">{answer}</pre>
      <details>
        <summary>Access token payload</summary>
        <pre data-testid="payload">{JSON.stringify(session.accessTokenPayload, null, 2)}</pre>
      </details>
    </>
  );
}
