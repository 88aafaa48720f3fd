// Chromium, and what every page has to be whatever the test.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1440, height: 900 };

const executablePath = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
const folder = mkdtempSync(join(tmpdir(), "chromium-"));
let shared;

/** One browser for all; each page has a context of its own. */
async function browser() {
  shared ??= chromium.launchPersistentContext(folder, { executablePath, headless: true, args: ARGUMENTS });
  return (await shared).browser();
}

export async function close() {
  await (await shared)?.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Every page that is open goes. */
export async function closePages() {
  if (shared) await Promise.all((await browser()).contexts().slice(1).map((context) => context.close()));
}

/** Opens the page of a server; what its console complains about is in `complaints`. */
export async function open(server, { viewport = DESKTOP, scheme = "light", reduced = false, path = "/" } = {}) {
  const context = await (await browser()).newContext({
    viewport,
    colorScheme: scheme,
    reducedMotion: reduced ? "reduce" : "no-preference",
    permissions: ["clipboard-read", "clipboard-write"],
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  // Sums up how far things have moved that nobody had touched.
  await page.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  if (process.env.PAGE_FILES) await fromFiles(page, process.env.PAGE_FILES);
  await page.goto(server.url + path);
  return page;
}

/** While the page is worked on: its files as they are now, and not as they were compiled in. */
async function fromFiles(page, files) {
  await page.route(/\/page\/.*\.(js|css|svg)$/, async (route) => {
    const response = await route.fetch();
    const name = new URL(route.request().url()).pathname.split("/").pop();
    await route.fulfill({ response, body: readFileSync(join(files, name)) });
  });
  await page.route(/:\d+\/$/, async (route) => {
    const response = await route.fetch();
    const key = (await response.text()).includes('data-key="yes"');
    const body = readFileSync(join(files, "index.html"), "utf8");
    await route.fulfill({ response, body: key ? body.replace('data-key="no"', 'data-key="yes"') : body });
  });
}

/** Whole, quiet, within its width, still, and open to everybody; with a picture, where one is wanted. */
export async function isSound(page, name, complaints = []) {
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(width[0] <= width[1], `${name}: ${width[0]} px of content in ${width[1]} px`);
  await picture(page, name);
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  assert.deepEqual(told, [], name);
  const moved = await page.evaluate(() => window.shifted);
  assert.ok(moved < 0.02, `${name}: moved by ${moved}`);
  assert.deepEqual(page.complaints.filter((text) => !complaints.some((known) => text.includes(known))), [], name);
}

/** A picture of the whole page, in the folder that PAGE_PICTURES names. */
export async function picture(page, name, whole = true) {
  const pictures = process.env.PAGE_PICTURES;
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name.replaceAll(/\W+/g, "-")}.png`), fullPage: whole });
}

/** Waits until the page says this of itself. */
export const says = (page, text) =>
  page.waitForFunction((text) => document.getElementById("status-text")?.textContent === text, text);
