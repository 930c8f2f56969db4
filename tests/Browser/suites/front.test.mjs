// The silo's own front: no back end in between.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Grid, freePort } from "../../EndToEnd/support/grid.mjs";
import { ask, launch, pass, record } from "../support/chromium.mjs";
import { startSite } from "../support/site.mjs";

describe("the silo's front", { timeout: 120_000 }, () => {
  let grid, site, browser, front;

  before(async () => {
    site = await startSite();
    const port = await freePort();
    front = `http://localhost:${port}`;
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
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
        assert.deepEqual(problems, []);
      });
    }
  }
});
