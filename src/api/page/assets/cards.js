// Accounts, turns that run, errors, profiles: each takes its part of the data and shows it.

import { brief, byId, copyButton, count, el, percent, plural, rich, show, ticking, time, windowName } from "./words.js";

const PLANS = { free: "Free", go: "Go", plus: "Plus", pro: "Pro", team: "Team", business: "Business", enterprise: "Enterprise", edu: "Edu" };

// What a state means: how it is called, and how bad it is.
const STATES = {
  looking: ["Asking how it stands…", ""],
  ready: ["Ready", "good"],
  used_up: ["Used up", "mid"],
  login_needed: ["Not logged in", "bad"],
  unreachable: ["The backend cannot be reached", "bad"],
  blocked: ["Blocked on the way", "bad"],
  no_codex: ["The plan has no Codex", "bad"],
  forbidden: ["The backend refuses this account", "bad"],
  refused: ["The backend refuses this login", "bad"],
  unwritable: ["The login cannot be renewed", "bad"],
  unsaved: ["The login is not saved", "mid"],
  unreadable: ["The login cannot be read", "bad"],
};
const stateOf = ({ state }) => STATES[state] ?? ["Not available", "bad"];

export function accounts(all) {
  show("accounts", all.map(account));
}

function account(told) {
  const [state, tone] = stateOf(told);
  const plan = told.plan && el("span", { class: "chip" }, `ChatGPT ${PLANS[told.plan] ?? told.plan}`);
  const demo = told.kind === "demo" && el("span", { class: "chip" }, "Simulator");
  const name = el("h3", {}, el("span", {}, told.name), plan || null, demo || null, el("span", { class: `state ${tone}` }, state));
  const windows = told.state === "looking" ? [ghost(), ghost()] : told.windows.map(bar);
  return el("div", { class: "account" }, name, about(told), notice(told), windows, credits(told));
}

function about({ kind, state, windows }) {
  const text = {
    demo: "The built-in simulator answers: no account, no network, nothing is spent.",
    openai: state === "ready" && "Each turn is paid for with an API key, so there is no plan to use up.",
    "codex-exec": state === "ready" && "Turns run in the official program, which keeps a login of its own.",
  }[kind];
  const none = kind === "codex" && state === "ready" && !windows.length && "The backend names no limits for this plan.";
  return text || none ? el("p", { class: "soft" }, text || none) : null;
}

/** What is wrong, and what to do about it. */
function notice(told) {
  if (told.state === "used_up") {
    const full = told.windows.filter((window) => window.used_percent >= 100 && window.resets_at);
    const back = Math.max(...full.map((window) => window.resets_at));
    const when = full.length ? ["It comes back at ", time(back), ", ", ticking("until", back)] : ["It comes back when a window resets"];
    return el("div", { class: "notice", role: "note" }, "The plan is used up. ", ...when, "; until then every turn is refused.");
  }
  if (!told.problem) return null;
  const command = told.problem.match(/`(codexway login[^`]*)`/)?.[1];
  const tone = told.state === "ready" ? "notice" : "notice bad-bg";
  if (!command) return el("div", { class: tone, role: "note" }, el("p", {}, rich(sentence(told.problem))));
  // Where it ends in what to type, that is what stands below it.
  const why = told.problem.replace(`; run \`${command}\``, "");
  const put = el("div", { class: "put" }, el("code", {}, command), copyButton("the command", () => command));
  return el("div", { class: tone, role: "note" }, el("p", {}, rich(sentence(why))), el("p", { class: "soft small" }, "To log in, run"), put);
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

function bar(window) {
  const used = Math.min(Math.max(window.used_percent, 0), 100);
  const name = windowName(window);
  const tone = used >= 100 ? "full" : used >= 80 ? "near" : "";
  const fill = el("div", { class: `fill ${tone}` });
  fill.style.width = `${used}%`;
  const resets = window.resets_at ? ["resets ", time(window.resets_at), ", ", ticking("until", window.resets_at)] : ["not in use yet"];
  return el(
    "div",
    { class: "window" },
    el("div", { class: "line" }, el("b", {}, name), el("span", { class: "num" }, `${percent(window.used_percent)} used`)),
    el("div", { class: "track", role: "meter", "aria-label": `Used of ${name}`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(used), "aria-valuetext": `${percent(window.used_percent)} used` }, fill),
    el("p", { class: "soft small" }, ...resets),
  );
}

const ghost = () =>
  el("div", { class: "window ghost", "aria-hidden": "true" }, el("div", { class: "line" }, "\u00a0"), el("div", { class: "track" }), el("p", { class: "small" }, "\u00a0"));

function credits({ credits }) {
  if (!credits) return null;
  const left = credits.unlimited ? "unlimited" : credits.balance ? `${credits.balance} left` : "some left";
  return el("p", { class: "soft small" }, `Credits beyond the plan: ${left}`);
}

/** How the server does, in a few words: what the account of the usual profile says. */
export function overall({ accounts, profiles, server }) {
  const usual = profiles.find(({ name }) => name === server.profile);
  const account = accounts.find(({ name, upstream }) => name === usual?.account && upstream === usual?.upstream);
  if (!account || account.state === "looking") return ["good", "Up"];
  const [state, tone] = stateOf(account);
  if (account.kind === "demo") return ["good", "Up, with the simulator"];
  if (account.state === "ready") return ["good", "Up and ready"];
  if (account.state === "used_up") return ["mid", "Up, but the plan is used up"];
  if (account.state === "login_needed") return ["bad", "Up, but nobody is logged in"];
  return [tone || "bad", `Up, but: ${state.charAt(0).toLowerCase()}${state.slice(1)}`];
}

const dialects = { chat: "Chat Completions", responses: "Responses", compact: "Responses, compaction" };
const dialect = (name) => dialects[name] ?? name;

export function live({ running, turns }) {
  byId("live-count").textContent = running ? count(running) : "";
  if (!turns.length) return show("live", el("p", { class: "none" }, "No turn is running."));
  const more = running - turns.length;
  show(
    "live",
    el(
      "ul",
      { class: "list" },
      turns.map((turn) =>
        el(
          "li",
          {},
          el("div", { class: "line" }, el("b", {}, el("span", { class: "pulse", "aria-hidden": "true" }), turn.model || "…"), ticking("running", turn.since / 1000)),
          el("div", { class: "line soft small" }, el("span", {}, `${dialect(turn.dialect)}${turn.profile ? `, profile ${turn.profile}` : ""}`), el("span", { class: "num" }, turn.events ? plural(turn.events, "event") : "waiting")),
        ),
      ),
      more > 0 ? el("li", { class: "soft" }, `and ${count(more)} more`) : null,
    ),
  );
}

export function errors(all) {
  byId("errors-count").textContent = all.length ? count(all.length) : "";
  if (!all.length) return show("errors", el("p", { class: "none" }, "No turn has failed since the server started."));
  show(
    "errors",
    el(
      "ul",
      { class: "list" },
      all.map((error) =>
        el(
          "li",
          {},
          el("div", { class: "line" }, el("span", {}, el("span", { class: "code num" }, `${error.status}`), error.code ? ` ${error.code.replaceAll("_", " ")}` : ""), el("span", { class: "soft small" }, time(error.at, true))),
          el("p", {}, rich(sentence(error.message))),
          error.hint ? el("p", { class: "soft hint" }, rich(error.hint)) : null,
          el("p", { class: "soft small" }, [dialect(error.dialect), error.model, error.profile && `profile ${error.profile}`].filter(Boolean).join(" · ")),
        ),
      ),
    ),
  );
}

export function profiles(all, usual) {
  show("profiles", all.map((profile) => one(profile, profile.name === usual)));
}

function one(profile, usual) {
  const name = el("h3", {}, profile.name, usual ? el("span", { class: "chip" }, "serves what names no profile") : null);
  const model = profile.model ? ["; what names no model gets ", el("code", {}, profile.model)] : [];
  const aliases = Object.entries(profile.aliases).flatMap(([alias, model], at) => [at ? ", " : " Aliases: ", el("code", {}, alias), " for ", el("code", {}, model)]);
  const heads = ["Model", "Context", "Reasoning effort", "Takes"];
  const row = ({ id, context_window, efforts, images }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, id),
      el("td", { class: "right" }, context_window ? `${brief(context_window)} tokens` : "–"),
      el("td", {}, efforts.length ? efforts.join(", ") : "–"),
      el("td", {}, images ? "text, images" : "text"),
    );
  return el(
    "div",
    { class: "profile" },
    name,
    el("p", { class: "soft small" }, `Upstream ${profile.upstream}, account ${profile.account}`, ...model, ".", ...aliases),
    el(
      "div",
      { class: "table", tabindex: "0", role: "region", "aria-label": `Models of the profile ${profile.name}` },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, heads.map((head, at) => el("th", { scope: "col", class: at === 1 ? "right" : null }, head)))),
        el("tbody", {}, profile.models.map(row)),
      ),
    ),
  );
}
