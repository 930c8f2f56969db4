// Two "browsers" in one page: each keeps the tokens of its own session (header mode) and checks continuously whether it is still accepted.
"use strict";

const base = document.documentElement.dataset.base;
const start = document.getElementById("start");
const end = document.getElementById("end");
const summary = document.getElementById("summary");
const panes = [...document.querySelectorAll(".pane")].map((element) => ({ element, name: element.dataset.pane }));
const pace = 20; // milliseconds between two checks
const mostPatience = 5000; // between two of a Grid that is unavailable
let pressedAt = 0;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Not disabled while it works: a disabled button loses the keyboard's focus.
const isBusy = (button) => button.getAttribute("aria-disabled") === "true";
const setBusy = (button, busy) => (busy ? button.setAttribute("aria-disabled", "true") : button.removeAttribute("aria-disabled"));

async function waitFor(response) {
  if (!response.ok) throw new Error(`Grid answered ${response.status}`);
  return response.json();
}

function show(pane, field, text) {
  pane.element.querySelector(`[data-field="${field}"]`).textContent = text;
}

function setState(pane, state, word) {
  pane.element.dataset.state = state;
  pane.element.querySelector(".state").textContent = word;
}

function secondsLeft(pane) {
  return Math.max(0, Math.round((pane.expires - Date.now()) / 1000));
}

async function signIn(pane) {
  const response = await fetch("/first-page/session", { method: "POST", headers: { rid: "session", "st-auth-mode": "header" }, credentials: "omit" });
  const { handle, userId } = await waitFor(response);
  pane.token = response.headers.get("st-access-token");
  pane.expires = JSON.parse(atob(response.headers.get("front-token"))).ate;
  pane.checks = 0;
  show(pane, "user", userId);
  show(pane, "handle", handle);
  show(pane, "token", `${pane.token.slice(0, 12)}…${pane.token.slice(-6)}`);
  show(pane, "refused", "–");
  setState(pane, "live", "live");
  watch(pane, pane.token);
}

async function watch(pane, token) {
  for (let wait = pace; pane.token === token; ) {
    let status;
    try {
      const response = await fetch(`${base}/verify`, { headers: { authorization: `Bearer ${token}` }, credentials: "omit" });
      await response.arrayBuffer(); // A body that nobody reads is a cancelled request.
      status = response.status;
    } catch {
      status = 0; // Nobody is signed out by that.
    }
    if (pane.token !== token) return;
    if (status === 401) {
      pane.lag = pressedAt ? performance.now() - pressedAt : undefined;
      pane.token = undefined;
      setState(pane, "ended", "ended");
      show(pane, "expires", `in ${secondsLeft(pane)} s, but refused already`);
      show(pane, "refused", pane.lag === undefined ? "yes" : `${pane.lag.toFixed(1)} ms after the press`);
      report();
      return;
    }
    if (status === 200) pane.checks++;
    show(pane, "checks", status === 200 ? `${pane.checks} accepted` : `Grid is unavailable (${status || "no answer"}); trying again`);
    show(pane, "expires", `in ${secondsLeft(pane)} s`);
    wait = status === 200 ? pace : Math.min(Math.max(wait, 250) * 2, mostPatience);
    await pause(wait);
  }
}

function report() {
  if (panes.some((pane) => pane.element.dataset.state !== "ended") || isBusy(end)) return;
  if (document.activeElement === end) start.focus();
  end.disabled = true;
  const lags = panes.map((pane) => pane.lag);
  summary.textContent = lags.every((lag) => lag !== undefined)
    ? `Both refused, ${Math.max(...lags).toFixed(1)} ms after the press. Grid acknowledged in ${end.dataset.milliseconds ?? "?"} ms.`
    : "Both sessions have ended.";
}

start.addEventListener("click", async () => {
  if (isBusy(start)) return;
  setBusy(start, true);
  pressedAt = 0;
  try {
    await Promise.all(panes.map((pane) => { pane.lag = undefined; return signIn(pane); }));
    summary.textContent = "Both sessions are live. Now end them all.";
    end.disabled = false;
    if (document.activeElement === start) end.focus();
  } catch (failure) {
    summary.textContent = `Could not start: ${failure.message}.`;
  }
  setBusy(start, false);
});

end.addEventListener("click", async () => {
  if (isBusy(end)) return;
  setBusy(end, true);
  pressedAt = performance.now();
  try {
    const answer = await waitFor(await fetch("/first-page/end-all", { method: "POST", headers: { rid: "session" }, credentials: "omit" }));
    end.dataset.milliseconds = answer.milliseconds;
  } catch (failure) {
    summary.textContent = `Could not end them: ${failure.message}. Try again.`;
  }
  setBusy(end, false);
  report();
});

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}
