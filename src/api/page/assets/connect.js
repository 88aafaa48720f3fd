// How to point each client at this server.

import { byId, copyButton, el, rich, show } from "./words.js";

let chosen = "";

/** `url` is what the guides were written with; the browser may know the server by another. */
export function connect(guides, { url, keys }) {
  const here = (text) => text.split(url).join(location.origin);
  const base = `${location.origin}/v1`;
  const fact = (name, ...children) => el("div", { class: "fact" }, el("span", {}, name), el("div", { class: "put" }, children));
  show(
    "basics",
    fact("Base URL", el("code", {}, base), copyButton("the base URL", () => base)),
    fact("API key", keys ? "one of this server’s local keys" : "any text: this server wants none"),
  );
  if (!guides.length) return show("guides");
  const named = (name) => guides.find((guide) => guide.name === name);
  chosen = named(chosen)?.name ?? guides[0].name;
  const select = el(
    "select",
    { id: "client", onchange: () => showGuide(named((chosen = select.value)), here) },
    guides.map(({ name, title }) => el("option", { value: name, selected: name === chosen }, title)),
  );
  show(
    "guides",
    el("div", { class: "chooser" }, el("label", { for: "client" }, "Settings for"), select),
    el("div", { class: "guide", id: "guide" }),
  );
  showGuide(named(chosen), here);
}

function showGuide(guide, here) {
  const settings = here(guide.settings);
  const where = guide.file ? ["For ", el("code", {}, guide.file)] : [{ sh: "In a shell", python: "In Python", js: "In JavaScript" }[guide.language] ?? "By hand"];
  const command = (name, text) =>
    el("div", { class: "fact" }, el("span", {}, name), el("div", { class: "put" }, el("code", {}, text), copyButton(`the command ${text}`, () => text)));
  byId("guide").replaceChildren(
    el(
      "figure",
      { class: "snippet" },
      el("figcaption", {}, el("span", {}, where), copyButton(`the settings for ${guide.title}`, () => settings)),
      el("pre", { tabindex: "0", role: "region", "aria-label": `Settings for ${guide.title}` }, settings.trimEnd()),
    ),
    el(
      "div",
      { class: "steps" },
      guide.file ? command("Let codexway put them in place, with a backup", `codexway connect ${guide.name} --write`) : null,
      guide.run ? command("Then run", here(guide.run)) : null,
      guide.settings.includes("<local key") ? el("p", { class: "soft small" }, rich("`<local key: …>` stands for the key of that name, which this page does not know.")) : null,
      guide.notes.length ? el("ul", { class: "small" }, guide.notes.map((note) => el("li", {}, rich(here(note))))) : null,
    ),
  );
}
