// The official OpenAI SDK for Node and the Vercel AI SDK against the server that OPENAI_BASE_URL
// names.

import { run } from "./runner.mjs";

// Importing a module collects its tests.
import "./chat.mjs";
import "./responses.mjs";
import "./stored.mjs";
import "./errors.mjs";
import "./ai_sdk.mjs";
import "./documented.mjs";

process.exit(await run());
