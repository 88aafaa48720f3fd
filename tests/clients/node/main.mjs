// The official OpenAI SDK for Node or the Vercel AI SDK, as the argument says (`openai`, `ai-sdk`),
// against the server that OPENAI_BASE_URL names.

import { run } from "./runner.mjs";

// Importing a module collects its tests.
const modules = {
  openai: ["./chat.mjs", "./responses.mjs", "./stored.mjs", "./errors.mjs", "./documented.mjs"],
  "ai-sdk": ["./ai_sdk.mjs"],
};
for (const module of modules[process.argv[2]]) await import(module);

process.exit(await run());
