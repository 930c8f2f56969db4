// The chat sample: both browsers talk, and a revocation closes the connections of one user.
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Grid, given } from "../../EndToEnd/support/grid.mjs";
import { launch } from "../support/chromium.mjs";
import { startSample } from "../support/program.mjs";

describe("SignalR chat", { skip: given()?.apiKey ? "the sample has no API key" : false, timeout: 600_000 }, () => {
  let grid, sample, browser;

  before(async () => {
    grid = await Grid.start();
    sample = await startSample("signalr-chat", grid);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await sample?.stop();
    await grid?.stop();
  });

  // A browser profile of its own.
  async function enter(user) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(sample.url);
    await page.getByLabel("Who are you?").fill(user);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("You are connected.").waitFor();
    return { context, page };
  }

  it("talks, and closes the connections of a user whose sessions are ended, and no others", async () => {
    const [alice, bob] = [`alice-${randomUUID()}`, `bob-${randomUUID()}`];
    const [one, two, other] = [await enter(alice), await enter(alice), await enter(bob)];
    await other.page.getByLabel("Say").fill("Hello!");
    await other.page.getByRole("button", { name: "Send" }).click();
    for (const { page } of [one, two, other]) await page.getByText(`${bob}: Hello!`).waitFor();

    await one.page.getByRole("button", { name: "End all my sessions" }).click();

    await one.page.getByText("Your session has ended.").waitFor();
    await two.page.getByText("Your session has ended.").waitFor();
    await other.page.getByLabel("Say").fill("Still here.");
    await other.page.getByRole("button", { name: "Send" }).click();
    await other.page.getByText(`${bob}: Still here.`).waitFor();
    await Promise.all([one, two, other].map(({ context }) => context.close()));
  });
});
