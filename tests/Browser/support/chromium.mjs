// Debian's Chromium, quiet and without traffic of its own.
import { chromium } from "playwright-core";

export const launch = (...more) =>
  chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more,
    ],
  });

/** Requests of a page to the session endpoints and the API, in the order in which they were sent, preflights left out. */
export function record(page) {
  const calls = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() !== "OPTIONS" && (pathname.startsWith("/auth/") || pathname.startsWith("/api/"))) calls.push(`${request.method()} ${pathname}`);
  });
  return calls;
}

/** Clicks a button of the sample and returns what it shows. */
export async function ask(page, button) {
  await page.getByTestId(button).click();
  await page.waitForFunction(() => !["", "…"].includes(document.querySelector('[data-testid="answer"]')?.textContent ?? ""));
  const answer = await page.getByTestId("answer").textContent();
  if (!answer.startsWith("{")) throw new Error(`The page shows: ${answer}`);
  return JSON.parse(answer);
}

export async function signIn(page, site, userId) {
  await page.goto(site);
  await page.getByTestId("user-id").fill(userId);
  await page.getByTestId("sign-in").click();
  await page.getByTestId("user").waitFor();
}

/** Time is what these tests are about: a token's life has to pass. */
export const pass = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
