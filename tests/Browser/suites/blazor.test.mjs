// The Blazor Server sample: a circuit is closed with its session, and nobody finds it again.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Grid, given } from "../../EndToEnd/support/grid.mjs";
import { launch } from "../support/chromium.mjs";
import { startCable, startSample } from "../support/program.mjs";

describe("Blazor Server", { skip: given()?.apiKey ? "the sample has no API key" : false, timeout: 600_000 }, () => {
  let grid, sample, browser;

  before(async () => {
    grid = await Grid.start();
    sample = await startSample("blazor-server", grid);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await sample?.stop();
    await grid?.stop();
  });

  // A browser profile of its own, with a page whose circuit is up.
  async function open(userId, url = sample.url) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const sockets = [];
    page.on("websocket", (socket) => sockets.push(socket));
    await page.goto(url);
    await page.getByLabel("Name").fill(userId);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(`Hello, ${userId}!`).waitFor();
    await count(page, 1);
    return { context, page, sockets };
  }

  // A click before the circuit is up is lost.
  async function count(page, atLeast) {
    const button = page.getByRole("button", { name: "Count" });
    while (Number((await button.textContent()).split(" ")[1]) < atLeast) {
      await button.click();
      await page.waitForTimeout(100);
    }
  }

  it("closes the circuits of a session that was revoked, whose pages find the sign-in page by themselves, and no others", async () => {
    const userId = `user-${randomUUID()}`;
    const [one, two, other] = [await open(userId), await open(userId), await open(`other-${userId}`)];
    const isClosed = new Promise((resolve) => one.sockets[0].once("close", resolve));

    await grid.call("POST", "/session/revoke", { userId });

    await isClosed;
    await one.page.getByLabel("Name").waitFor();
    await two.page.getByLabel("Name").waitFor();
    await count(other.page, 3);
    await Promise.all([one, two, other].map(({ context }) => context.close()));
  });

  it("ends its own page, too, when it ends the sessions of its user", async () => {
    const userId = `user-${randomUUID()}`;
    const { context, page } = await open(userId);

    await page.getByRole("button", { name: "End all my sessions" }).click();

    await page.getByLabel("Name").waitFor();
    await context.close();
  });

  it("does not give a circuit back to a page that was away when its session ended", async () => {
    const cable = await startCable(sample.url);
    const [userId, neighbour] = [`user-${randomUUID()}`, `neighbour-${randomUUID()}`];
    const [gone, stays] = [await open(userId, cable.url), await open(neighbour, cable.url)];
    await count(stays.page, 5);

    // The server keeps their circuits for when they are back.
    cable.cut();
    await gone.page.waitForTimeout(1000);
    await grid.call("POST", "/session/revoke", { userId });
    cable.mend();

    await gone.page.getByLabel("Name").waitFor({ timeout: 60_000 });
    await count(stays.page, 6);
    await stays.page.getByText(`Hello, ${neighbour}!`).waitFor();
    await Promise.all([gone, stays].map(({ context }) => context.close()));
    cable.stop();
  });

  it("signs out here, and lets another user in", async () => {
    const { context, page } = await open(`user-${randomUUID()}`);

    await page.getByRole("button", { name: "Sign out here" }).click();
    await page.getByLabel("Name").waitFor();
    const next = `user-${randomUUID()}`;
    await page.getByLabel("Name").fill(next);
    await page.getByRole("button", { name: "Sign in" }).click();

    await page.getByText(`Hello, ${next}!`).waitFor();
    await context.close();
  });

  it("logs no error of what ended with its session", () => {
    assert.doesNotMatch(sample.log, /^(fail|crit|warn):/m);
  });
});
