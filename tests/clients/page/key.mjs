// A server with local keys.

import assert from "node:assert/strict";
import { PHONE, isSound, open, says } from "./browser.mjs";
import { scenes } from "./scenes.mjs";
import { serve } from "./server.mjs";

const test = scenes("page key");
const CLOSED = "Up, and closed to who has no key";
const REFUSED = ["401 (Unauthorized)"];

test("it is asked for, a wrong one is told, and the right one stays in its tab", async () => {
  const server = await serve({ command: "demo", keys: ["sk-one"] });
  const page = await open(server);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await says(page, CLOSED);
  assert.equal(await page.locator("#board").isVisible(), false);
  await isSound(page, "key desktop light");
  const field = page.getByLabel("Local key");
  assert.equal(await field.evaluate((node) => node === document.activeElement), true);
  await field.fill("sk-wrong");
  await field.press("Enter");
  await page.getByText("That is none of this server’s keys.").waitFor();
  await isSound(page, "wrong key desktop light", REFUSED);
  await field.fill("sk-one");
  await page.getByRole("button", { name: "Show the page" }).click();
  await says(page, "Up, with the simulator");
  await isSound(page, "right key desktop light", REFUSED);
  assert.ok(asked.every((url) => !url.includes("sk-")), asked.join(" "));
  assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie), "{}");
  assert.ok(!(await page.content()).includes("sk-one"));

  await page.reload();
  await says(page, "Up, with the simulator");
  const other = await open(server, { viewport: PHONE, scheme: "dark" });
  await says(other, CLOSED);
  await isSound(other, "key phone dark");
  await page.getByRole("button", { name: "Forget the key" }).click();
  await says(page, CLOSED);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});
