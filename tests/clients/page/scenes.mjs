// Tests that leave nothing behind, whether they pass or not.

import { Backend } from "./backend.mjs";
import { closePages } from "./browser.mjs";
import { group } from "./runner.mjs";
import { endServers } from "./server.mjs";

/** `scenes("page live")("a sentence", async (backend) => {…})` */
export const scenes = (name) => {
  const test = group(name);
  return (sentence, run) =>
    test(sentence, async () => {
      const backend = await new Backend().start();
      try {
        await run(backend);
      } finally {
        await closePages();
        await endServers();
        backend.stop();
      }
    });
};
