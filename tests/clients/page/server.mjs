// codexway as a process of its own, in a home of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const settings = {
  CODEXWAY__UPSTREAMS__CODEX__TRANSPORT: "http",
  // What the backend refuses is told at once.
  CODEXWAY__SERVER__SHUTDOWN_GRACE: "5s",
};

const running = new Set();

/** Ends what a test has left running. */
export const endServers = () => Promise.all([...running].map((server) => server.stop()));

/** `login` is the text of `auth.json`; without it nobody is logged in. */
export async function serve({ backend, login, keys, listen = "127.0.0.1:0", command = "serve" }) {
  const home = mkdtempSync(join(tmpdir(), "page-"));
  const account = join(home, ".codex");
  mkdirSync(account);
  if (login) writeFileSync(join(account, "auth.json"), login);
  const info = join(home, "info.json");
  const env = { ...settings, PATH: process.env.PATH, HOME: home, NO_COLOR: "1" };
  if (backend) {
    env.CODEXWAY__UPSTREAMS__CODEX__BASE_URL = `${backend.url}/backend-api`;
    env.CODEXWAY__UPSTREAMS__CODEX__AUTH_URL = backend.url;
  }
  if (keys) env.CODEXWAY__SERVER__KEYS = JSON.stringify(keys);
  const process_ = spawn(process.env.CODEXWAY_BINARY, [command, "--listen", listen, "--server-info", info], { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  process_.stderr.on("data", (text) => (log += text));
  const ended = once(process_, "exit");
  while (!existsSync(info)) {
    if (process_.exitCode !== null) throw new Error(`it does not start: ${log}`);
    await new Promise((resume) => setTimeout(resume, 20));
  }
  const { url } = JSON.parse(readFileSync(info, "utf8"));
  const server = {
    url,
    logIn: (login) => writeFileSync(join(account, "auth.json"), login),
    /** Runs a command in the same home. */
    run: async (...args) => {
      const child = spawn(process.env.CODEXWAY_BINARY, args, { env, stdio: ["ignore", "pipe", "ignore"] });
      let out = "";
      child.stdout.on("data", (text) => (out += text));
      await once(child, "close");
      return out;
    },
    /** Asks it to stop, and tells with which status it did, and after how many milliseconds. */
    stop: async () => {
      running.delete(server);
      const began = Date.now();
      process_.kill("SIGTERM");
      const [status] = await ended;
      rmSync(home, { recursive: true, force: true });
      return { status, took: Date.now() - began };
    },
  };
  running.add(server);
  return server;
}

/** A streamed turn; its promise resolves with the whole answer. */
export async function turn(server, { text = "Say hello", key, path = "/v1/chat/completions" } = {}) {
  const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
  const said = path.endsWith("responses") ? { input: text } : { messages: [{ role: "user", content: text }] };
  const body = JSON.stringify({ model: "gpt-5.5", stream: true, ...said });
  const response = await fetch(server.url + path, { method: "POST", headers, body });
  return response.text();
}
