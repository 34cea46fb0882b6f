// A formula or table that scrolls must be reachable by keyboard; one that fits must not stop the tab key.
const mark = () => {
  for (const box of document.querySelectorAll("div.math, mjx-container[display], .bd-article table, .bd-article pre")) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (scrolls) box.setAttribute("tabindex", "0");
    else box.removeAttribute("tabindex");
  }
};
const start = async () => {
  if (window.MathJax?.startup?.promise) await window.MathJax.startup.promise;
  await document.fonts.ready;
  mark();
  addEventListener("resize", mark);
};
if (document.readyState === "complete") start();
else addEventListener("load", start);
