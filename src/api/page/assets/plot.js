// Tokens a minute for the last hour: sums, bars, and the same as a table.

import { brief, byId, count, el, local, now, percent, plural, show } from "./words.js";

const MINUTES = 60;
const WIDTH = 600;
const HEIGHT = 150;
const KINDS = [
  ["cached", "Input from the cache"],
  ["fresh", "New input"],
  ["out", "Output"],
];

export function tokens({ minutes }) {
  const hour = padded(minutes);
  const sum = (key) => hour.reduce((sum, minute) => sum + minute[key], 0);
  const [input, cached] = [sum("input"), sum("cached")];
  const fact = (name, number, unit) => el("div", {}, el("dt", {}, name), el("dd", {}, number, el("small", {}, unit)));
  show(
    "sums",
    fact("Turns", count(sum("turns")), sum("failed") ? `${count(sum("failed"))} failed` : ""),
    fact("Input", brief(input), "tokens"),
    fact("From the cache", input ? percent((cached / input) * 100) : "–", input ? "of input" : ""),
    fact("Output", brief(sum("output")), "tokens"),
  );
  draw(hour, input + sum("output"));
  table(hour.filter((minute) => minute.turns));
}

/** Every minute of the hour, those without a turn too. */
function padded(minutes) {
  const known = new Map(minutes.map((minute) => [minute.at, minute]));
  const last = Math.floor(now() / 60) * 60;
  const nothing = { turns: 0, failed: 0, input: 0, cached: 0, output: 0, reasoning: 0 };
  return Array.from({ length: MINUTES }, (_, at) => {
    const minute = last - (MINUTES - 1 - at) * 60;
    return known.get(minute) ?? { ...nothing, at: minute };
  });
}

const svg = (name, properties, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(properties)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

function draw(hour, total) {
  const top = nice(Math.max(...hour.map((minute) => minute.input + minute.output)));
  const lines = [0, 1, 2, 3].map((step) => {
    const y = (HEIGHT / 3) * step;
    return svg("line", { x1: 0, x2: WIDTH, y1: y, y2: y });
  });
  const summary = total
    ? `Tokens a minute over the last hour: ${count(total)} in all, at most ${count(Math.max(...hour.map((minute) => minute.input + minute.output)))} in one minute. The table below has each.`
    : "Tokens a minute over the last hour: none.";
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": summary },
    ...lines,
    ...hour.map((minute, at) => bar(minute, at, top)),
  );
  picture.addEventListener("pointerleave", () => (byId("readout").textContent = ""));
  const scale = [top, (top / 3) * 2, top / 3, 0].map((value) => el("span", {}, brief(Math.round(value))));
  show(
    "plot",
    el(
      "div",
      { class: "graph" },
      el("div", { class: "scale", "aria-hidden": "true" }, scale),
      picture,
      el("div", { class: "when", "aria-hidden": "true" }, el("span", {}, local(hour[0].at)), el("span", {}, local(hour[30].at)), el("span", {}, "now")),
    ),
    el(
      "ul",
      { class: "legend" },
      KINDS.map(([kind, name]) => el("li", {}, el("span", { class: `key ${kind}`, "aria-hidden": "true" }), name)),
      el("li", { id: "readout", "aria-hidden": "true" }),
    ),
  );
}

function bar(minute, at, top) {
  const step = WIDTH / MINUTES;
  let y = HEIGHT;
  const parts = [
    ["cached", minute.cached],
    ["fresh", minute.input - minute.cached],
    ["out", minute.output],
  ]
    .filter(([, tokens]) => tokens > 0)
    .map(([kind, tokens]) => {
      const height = Math.max((tokens / top) * HEIGHT, 1.5);
      y -= height;
      return svg("rect", { class: kind, x: at * step + 1, y, width: step - 2, height });
    });
  const group = svg("g", {}, ...parts, svg("rect", { class: "hit", x: at * step, y: 0, width: step, height: HEIGHT }));
  group.addEventListener("pointerenter", () => {
    byId("readout").textContent = `${local(minute.at)}: ${brief(minute.input)} in, ${brief(minute.cached)} of it cached, ${brief(minute.output)} out`;
  });
  return group;
}

/** The next number that divides into three well. */
function nice(most) {
  let step = 100;
  while (true) {
    for (const factor of [3, 4.5, 6, 7.5, 9, 12, 15, 18, 24]) if (most <= step * factor) return step * factor;
    step *= 10;
  }
}

function table(minutes) {
  if (!minutes.length) return show("minutes-table", el("p", { class: "none" }, "No turn has ended in the last hour."));
  const heads = ["Minute", "Turns", "Input", "From the cache", "Output"];
  const row = (minute) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, local(minute.at)),
      [plural(minute.turns, "turn"), count(minute.input), count(minute.cached), count(minute.output)].map((text) => el("td", { class: "right" }, text)),
    );
  show(
    "minutes-table",
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Tokens by minute" },
      el(
        "table",
        {},
        el("caption", { class: "unseen" }, "Tokens by minute, the latest first"),
        el("thead", {}, el("tr", {}, heads.map((head, at) => el("th", { scope: "col", class: at ? "right" : null }, head)))),
        el("tbody", {}, minutes.toReversed().map(row)),
      ),
    ),
  );
}
