import { useState } from "react";

/** Any way to find out who it is will do; this one believes what it is told. */
export function SignIn({ api }) {
  const [problem, setProblem] = useState("");

  async function signIn(event) {
    event.preventDefault();
    const userId = new FormData(event.target).get("userId");
    const response = await fetch(`${api}/api/sign-in`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ userId }),
    });
    if (response.ok) {
      await response.text(); // Or the browser shows the request as cancelled.
      location.assign("/app");
    } else {
      setProblem(`The API answered ${response.status}.`);
    }
  }

  return (
    <form onSubmit={signIn}>
      {location.search === "?signed-out" && <p data-testid="signed-out">You have signed out.</p>}
      <label>
        User id <input name="userId" data-testid="user-id" required autoFocus />
      </label>
      <button data-testid="sign-in">Sign in</button>
      <p role="alert">{problem}</p>
    </form>
  );
}
