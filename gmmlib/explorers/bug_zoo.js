import { clamp, connect, figure, html } from "./draw.js";

const LOOK = `
.gmx-zoo-code { list-style:none; margin:.6rem 0; padding:.3rem 0; border-radius:8px;
  background:var(--gmx-card); }
.gmx-zoo-code li { margin:0; padding:0; }
.gmx-zoo-code button { display:flex; gap:.6em; width:100%; min-height:30px; padding:.2rem .6rem;
  border:2px solid transparent; border-radius:6px; background:none; color:var(--gmx-ink);
  font:14px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; text-align:left;
  cursor:pointer; }
.gmx-zoo-code button:hover { border-color:var(--gmx-line); }
.gmx-zoo-code button:focus-visible { outline:3px solid var(--gmx-ink); outline-offset:-3px; }
.gmx-zoo-code .gmx-zoo-n { flex:none; width:1.7em; color:var(--gmx-soft); text-align:right; }
.gmx-zoo-code .gmx-zoo-t { white-space:pre-wrap; overflow-wrap:anywhere; min-width:0; }
.gmx-zoo-code .gmx-zoo-wrong .gmx-zoo-t { opacity:.75; text-decoration:line-through; }
.gmx-zoo-code .gmx-zoo-right { border-color:var(--gmx-c1); font-weight:700; }
.gmx-zoo-laws { margin:.3rem 0 .3rem 1.2rem; padding:0; }
.gmx-zoo-laws li { margin:.15rem 0; }
`;

// What the reader accused so far, in one case: wrong lines, and whether the right one was found.
function accuse(record, guilty, line) {
  if (record.found || record.wrong.includes(line)) return record;
  if (line === guilty) return { ...record, found: true };
  return { ...record, wrong: [...record.wrong, line] };
}

// Real bugs, one at a time, in gmmlib's own functions. The laws were tried when the page was made.
function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  s.records ??= s.cases.map(() => ({ wrong: [], found: false }));
  let shown = -1;

  const fig = figure(el, {
    label: "Explorer: find the guilty line",
    hint:
      "One line below is wrong. Read which law is broken, then press the line you suspect " +
      "(arrow keys walk from line to line).",
    draw,
  });
  html("style", {}, fig.root, LOOK);
  const title = html("p", {}, fig.root),
    story = html("p", {}, fig.root),
    lead = html("p", {}, fig.root),
    laws = html("ul", { class: "gmx-zoo-laws" }, fig.root),
    code = html("ol", { class: "gmx-zoo-code", "aria-label": "lines of the function" }, fig.root);
  fig.tiles([]);
  const [back, next, show] = fig.buttons([
    ["Previous bug", () => go(-1)],
    ["Next bug", () => go(1)],
    ["Show me", () => pick(s.cases[s.now].guilty)],
  ]);

  function go(by) {
    s.now = clamp(s.now + by, 0, s.cases.length - 1);
    fig.draw();
    fig.commit();
  }
  function pick(line) {
    s.records[s.now] = accuse(s.records[s.now], s.cases[s.now].guilty, line);
    fig.draw();
    fig.commit();
  }
  function walk(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const all = [...code.querySelectorAll("button")];
    all[clamp(all.indexOf(event.currentTarget) + by, 0, all.length - 1)].focus();
  }

  function build({ name, story: words, lines, broken, function: where }) {
    title.replaceChildren();
    html("b", {}, title, `Bug ${s.now + 1} of ${s.cases.length}: ${name}`);
    story.textContent = words;
    const caught = broken.map((how, i) => [s.laws[i], how]).filter(([, how]) => how);
    const rest = s.laws.length - caught.length;
    lead.textContent = `${rest} laws hold. Broken:`;
    laws.replaceChildren(
      ...caught.map(([law, how]) => html("li", {}, undefined, `${law}: ${how}.`)),
    );
    code.setAttribute("aria-label", `lines of the function ${where}`);
    code.replaceChildren();
    lines.forEach((text, i) => {
      const button = html("button", { type: "button" }, html("li", {}, code));
      html("span", { class: "gmx-zoo-n" }, button);
      html("span", { class: "gmx-zoo-t" }, button, text);
      button.addEventListener("click", () => pick(i));
      button.addEventListener("keydown", walk);
    });
  }

  function draw() {
    const one = s.cases[s.now],
      { wrong, found } = s.records[s.now];
    if (shown !== s.now) {
      build(one);
      shown = s.now;
    }
    [...code.querySelectorAll("button")].forEach((button, i) => {
      const right = found && i === one.guilty,
        no = wrong.includes(i);
      button.className = right ? "gmx-zoo-right" : no ? "gmx-zoo-wrong" : "";
      button.firstChild.textContent = right ? "\u2713" : no ? "\u2717" : `${i + 1}`;
    });
    back.disabled = s.now === 0;
    next.disabled = s.now === s.cases.length - 1;
    show.disabled = found;
    const solved = s.records.filter((record) => record.found).length,
      misses = s.records.reduce((sum, record) => sum + record.wrong.length, 0);
    fig.tiles([
      ["bugs found", `${solved} of ${s.cases.length}`],
      ["lines accused wrongly", `${misses}`],
    ]);
    fig.say(sentence(one, wrong, found));
  }

  function sentence(one, wrong, found) {
    const caught = s.laws.filter((_, i) => one.broken[i]).map((law) => `\u201c${law}\u201d`);
    if (found)
      return (
        `Line ${one.guilty + 1} it is. gmmlib has: ${one.right} \u2014 ${one.moral} ` +
        `Caught by ${caught.join(" and ")}. Found in: ${one.source}.`
      );
    if (!wrong.length) return `Bug ${s.now + 1}, in the function ${one.function}. Which line?`;
    return `Not line ${wrong.at(-1) + 1}: it stands in gmmlib as it stands here.`;
  }
  return connect(fig, model, s, () => {
    s.records ??= s.cases.map(() => ({ wrong: [], found: false }));
  });
}
export default { render };
