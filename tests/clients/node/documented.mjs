// What the README shows runs as it stands there, but for the address.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { group } from "./runner.mjs";

const test = group("node documented");

test("the README's examples print what they ask for", async () => {
  const readme = await readFile(process.env.CODEXWAY_README, "utf8");
  const examples = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, example]) => example);
  assert.ok(examples.length > 0, "there is none");
  for (const [index, example] of examples.entries()) {
    const address = "http://127.0.0.1:7531/v1";
    assert.ok(example.includes(address), example);
    // Beside this file, where the modules are that it imports.
    const file = new URL(`readme-${index}.mjs`, import.meta.url);
    await writeFile(file, example.replaceAll(address, process.env.OPENAI_BASE_URL));
    const { OPENAI_BASE_URL, OPENAI_API_KEY, ...env } = process.env;
    const run = await promisify(execFile)(process.execPath, [file.pathname], { env });
    assert.equal(run.stdout.trim(), "hello");
  }
});
