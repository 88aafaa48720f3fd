// The page of a running server, in Chromium.

import { close } from "./browser.mjs";
import { run } from "./runner.mjs";

// Importing a module collects its tests.
import "./states.mjs";
import "./live.mjs";
import "./key.mjs";
import "./use.mjs";

const code = await run();
await close();
process.exit(code);
