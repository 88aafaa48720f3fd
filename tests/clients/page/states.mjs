// How the page looks in each state of an account: wide and narrow, light and dark.

import assert from "node:assert/strict";
import { DESKTOP, PHONE, isSound, open, says } from "./browser.mjs";
import { scenes } from "./scenes.mjs";
import { serve, turn } from "./server.mjs";

const test = scenes("page states");
const SIZES = { desktop: DESKTOP, phone: PHONE };

/** Opens the page at every size in both schemes. */
async function everywhere(server, name, status, look) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const scheme of ["light", "dark"]) {
      const page = await open(server, { viewport, scheme });
      await says(page, status);
      await look(page);
      await isSound(page, `${name} ${size} ${scheme}`);
      await page.context().close();
    }
  }
}

test("without an account it says how to log in, and notices when somebody has", async (backend) => {
  const server = await serve({ backend });
  await everywhere(server, "no account", "Up, but nobody is logged in", async (page) => {
    const notice = page.locator("#accounts .notice");
    assert.match(await notice.textContent(), /There is no ChatGPT login in .*To log in, run/);
    assert.equal(await notice.locator(".put code").textContent(), "codexway login");
  });
  const page = await open(server);
  await says(page, "Up, but nobody is logged in");
  server.logIn(backend.login());
  await says(page, "Up and ready");
  await isSound(page, "logged in while it is open");
});

test("with an account it shows plan and windows, each with its length and its reset", async (backend) => {
  const server = await serve({ backend, login: backend.login() });
  for (let n = 0; n < 3; n += 1) await turn(server);
  await everywhere(server, "one account", "Up and ready", async (page) => {
    const account = await page.locator("#accounts").innerText();
    for (const part of ["ChatGPT Plus", "5 hours", "31 % used", "7 days", "62 % used", "resets", "in 3 d 4 h"]) {
      assert.ok(account.includes(part), `${part} in ${account}`);
    }
    // Late in the evening that is tomorrow.
    assert.match(account, /resets (\w{3} \d+ \w{3}, )?\d\d:\d\d, in 2 h (10|11) min/);
    const meters = await page.getByRole("meter").all();
    const used = await Promise.all(meters.map((meter) => meter.getAttribute("aria-valuenow")));
    assert.deepEqual(used, ["31", "62"]);
    assert.doesNotMatch(await page.locator("body").innerText(), /primary|secondary/i);
    const sums = await page.locator("#sums dd").allInnerTexts();
    assert.deepEqual(sums, ["3", "5.4 ktokens", "85 %of input", "720tokens"]);
  });
});

test("a plan that is used up says when it comes back, and which turns it refused", async (backend) => {
  backend.windows = [
    [300, 100, 5400],
    [10_080, 83, 86_400],
  ];
  backend.manner = "used_up";
  const server = await serve({ backend, login: backend.login() });
  await turn(server);
  await turn(server, { path: "/v1/responses" });
  await everywhere(server, "used up", "Up, but the plan is used up", async (page) => {
    assert.match(await page.locator("#accounts .notice").innerText(), /It comes back at .*\d\d:\d\d, in 1 h (30|31) min;/);
    const errors = await page.locator("#errors li").allInnerTexts();
    assert.equal(errors.length, 2);
    assert.match(errors[0], /429 usage limit reached[\s\S]*limit has been reached[\s\S]*wait for the reset[\s\S]*Responses · gpt-5.5 · profile codex/);
  });
});

test("a backend that cannot be reached is told apart", async (backend) => {
  const server = await serve({ backend, login: backend.login() });
  backend.stop();
  const page = await open(server);
  await says(page, "Up, but: the backend cannot be reached");
  await isSound(page, "unreachable desktop light");
});

test("the demo says that it is one", async () => {
  const server = await serve({ command: "demo" });
  for (let n = 0; n < 2; n += 1) await turn(server, { text: "Tell me of crabs" });
  await everywhere(server, "demo", "Up, with the simulator", async (page) => {
    assert.match(await page.locator("#accounts").innerText(), /Simulator[\s\S]*nothing is spent/);
  });
});
