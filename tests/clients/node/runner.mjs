// Runs plain functions and prints one line for each: the name is the sentence it proves.

const SECONDS_PER_TEST = Number(process.env.SECONDS_PER_TEST ?? 30);

const tests = [];

/** `group("node chat")("a plain answer has text", async () => {…})` */
export const group = (name) => (sentence, run) => tests.push({ name: `${name}: ${sentence}`, run });

/** Runs every test; returns the exit code. */
export async function run() {
  let code = tests.length > 0 ? 0 : 1;
  for (const test of tests) {
    if (!(await line(test))) code = 1;
  }
  return code;
}

async function line({ name, run }) {
  let timer;
  const late = new Promise((_, reject) => {
    const error = new Error(`took more than ${SECONDS_PER_TEST} s`);
    timer = setTimeout(() => reject(error), SECONDS_PER_TEST * 1000);
  });
  try {
    await Promise.race([run(), late]);
    console.log(`ok ${name}`);
    return true;
  } catch (error) {
    const text = error?.stack ?? String(error);
    console.log(`FAILED ${name}\n${text.replace(/^/gm, "    ")}\n`);
    return false;
  } finally {
    clearTimeout(timer);
  }
}
