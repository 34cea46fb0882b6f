// The deck follows the reader's choice of light and dark; paper is light.
const printing = new URLSearchParams(location.search).has("print-pdf");
const dark = matchMedia("(prefers-color-scheme: dark)");
const shade = () => {
  document.documentElement.dataset.theme = dark.matches && !printing ? "dark" : "light";
};
shade();
dark.addEventListener("change", shade);

// An explorer's charts stand on the left, its numbers, buttons and words on the right.
const spread = (host) => {
  const root = host.querySelector(".gmx");
  if (!root || root.querySelector(".gmx-side")) return;
  const [main, side] = ["gmx-main", "gmx-side"].map((name) => {
    const box = document.createElement("div");
    box.className = name;
    return box;
  });
  for (const child of [...root.children])
    if (!child.matches("style")) (child.matches("svg") ? main : side).append(child);
  root.append(main, side);
};
const watch = new MutationObserver((changes) => {
  for (const { target } of changes) spread(target);
});
for (const host of document.querySelectorAll("[data-explorer]")) {
  watch.observe(host, { attributeFilter: ["data-mounted"] });
  if ("mounted" in host.dataset) spread(host);
}

// Keys belong to the explorer that has the focus; Escape gives them back.
const held = () => document.activeElement?.closest(".gmx");
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || !held()) return;
    document.activeElement.blur();
    event.stopImmediatePropagation();
  },
  true,
);

Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  minScale: 0.1,
  maxScale: 3,
  center: false,
  hash: true,
  transition: "none",
  backgroundTransition: "none",
  slideNumber: "c/t",
  controlsTutorial: false,
  pdfSeparateFragments: false,
  pdfMaxPagesPerSlide: 1,
  keyboardCondition: () => !held(),
  plugins: [RevealNotes],
}).then(() => {
  // It stands inside the page's landmark and is none of its own.
  document.querySelector(".controls").setAttribute("role", "none");
});
