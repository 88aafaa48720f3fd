// What changes while the page is open.

import assert from "node:assert/strict";
import { PHONE, isSound, open, says } from "./browser.mjs";
import { scenes } from "./scenes.mjs";
import { serve, turn } from "./server.mjs";

const test = scenes("page live");
const SECRET = "the butler did it";

test("turns are seen while they run, and counted when they end", async (backend) => {
  backend.manner = "hold";
  const server = await serve({ backend, login: backend.login() });
  const pages = [await open(server), await open(server, { viewport: PHONE, scheme: "dark" })];
  for (const page of pages) await says(page, "Up and ready");
  const turns = [turn(server, { text: SECRET }), turn(server, { text: SECRET, path: "/v1/responses" })];
  for (const page of pages) {
    await page.locator("#live li").nth(1).waitFor();
    await page.waitForFunction(() => /[1-9]\d* events/.test(document.getElementById("live").innerText));
    const live = await page.locator("#live").innerText();
    for (const part of ["gpt-5.5", "Chat Completions, profile codex", "Responses, profile codex"]) {
      assert.ok(live.includes(part), `${part} in ${live}`);
    }
  }
  await isSound(pages[0], "running desktop light");
  await isSound(pages[1], "running phone dark");
  backend.release();
  await Promise.all(turns);
  for (const page of pages) {
    await page.getByText("No turn is running.").waitFor();
    await page.waitForFunction(() => document.querySelector("#sums dd").textContent === "2");
    assert.equal(await page.locator("#plot rect.cached").count() > 0, true);
    const text = await page.content();
    assert.ok(!text.includes("butler") && !text.includes("Here it is"), "what was said is shown");
    await isSound(page, `ran ${page.viewportSize().width}`);
  }
});

test("a server that has gone is noticed, and its successor is found", async () => {
  const first = await serve({ command: "demo" });
  const page = await open(first);
  await says(page, "Up, with the simulator");
  const stopped = await first.stop();
  assert.equal(stopped.status, 0);
  // A page left open does not keep it from stopping.
  assert.ok(stopped.took < 3000, `${stopped.took} ms`);
  await says(page, "Lost the server; trying again…");
  const gone = ["ERR_CONNECTION_REFUSED"];
  await isSound(page, "lost desktop light", gone);
  const second = await serve({ command: "demo", listen: new URL(first.url).host });
  await says(page, "Up, with the simulator");
  assert.equal(await page.locator("#board.lost").count(), 0);
  await isSound(page, "found again", gone);
});

test("many turns at once do not move the page", async (backend) => {
  backend.manner = "hold";
  const server = await serve({ backend, login: backend.login() });
  const page = await open(server);
  await says(page, "Up and ready");
  const turns = Array.from({ length: 12 }, () => turn(server));
  await page.locator("#live li").nth(11).waitFor();
  await isSound(page, "many desktop light");
  backend.release();
  await Promise.all(turns);
});
