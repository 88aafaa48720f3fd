// Keeps the page in step with the server: fetches its events, and asks for a key where one is wanted.

import * as cards from "./cards.js";
import { connect } from "./connect.js";
import { tokens } from "./plot.js";
import { byId, setServerTime, tick, ticking } from "./words.js";

const KEY = "codexway-key";
/** The server says something every ten seconds. */
const SILENCE = 30_000;
const PAUSES = [250, 500, 1000, 2000, 4000];

const told = {};
let following;
let failures = 0;

const draw = {
  server: () => {
    byId("about").replaceChildren(`Version ${told.server.version}, `, ticking("up", told.server.since));
  },
  accounts: () => cards.accounts(told.accounts),
  profiles: () => cards.profiles(told.profiles, told.server.profile),
  clients: () => connect(told.clients, told.server),
  live: () => cards.live(told.live),
  tokens: () => tokens(told.tokens),
  errors: () => cards.errors(told.errors),
};

function say(tone, text) {
  const status = byId("status");
  if (status.dataset.tone === tone && byId("status-text").textContent === text) return;
  status.dataset.tone = tone;
  byId("status-text").textContent = text;
  document.title = `${text} · codexway`;
}

/** Whether every part has come. */
const whole = () => Object.keys(draw).every((name) => name in told);

function take(parts) {
  const first = !whole();
  Object.assign(told, parts);
  // What comes in pieces is shown at once, so that nothing moves.
  if (!whole()) return;
  for (const name of Object.keys(first ? told : parts)) draw[name]?.();
  if (parts.server && !parts.clients && told.clients) draw.clients();
  say(...cards.overall(told));
  byId("board").hidden = false;
  byId("board").classList.remove("lost");
}

/** Reads events until there are no more; resolves to whether it is to be tried again. */
async function follow(signal) {
  const key = sessionStorage.getItem(KEY);
  if (!key && document.documentElement.dataset.key === "yes") return ask("");
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const response = await fetch("/page/events", { headers, signal, cache: "no-store", credentials: "omit" });
  if (response.status === 401) return ask(key ? "That is none of this server’s keys." : "");
  if (!response.ok) throw new Error(`status ${response.status}`);
  byId("door").hidden = true;
  byId("forget").hidden = !key;
  setServerTime(Date.parse(response.headers.get("date") ?? "") / 1000 || Date.now() / 1000);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { done, value } = await inTime(reader.read());
    if (done) return true;
    failures = 0;
    const frames = (text + value).split("\n\n");
    text = frames.pop();
    const parts = Object.fromEntries(frames.map(read).filter(Boolean));
    if (Object.keys(parts).length) take(parts);
  }
}

/** `[name, data]` of a frame, or nothing for a comment. */
function read(frame) {
  const line = (name) => frame.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const [event, data] = [line("event"), line("data")];
  return event && data && [event, JSON.parse(data)];
}

/** A server that has gone without a word is noticed too. */
function inTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("silence")), SILENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks for a key. */
function ask(wrong) {
  sessionStorage.removeItem(KEY);
  byId("board").hidden = true;
  byId("door").hidden = false;
  byId("key-wrong").textContent = wrong;
  byId("about").replaceChildren();
  say("wait", "Up, and closed to who has no key");
  byId("key").focus();
  return false;
}

async function start() {
  following?.abort();
  const mine = (following = new AbortController());
  while (!mine.signal.aborted) {
    try {
      if (!(await follow(mine.signal))) return;
    } catch {
      if (mine.signal.aborted) return;
      failures += 1;
    }
    if (mine.signal.aborted) return;
    if (failures) {
      say("bad", "Lost the server; trying again…");
      byId("board").classList.add("lost");
    }
    await new Promise((resume) => setTimeout(resume, PAUSES[Math.min(failures, PAUSES.length - 1)]));
  }
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId("key").value.trim());
  byId("key").value = "";
  start();
});
byId("forget").addEventListener("click", () => {
  following?.abort();
  ask("");
});
// A page that nobody sees asks for nothing.
document.addEventListener("visibilitychange", () => (document.hidden ? following?.abort() : start()));

let minute = 0;
setInterval(() => {
  tick();
  const next = Math.floor(Date.now() / 60_000);
  if (next !== minute && told.tokens) draw.tokens();
  minute = next;
}, 1000);

start();
