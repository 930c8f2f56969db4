// The silo's own front: no back end in between.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Grid, freePort, given } from "../../EndToEnd/support/grid.mjs";
import { ask, launch, pass, record } from "../support/chromium.mjs";
import { startSite } from "../support/site.mjs";

// A cluster that runs already has to be started with the settings below: docs/operations.md, "A cluster on one machine".
const started = given() ? { skip: "it runs already" } : {};

describe("the silo's front", { timeout: 600_000 }, () => {
  let grid, site, browser, front;

  before(async () => {
    site = await startSite();
    const port = await freePort();
    front = given()?.front ?? `http://localhost:${port}`;
    grid = await Grid.start({
      Grid__Front__Port: String(port), Grid__Front__WebsiteDomains: `http://localhost:${site.port}`, Grid__Front__FirstPage: "true",
      Grid__Session__AccessTokenValidity: "00:00:02", Grid__Session__RefreshTokenValidity: "01:00:00",
    });
    site.config = { apiDomain: front, websiteDomain: `http://localhost:${site.port}`, tokenTransferMethod: "cookie" };
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await site?.stop();
    await grid?.stop();
  });

  it("hands a session over by ticket, refreshes and ends it, with the React SDK unchanged", async () => {
    const page = await (await browser.newContext()).newPage();
    const calls = record(page);
    const userId = `user-${randomUUID()}`;
    const { json } = await grid.call("POST", "/session/ticket", { userId, userDataInJWT: { plan: "gold" } });
    await page.goto(`http://localhost:${site.port}/`);
    // From here on the SDK has taken over fetch.
    await page.getByTestId("sign-in").waitFor();
    const redeemed = await page.evaluate(async ({ front, ticket }) => (await fetch(`${front}/auth/session/ticket`, {
      method: "POST", headers: { "content-type": "application/json", rid: "session" }, body: JSON.stringify({ ticket }),
    })).status, { front, ticket: json.ticket });
    assert.equal(redeemed, 200);
    await page.goto(`http://localhost:${site.port}/app`);
    assert.equal(await page.getByTestId("user").textContent(), userId);
    assert.match(await page.getByTestId("payload").textContent(), /"plan": "gold"/);

    await pass(2.2);
    await page.reload();
    await page.getByTestId("user").waitFor();
    await page.evaluate((front) => fetch(`${front}/auth/verify`), front);
    assert.ok(calls.includes("POST /auth/session/refresh"));
    await pass(2.2);
    calls.length = 0;
    await page.getByTestId("sign-out").click();
    await page.getByTestId("signed-out").waitFor();
    assert.deepEqual(calls, ["POST /auth/session/refresh", "POST /auth/signout"]);
    assert.equal((await grid.call("GET", `/recipe/session?sessionHandle=${json.sessionHandle}`)).json.status, "UNAUTHORISED");
  });

  for (const scheme of ["light", "dark"]) {
    for (const width of [1100, 390]) {
      it(`shows two sessions ending on the first page (${scheme}, ${width} px)`, async () => {
        const page = await (await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme })).newPage();
        const problems = [];
        page.on("pageerror", (error) => problems.push(error.message));
        page.on("console", (message) => message.type() === "error" && !message.text().includes("401") && problems.push(message.text()));
        await page.goto(`${front}/`);
        // By keyboard only: the button that comes next has the focus.
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.querySelectorAll('.pane[data-state="live"]').length === 2);
        await page.waitForFunction(() => document.activeElement.id === "end");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.querySelectorAll('.pane[data-state="ended"]').length === 2);
        await page.waitForFunction(() => /Both refused, [0-9.]+ ms after the press/.test(document.querySelector("#summary").textContent));
        // And when both have ended, the one that starts again.
        assert.equal(await page.evaluate(() => document.activeElement.id), "start");
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
        if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/first-page-${scheme}-${width}.png`, fullPage: true });
        assert.deepEqual(problems, []);
      });
    }
  }

  it("prints on the first page what is so, and leads to the documents", started, async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${front}/`);
    assert.equal(await page.locator("#code-node").textContent(), `supertokens: { connectionURI: "${grid.url}" }`);
    assert.deepEqual(await page.getByText("Device").all(), []);
    for (const link of await page.locator("a").all()) {
      const answer = await page.request.get(new URL(await link.getAttribute("href"), front).href);
      assert.equal(answer.status(), 200);
      assert.match(await answer.text(), /^# /);
    }
  });

  it("reads every answer on the first page, and rests while Grid is unavailable", started, async () => {
    const port = await freePort();
    const own = await Grid.start({ Grid__Front__Port: String(port), Grid__Front__FirstPage: "true" });
    try {
      const page = await (await browser.newContext()).newPage();
      const problems = [], cancelled = [];
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      page.on("requestfailed", (request) => cancelled.push(request.failure().errorText));
      const checks = (what) => page.waitForFunction(
        (pattern) => [...document.querySelectorAll('[data-field="checks"]')].every((field) => new RegExp(pattern).test(field.textContent)), what, { timeout: 30_000 });
      await page.goto(`http://localhost:${port}/`);
      await page.locator("#start").click();
      await checks("^[0-9]{2,} accepted$");
      assert.deepEqual([problems, cancelled], [[], []]);

      await own.kill();
      await checks("^Grid is unavailable");
      problems.length = 0;
      await pass(4);
      assert.ok(problems.length <= 10, `${problems.length} errors in four seconds`);
      await page.locator("#end").click();
      await page.waitForFunction(() => document.querySelector("#summary").textContent.startsWith("Could not end them"));
      assert.equal(await page.evaluate(() => document.activeElement.id), "end");

      await own.launch();
      await checks("accepted$");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.querySelectorAll('.pane[data-state="ended"]').length === 2);
    } finally {
      await own.stop();
    }
  });
});
