// Two "browsers" in one page: each keeps the tokens of its own session (header mode) and asks all the time whether it still lives.
"use strict";

const base = document.documentElement.dataset.base;
const start = document.getElementById("start");
const end = document.getElementById("end");
const summary = document.getElementById("summary");
const panes = [...document.querySelectorAll(".pane")].map((element) => ({ element, name: element.dataset.pane }));
let pressedAt = 0;

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
  if (!response.ok) throw new Error(`Grid answered ${response.status}`);
  const { handle, userId } = await response.json();
  pane.token = response.headers.get("st-access-token");
  pane.expires = JSON.parse(atob(response.headers.get("front-token"))).ate;
  pane.checks = 0;
  show(pane, "user", userId);
  show(pane, "handle", handle);
  show(pane, "token", `${pane.token.slice(0, 12)}…${pane.token.slice(-6)}`);
  show(pane, "device", `${navigator.platform || "this machine"}, window ${pane.name}`);
  show(pane, "refused", "–");
  setState(pane, "live", "live");
  watch(pane, pane.token);
}

async function watch(pane, token) {
  while (pane.token === token) {
    let status;
    try {
      status = (await fetch(`${base}/verify`, { headers: { authorization: `Bearer ${token}` }, credentials: "omit" })).status;
    } catch {
      status = 0; // Grid is away: nobody is signed out by that.
    }
    if (pane.token !== token) return;
    if (status === 401) {
      const lag = pressedAt ? performance.now() - pressedAt : undefined;
      pane.lag = lag;
      pane.token = undefined;
      setState(pane, "ended", "ended");
      show(pane, "expires", `only in ${secondsLeft(pane)} s`);
      show(pane, "refused", lag === undefined ? "yes" : `${lag.toFixed(1)} ms after the press`);
      report();
      return;
    }
    if (status === 200) pane.checks++;
    show(pane, "checks", status === 200 ? `${pane.checks} accepted` : `Grid is away (${status || "no answer"})`);
    show(pane, "expires", `in ${secondsLeft(pane)} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function report() {
  const lags = panes.map((pane) => pane.lag);
  if (panes.every((pane) => pane.element.dataset.state === "ended")) {
    end.disabled = true;
    summary.textContent = lags.every((lag) => lag !== undefined)
      ? `Both refused, ${Math.max(...lags).toFixed(1)} ms after the press. Grid acknowledged in ${end.dataset.milliseconds ?? "?"} ms.`
      : "Both sessions have ended.";
  }
}

start.addEventListener("click", async () => {
  start.disabled = true;
  pressedAt = 0;
  try {
    await Promise.all(panes.map((pane) => { pane.lag = undefined; return signIn(pane); }));
    summary.textContent = "Both live. Now end all.";
    end.disabled = false;
    end.focus();
  } catch (failure) {
    summary.textContent = `Could not start: ${failure.message}.`;
  }
  start.disabled = false;
});

end.addEventListener("click", async () => {
  end.disabled = true;
  pressedAt = performance.now();
  try {
    const response = await fetch("/first-page/end-all", { method: "POST", headers: { rid: "session" }, credentials: "omit" });
    if (!response.ok) throw new Error(`Grid answered ${response.status}`);
    end.dataset.milliseconds = (await response.json()).milliseconds;
    report();
  } catch (failure) {
    summary.textContent = `Could not end them: ${failure.message}. Nothing is lost; try again.`;
    end.disabled = false;
  }
});

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}
