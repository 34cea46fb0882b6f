// What scrolls must be reachable by keyboard and show at which edge it goes on; what fits must not
// stop the tab key.
const BOXES = "div.math > .formula, .table-box, .pst-scrollable-table-container, .bd-article pre";

const cut = (box) => {
  const left = box.scrollLeft > 1;
  const right = box.scrollLeft + box.clientWidth < box.scrollWidth - 1;
  if (left || right) box.dataset.cut = [left && "left", right && "right"].filter(Boolean).join(" ");
  else delete box.dataset.cut;
};
// A table or a listing that scrolls is a region of the page, under its heading's name; formulas and
// cells are too many to be landmarks.
const nameOf = (box) => {
  const what = box.matches(".formula") ? "formula" : box.matches("pre") ? "code" : "table";
  if (what === "formula" || box.closest(".cell"))
    return [
      ["role", "group"],
      ["aria-label", `Wide ${what}`],
    ];
  const number = [...document.querySelectorAll(BOXES)].indexOf(box) + 1;
  const heading = box.closest("section")?.querySelector("h1, h2, h3, h4")?.firstChild;
  return [
    ["role", "region"],
    ["aria-label", `Wide ${what} ${number}${heading ? `, ${heading.textContent}` : ""}`],
  ];
};
const mark = (box) => {
  const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  const said = nameOf(box);
  for (const [name, value] of [["tabindex", "0"], ...said]) {
    if (scrolls) box.setAttribute(name, value);
    else box.removeAttribute(name);
  }
  cut(box);
};
const start = async () => {
  await document.fonts.ready;
  // What is inside may grow while the box keeps its size.
  const boxOf = (element) => (element.matches(BOXES) ? element : element.parentElement);
  const watch = new ResizeObserver((entries) => entries.forEach((e) => mark(boxOf(e.target))));
  for (const box of document.querySelectorAll(BOXES)) {
    box.addEventListener("scroll", () => cut(box), { passive: true });
    watch.observe(box);
    if (box.firstElementChild) watch.observe(box.firstElementChild);
  }
};
if (document.readyState === "complete") start();
else addEventListener("load", start);

// On paper every folded cell is open, and the ground is white.
let before;
addEventListener("beforeprint", () => {
  const folded = [...document.querySelectorAll(".bd-article details:not([open])")];
  before = { folded, theme: document.documentElement.dataset.theme };
  folded.forEach((details) => (details.open = true));
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => {
  before.folded.forEach((details) => (details.open = false));
  document.documentElement.dataset.theme = before.theme;
});
