// Elements, and the words for numbers and times. Data becomes text nodes, never markup.

/** `el("p", { class: "soft" }, "text", child)`; an `on…` property is a listener. */
export function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const byId = (id) => document.getElementById(id);

export const show = (id, ...children) => byId(id).replaceChildren(...children.flat());

/** Text in which what stands in backticks is code. */
export const rich = (text) =>
  text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));

const whole = new Intl.NumberFormat("en");
const few = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (number) => whole.format(number);

/** `950`, `12.4 k`, `918 k`, `1.3 M` */
export function brief(number) {
  const short = (number) => (number < 99.95 ? few : whole).format(number);
  if (number < 1000) return whole.format(number);
  if (number < 999_500) return `${short(number / 1000)} k`;
  return `${short(number / 1_000_000)} M`;
}

export const percent = (part) => `${Math.round(part)} %`;

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** A window is called by its length. */
export function windowName({ minutes, limit }) {
  let name = plural(minutes, "minute");
  if (minutes % 1440 === 0) name = plural(minutes / 1440, "day");
  else if (minutes % 60 === 0) name = plural(minutes / 60, "hour");
  return limit ? `${name}, ${limit}` : name;
}

// How far the server's clock is ahead of the browser's, in seconds.
let ahead = 0;
export const setServerTime = (seconds) => (ahead = seconds - Date.now() / 1000);
export const now = () => Date.now() / 1000 + ahead;

/** `2 h 10 min`, rounded up to minutes. */
export function span(seconds) {
  const minutes = Math.max(Math.ceil(seconds / 60), 1);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return rest ? `${hours} h ${rest} min` : `${hours} h`;
  return `${rest} min`;
}

/** `12 s`, `3 min 4 s` */
export function elapsed(seconds) {
  const all = Math.max(Math.floor(seconds), 0);
  return all < 60 ? `${all} s` : `${Math.floor(all / 60)} min ${all % 60} s`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

/** The local time, with the day where that is not today. */
export function local(at, precise = false) {
  const date = new Date(at * 1000);
  const time = (precise ? seconds : clock).format(date);
  const today = date.toDateString() === new Date(now() * 1000).toDateString();
  return today ? time : `${day.format(date)}, ${time}`;
}

export const time = (at, precise) =>
  el("time", { datetime: new Date(at * 1000).toISOString() }, local(at, precise));

// What changes with time alone. Only its text is replaced, so nothing loses the focus.
const kinds = {
  until: (at) => (at > now() ? `in ${span(at - now())}` : "now"),
  running: (at) => elapsed(now() - at),
  up: (at) => `up for ${span(now() - at)}`,
};

/** Text that stays true: `until`, `running` or `up` a moment, in seconds since 1970. */
export const ticking = (kind, at) => el("span", { "data-tick": kind, "data-at": at, class: "num" }, kinds[kind](at));

export function tick() {
  for (const node of document.querySelectorAll("[data-tick]")) {
    const text = kinds[node.dataset.tick](Number(node.dataset.at));
    if (node.textContent !== text) node.textContent = text;
  }
}

/** A button that copies what `text` gives, and says so to everybody. */
export function copyButton(what, text) {
  const word = el("span", {}, "Copy");
  const button = el("button", { type: "button", class: "copy" }, word, el("span", { class: "unseen" }, ` ${what}`));
  const again = later();
  button.addEventListener("click", async () => {
    const done = await copy(text());
    word.textContent = done ? "Copied" : "Select it";
    byId("said").textContent = done ? `Copied ${what}.` : "The browser does not let a page copy here.";
    again(() => (word.textContent = "Copy"));
    sayNothing(() => (byId("said").textContent = ""));
  });
  return button;
}

/** Does something once nobody has asked for it for two seconds: an earlier copy ends no later one's. */
function later() {
  let timer;
  return (act) => {
    clearTimeout(timer);
    timer = setTimeout(act, 2000);
  };
}

const sayNothing = later();

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain HTTP from another machine there is no clipboard, but the old way.
    const area = el("textarea", { class: "unseen", readonly: true, "aria-hidden": "true" });
    area.value = text;
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    before?.focus();
    return done;
  }
}
