// What a person does on the page.

import assert from "node:assert/strict";
import { isSound, open, says } from "./browser.mjs";
import { scenes } from "./scenes.mjs";
import { serve, turn } from "./server.mjs";

const test = scenes("page use");
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

test("the settings of each client are what `codexway connect` prints, and can be copied", async () => {
  const server = await serve({ command: "demo" });
  const page = await open(server);
  await says(page, "Up, with the simulator");
  await page.getByRole("button", { name: "Copy the base URL" }).click();
  assert.equal(await clipboard(page), `${server.url}/v1`);
  const clients = await page.getByRole("combobox", { name: "Settings for" }).locator("option").evaluateAll((all) => all.map(({ value }) => value));
  assert.ok(clients.length > 15, `${clients.length}`);
  for (const client of clients) {
    await page.getByRole("combobox", { name: "Settings for" }).selectOption(client);
    const copy = page.getByRole("button", { name: /^Copy the settings for/ });
    await copy.click();
    await page.locator("#said", { hasText: "Copied the settings" }).waitFor({ state: "attached" });
    assert.equal(await clipboard(page), await server.run("connect", client, "--url", server.url), client);
  }
  // What is chosen is longer or shorter, and what stands below it moves.
  await page.evaluate(() => (window.shifted = 0));
  await isSound(page, "copied");
});

test("everything can be reached and used by the keyboard alone", async () => {
  const server = await serve({ command: "demo" });
  await turn(server);
  const page = await open(server, { reduced: true });
  await says(page, "Up, with the simulator");
  await page.keyboard.press("Tab");
  const focused = () => page.evaluate(() => {
    const { activeElement: node } = document;
    return node.getAttribute("aria-label") ?? node.labels?.[0]?.textContent ?? node.textContent;
  });
  assert.equal(await focused(), "Skip to the content");
  await page.keyboard.press("Enter");
  const seen = [];
  for (let n = 0; n < 40 && !seen.includes("Models of the profile codex"); n += 1) {
    await page.keyboard.press("Tab");
    seen.push(await focused());
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(ring, "none", seen.at(-1));
    if (seen.at(-1) === "The same as a table") await page.keyboard.press("Enter");
    if (seen.at(-1) === "Copy the base URL") {
      await page.keyboard.press("Enter");
      await page.locator("#said", { hasText: "Copied the base URL." }).waitFor({ state: "attached" });
    }
  }
  for (const part of ["The same as a table", "Tokens by minute", "Turns that run", "The last errors", "Copy the base URL", "Settings for", "Settings for Codex CLI", "Models of the profile codex"]) {
    assert.ok(seen.includes(part), `${part} in ${seen.join(", ")}`);
  }
  // The table was asked for, and on a busy machine what stands below it moves late.
  await page.evaluate(() => (window.shifted = 0));
  assert.match(await page.locator("#minutes-table").innerText(), /Minute\s+Turns\s+Input[\s\S]*1 turn/);
  await isSound(page, "table desktop light");
});

test("nothing comes from elsewhere, and nothing inline would run", async () => {
  const server = await serve({ command: "demo" });
  const page = await open(server);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.reload();
  await says(page, "Up, with the simulator");
  assert.ok(asked.length > 5 && asked.every((url) => url.startsWith(`${server.url}/`)), asked.join(" "));
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    try {
      script.textContent = "window.ran = true";
      document.body.append(script);
    } catch (error) {
      return error.name;
    }
    return String(window.ran);
  });
  assert.notEqual(ran, "true");
  const made = await page.evaluate(() => {
    try {
      document.body.innerHTML = "<p>";
      return "made";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(made, "TypeError");
});
