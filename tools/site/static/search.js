// Sphinx's search, with the course's order and quieter excerpts: the section that defines the
// word, then pages, then functions of the library. DEFINITIONS and PAGE_NAMES: definitions.py.
const asked = (new URLSearchParams(location.search).get("q") ?? "").trim().toLowerCase();
const singular = (word) => word.replace(/ies$/, "y").replace(/(?<=[a-z]{3})s$/, "");
const found = Search._performSearch;

const definitions = (query) => {
  const all = Object.entries(DEFINITIONS);
  const exact = all.filter(([word]) => singular(word) === singular(query));
  const part = all.filter(
    ([word]) => !exact.some((e) => e[0] === word) && word.split(/[\s’']/).includes(query),
  );
  part.sort(([a], [b]) => b.startsWith(query) - a.startsWith(query));
  return [...exact, ...part].map(([, [page, anchor, title]]) => [
    page,
    title,
    anchor,
    null,
    100,
    page,
  ]);
};

const named = ([page, title, anchor, description, score, file]) => {
  const name = PAGE_NAMES[page];
  if (name && !description) {
    if (title.includes(" > ")) title = `${name} › ${title.split(" > ").pop()}`;
    else if (title.startsWith("Exercises") || title === name) title = name;
    else title = `${name}: ${title}`;
  }
  return [page, title, anchor, description, score, file];
};

// Sphinx shows the last one first.
Search._performSearch = (query, ...terms) => {
  const first = definitions(query.trim().toLowerCase());
  const known = new Set(first.map(([page, , anchor]) => page + anchor));
  const rest = found(query, ...terms)
    .filter(([page, , anchor]) => !known.has(page + anchor))
    .map(named);
  const isObject = ([, , , description]) => description !== null;
  return [...rest.filter(isObject), ...rest.filter((r) => !isObject(r)), ...first.reverse()];
};

// The words of a page or section, as a reader sees them: no menus, no code, no marks.
Search.htmlToText = (source, anchor) => {
  const page = new DOMParser().parseFromString(source, "text/html");
  const article = page.querySelector("article.bd-article");
  if (!article) return "";
  const noise =
    "nav, script, style, noscript, h1, h2, h3, summary, .headerlink, .chapter-mark, " +
    ".highlight, .eqno, img, svg, button";
  article.querySelectorAll(noise).forEach((element) => element.remove());
  const part = (anchor && article.querySelector(`#${CSS.escape(anchor.slice(1))}`)) || article;
  part.querySelectorAll("p, li, td, th, dt, dd, div").forEach((element) => element.append(" "));
  return part.textContent.replace(/[¶\s]+/g, " ").trim();
};

// A window of 240 characters around the word, between words.
Search.makeSearchSummary = (source, keywords, anchor) => {
  const text = Search.htmlToText(source, anchor);
  if (!text) return null;
  const lower = text.toLowerCase();
  const at = [asked, ...keywords].map((word) => lower.indexOf(word)).find((i) => i >= 0) ?? 0;
  const from = at < 100 ? 0 : text.indexOf(" ", at - 100) + 1;
  const end = text.indexOf(" ", from + 240);
  const summary = document.createElement("p");
  summary.className = "context";
  summary.textContent =
    (from ? "… " : "") + text.slice(from, end < 0 ? undefined : end) + (end < 0 ? "" : " …");
  return summary;
};
