"""Open a page as its readers will, and write down what went wrong."""

import re
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlparse

from bs4 import BeautifulSoup
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = [320, 375, 768, 1280]  # the last one stays
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

READ_PAGE = """async () => {
  await document.fonts.ready;
  const shown = element => element.getClientRects().length > 0;
  const drawn = box => [...box.querySelectorAll("math")].some(m => m.childElementCount) || !shown(box);
  return {
    lang: document.documentElement.lang,
    titles: [...document.querySelectorAll("h1")].filter(shown).map(h => h.textContent),
    mute: [...document.images].filter(i => !i.hasAttribute("alt") && !i.ariaHidden).map(i => i.src.slice(0, 80)),
    broken: [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src.slice(0, 80)),
    mathless: [...document.querySelectorAll(".math")].filter(m => !drawn(m)).map(m => m.textContent.slice(0, 80)),
    unsaid: [...document.querySelectorAll("math:not([aria-label])")].map(m => m.textContent.slice(0, 80)),
    wrong: [...document.querySelectorAll("merror")].map(m => m.textContent.slice(0, 80)),
  };
}"""

# Elements that stick out of the page, unless something around them scrolls or hides them.
STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const held = e => { for (e = e.parentElement; e && e !== document.body; e = e.parentElement)
    if (getComputedStyle(e).overflowX !== "visible") return true; return false; };
  const out = [...document.body.querySelectorAll("*")]
    .filter(e => e.getBoundingClientRect().right > width + 1 && !held(e))
    .map(e => `<${e.tagName.toLowerCase()} class="${e.className}"> ${e.textContent.trim().slice(0, 40)}`);
  return [`page is ${document.documentElement.scrollWidth} px wide`, ...out.slice(0, 5)];
}"""

SHADES = """() => {
  const light = colour => {  // of a see-through ground: that of the white page behind it
    const [r, g, b, opaque = 1] = colour.match(/[\\d.]+/g).map(Number);
    return opaque * (r + g + b) / 765 + 1 - opaque;
  };
  const style = getComputedStyle(document.body);
  return [light(style.color), light(style.backgroundColor)];
}"""

# What a page does to words, numbers and wide formulas at the width it is seen at.
LAYOUT = """async width => {
  const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 20)));
  while (innerWidth !== width) await frame();
  for (let i = 0; i < 3; i++) await frame();  // the page's own scripts answer to the new width
  const faults = [];
  const lines = element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const boxes = [...range.getClientRects()].filter(r => r.width > 0).sort((a, b) => a.top - b.top);
    return boxes.filter((r, i) => !i || r.top >= Math.max(...boxes.slice(0, i).map(b => b.bottom)) - 1).length;
  };
  for (const cell of document.querySelectorAll(".bd-article :is(td, th)")) {
    const text = cell.innerText.trim();
    if (!text || text.length > 12 || cell.querySelector("math, img, br")) continue;
    if (lines(cell) > 1) faults.push(`split cell: ${text}`);
  }
  for (const number of document.querySelectorAll(".eqno")) {
    const box = number.getBoundingClientRect();
    if (lines(number) > 1) faults.push(`split number: ${number.innerText}`);
    if (box.left < 0 || box.right > width) faults.push(`number out of sight: ${number.innerText}`);
  }
  for (const box of document.querySelectorAll("div.math"))
    for (const inner of [box, ...box.querySelectorAll(".formula")])
      if (inner.scrollWidth > inner.clientWidth + 1 && getComputedStyle(inner).maskImage === "none")
        faults.push(`cut without a sign: ${inner.textContent.slice(0, 60)}`);
  for (const mark of document.querySelectorAll(".bd-article :is(h1, h2, h3, h4) > a.headerlink")) {
    const heading = mark.parentElement, height = heading.getBoundingClientRect().height;
    mark.style.setProperty("display", "none", "important");
    const without = heading.getBoundingClientRect().height;
    mark.style.removeProperty("display");
    if (height > without + 1) faults.push(`a line for "#": ${heading.innerText}`);
  }
  return faults.map(fault => `at ${width} px, ${fault}`);
}"""

# Lines of prose with more than 72 characters; a formula in it is not counted by its letters.
LONG_LINES = """() => {
  const long = [], range = document.createRange();
  for (const p of document.querySelectorAll(".bd-article p")) {
    if (p.closest("table, .cell_output, figure") || !p.getClientRects().length) continue;
    const counts = new Map(), walker = document.createTreeWalker(p, NodeFilter.SHOW_TEXT);
    for (let text; (text = walker.nextNode());) {
      if (text.parentElement.closest("math, code, .headerlink")) continue;
      for (let i = 0; i < text.length; i++) {
        range.setStart(text, i);
        range.setEnd(text, i + 1);
        const box = range.getClientRects()[0];
        if (box) counts.set(Math.round(box.bottom / 8), (counts.get(Math.round(box.bottom / 8)) ?? 0) + 1);
      }
    }
    if (Math.max(0, ...counts.values()) > 72) long.push(`${Math.max(...counts.values())}: ${p.innerText.slice(0, 60)}`);
  }
  return long;
}"""

# Code and printed lines that scroll sideways on a screen. What is folded is not looked at.
SCROLLS = """() => [...document.querySelectorAll(".bd-article .highlight pre")]
  .filter(pre => !pre.closest("details:not([open])") && pre.scrollWidth > pre.clientWidth + 1)
  .map(pre => `${pre.scrollWidth} px in ${pre.clientWidth}: ${pre.textContent.trim().slice(0, 60)}`)"""

# Headings that are not smaller than those above them, or skip a level; links in more than one colour.
RANKS = """() => {
  const faults = [], sizes = {}, shown = element => element.getClientRects().length > 0;
  let last = 0;
  for (const heading of [...document.querySelectorAll(".bd-article :is(h1, h2, h3, h4, h5, h6)")].filter(shown)) {
    const level = Number(heading.tagName[1]), size = parseFloat(getComputedStyle(heading).fontSize);
    if (level > last + 1) faults.push(`h${level} under h${last}: ${heading.innerText}`);
    if ((sizes[level] ??= size) !== size) faults.push(`another size than h${level} has: ${heading.innerText}`);
    last = level;
  }
  const falling = Object.values(sizes);
  if (falling.some((size, i) => i && size >= falling[i - 1])) faults.push(`sizes do not fall: ${falling}`);
  return faults;
}"""
LINK_COLOURS = """() => {
  const links = [...document.querySelectorAll(".bd-article a[href]:not(.headerlink, .viewcode-back, .btn)")]
    .filter(a => a.getClientRects().length && a.textContent.trim());
  const colours = Object.entries(Object.groupBy(links, a => getComputedStyle(a).color));
  return colours.length > 1 ? colours.map(([colour, of]) => `links in ${colour}: ${of[0].textContent}`) : [];
}"""

# A link at both ends of everything that paper must keep whole; said is what each of these is.
MARK_ENDS = """() => {
  const wholes = [...document.querySelectorAll("article :is(tr, figure, img)")]
    .filter(e => !e.closest("thead"))  // a table's head stands on every sheet that the table reaches
    .filter(e => e.getClientRects().length && !(e.matches("img") && e.closest("figure")));
  return wholes.map((whole, i) => {
    if (getComputedStyle(whole).position === "static" && !whole.matches("tr")) whole.style.position = "relative";
    const holders = whole.matches("tr") ? [...whole.cells] : [whole.matches("img") ? whole.parentElement : whole];
    for (const holder of holders) {
      if (getComputedStyle(holder).position === "static") holder.style.position = "relative";
      for (const edge of ["top", "bottom"]) {
        const link = document.createElement("a");
        link.href = `https://mark.invalid/${i}`;
        link.textContent = ".";
        link.style.cssText = `position: absolute; ${edge}: 3px; left: 0; font: 4px monospace; opacity: .01`;
        holder.append(link);
      }
    }
    return `${whole.tagName.toLowerCase()} ${whole.textContent.trim().replace(/\\s+/g, " ").slice(0, 60)}`;
  });
}"""

# The theme notices the change of mode in its own time and then fades its colours; nothing may be
# read halfway. A page that never turns dark goes on after five seconds, and fails its test.
SETTLE = """async () => {
  const pause = ms => new Promise(done => setTimeout(done, ms));
  for (let i = 0; i < 100 && document.documentElement.dataset.theme === "light"; i++) await pause(50);
  await pause(300);
  const faded = document.getAnimations().map(animation => animation.finished);
  await Promise.race([Promise.allSettled(faded), pause(2000)]);  // one that loops never finishes
}"""

# Every rule that axe has: what WCAG asks at all levels, best practices, and what is still being tried.
# Contrast is asked once, for the seven to one that `color-contrast-enhanced` wants (4.5 of large letters).
ASK = """
  const of = tags => axe.getRules(tags).map(rule => rule.ruleId).filter(id => id !== "color-contrast-enhanced");
  const ask = async (where, values) => (await axe.run(where, {
    runOnly: {type: "rule", values}, resultTypes: ["violations"], preload: false,
    checks: {"color-contrast": {options: {contrastRatio: {normal: {expected: 7}, large: {expected: 4.5}}}}},
  })).violations.flatMap(v => v.nodes.map(n => `${v.id} (${v.impact}): ${n.html.slice(0, 160)}`));
"""
RUN_AXE = f"""async where => {{ {ASK} return ask(where ?? document, of()); }}"""

# By night only colours differ, so only their rules are asked again, of one element of each kind: what has the
# same colours over the same grounds, letters of the same size, and stands in text of the same colour, is of one
# kind. (axe takes along what is inside an element, so those without words of their own are left out.)
# All rules are asked of what the day did not show.
SHOWN = """() => { window.byDay = new Set([...document.querySelectorAll("*")].filter(e => e.checkVisibility())) }"""
RUN_AXE_BY_NIGHT = f"""async () => {{ {ASK}
  const shown = [...document.body.querySelectorAll("*")].filter(e => e.checkVisibility());
  const grounds = new Map(), kinds = new Map();
  const ground = e => {{
    if (!e) return "";
    if (!grounds.has(e)) {{
      const {{backgroundColor: colour, backgroundImage: image, opacity}} = getComputedStyle(e);
      const clear = colour === "rgba(0, 0, 0, 0)" && image === "none" && opacity === "1";
      grounds.set(e, ground(e.parentElement) + (clear ? "" : `; ${{colour}} ${{image}} ${{opacity}}`));
    }}
    return grounds.get(e);
  }};
  const says = e => e.matches("a, input, button, select")
    || [...e.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  for (const e of shown.filter(says)) {{
    const style = getComputedStyle(e), around = getComputedStyle(e.parentElement).color;
    const letters = [style.color, style.fontSize, style.fontWeight, style.textDecorationLine, style.borderBottomWidth];
    const kind = [e.tagName, e.getAttribute("role"), ...letters, around, ground(e)].join();
    if (!kinds.has(kind)) kinds.set(kind, e);
  }}
  const fresh = shown.filter(e => !window.byDay.has(e));
  const found = await ask({{include: [...kinds.values()]}}, of(["cat.color"]));
  return [...found, ...(fresh.length ? await ask({{include: fresh}}, of()) : [])];
}}"""

# What only TeX looks like: a command, or a dollar's worth of one.
TEX = re.compile(r"\\[a-zA-Z]{2,}|\\[()\[\]]|\$[^$\s][^$]*\$")


@dataclass
class Visit:
    """What one page did. Every list is empty for a page as it should be."""

    outside: list = field(default_factory=list)  # requests to another origin
    failed: list = field(default_factory=list)  # requests that brought nothing
    errors: list = field(default_factory=list)  # console errors and uncaught exceptions
    mute: list = field(default_factory=list)  # images without alt text
    raw: list = field(default_factory=list)  # math that was not typeset, or has no words for a screen reader
    asked: set = field(default_factory=set)  # every address the page loaded from
    split: list = field(default_factory=list)  # words, numbers and formulas that break or are cut, at four widths
    long: list = field(default_factory=list)  # prose wider than 72 characters
    scrolls: list = field(default_factory=list)  # code and printed lines that are cut at 1280 px
    ranks: list = field(default_factory=list)  # headings out of their order
    colours: list = field(default_factory=list)  # link colours of the article, if there are several in one theme
    titles: list = field(default_factory=list)  # headings of level one: exactly one
    lang: str = ""
    wide: list = field(default_factory=list)  # what sticks out at 320 px
    dark: tuple = ()  # lightness of text and ground when the reader prefers dark
    barriers: list = field(default_factory=list)  # what axe objects to, light and dark


def open_whole(page, url):
    """Open a page and wait until its explorers live and its fonts are there; what it asks for, `Visitor` watches."""
    page.goto(url, wait_until="load")
    page.wait_for_function("() => !document.querySelector('[data-explorer]:not([data-mounted])')")
    page.evaluate("document.fonts.ready.then(() => null)")


def on_paper(line, sheets):
    """Whether one sheet has the line, or one its beginning and the next the rest."""
    if any(line in sheet for sheet in sheets):
        return True
    return any(
        line[:i] in one and line[i:] in following for one, following in pairwise(sheets) for i in range(1, len(line))
    )


class Visitor:
    """Visits the pages served at one address, each once."""

    def __init__(self, browser, address):
        self.browser, self.address, self.visits = browser, address, {}

    def __call__(self, path):
        if path not in self.visits:
            self.visits[path] = self.visit(path)
        return self.visits[path]

    def visit(self, path):
        seen = Visit()
        context = self.browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        context.route("**/*", lambda route: self.admit(route, seen))
        page = context.new_page()
        page.on("console", lambda m: seen.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("requestfailed", lambda r: seen.failed.append(f"{r.url}: {r.failure}"))
        page.on("response", lambda r: seen.failed.append(f"{r.url}: {r.status}") if r.status >= 400 else None)
        try:
            self.look(page, self.address + path, seen)
        finally:
            context.close()
        return seen

    def paper(self, path, site):
        """Lines of code on the page that its print lacks, rows and figures that it splits, headings of folded code.

        Blanks do not count: a long line of code goes on below, or at the top of the next sheet. A row's cells,
        or a figure's top and caption, are found by links to nowhere with an address of their own, which the
        print keeps with sheet and place.
        """
        page = self.browser.new_page(color_scheme="dark")
        try:
            open_whole(page, self.address + path)
            wholes = page.evaluate(MARK_ENDS)
            printed = PdfReader(BytesIO(page.pdf(format="A4")))
        finally:
            page.close()
        sheets = ["".join(sheet.extract_text().split()) for sheet in printed.pages]
        soup = BeautifulSoup((site / path).read_text(encoding="utf-8"), "html.parser")
        lines = [line for block in soup.select("article pre") for line in block.text.splitlines()]
        lost = [line for line in lines if not on_paper("".join(line.split()), sheets)]
        places = {}
        for number, sheet in enumerate(printed.pages):
            for link in sheet.get("/Annots") or []:
                whole = re.search(r"mark\.invalid/(\d+)", str(link.get_object().get("/A", {}).get("/URI", "")))
                if whole:
                    places.setdefault(int(whole[1]), set()).add(number)
        idle = ["a heading that hides or shows code"] if any("codecellsource" in sheet for sheet in sheets) else []
        return lost + idle + [f"split: {what}" for i, what in enumerate(wholes) if len(places.get(i, ())) > 1]

    def admit(self, route, seen):
        """Let through what the site serves itself; stop and note everything else."""
        url = route.request.url
        if url.startswith((self.address, "data:", "blob:")):
            if url.startswith(self.address):
                seen.asked.add(url)
            route.continue_()
        else:
            seen.outside.append(url)
            route.abort()

    def look(self, page, url, seen):
        page.goto(url, wait_until="networkidle")
        # Pictures far down are loaded when the reader comes near them.
        page.evaluate("document.querySelectorAll('img[loading=lazy]').forEach(i => i.loading = 'eager')")
        page.wait_for_load_state("networkidle")
        read = page.evaluate(READ_PAGE)
        seen.lang, seen.titles, seen.mute = read["lang"], read["titles"], read["mute"]
        seen.raw = read["mathless"] + read["unsaid"] + read["wrong"]
        seen.failed += [f"{src}: not an image" for src in read["broken"]]
        seen.long = page.evaluate(LONG_LINES)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            seen.split += page.evaluate(LAYOUT, width)
        seen.scrolls, seen.ranks = page.evaluate(SCROLLS), page.evaluate(RANKS)
        seen.colours = page.evaluate(LINK_COLOURS)
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        seen.barriers = page.evaluate(RUN_AXE)
        page.evaluate(SHOWN)

        page.emulate_media(color_scheme="dark")
        page.evaluate(SETTLE)
        seen.dark = tuple(page.evaluate(SHADES))
        seen.colours += page.evaluate(LINK_COLOURS)
        seen.barriers += [f"dark, {barrier}" for barrier in page.evaluate(RUN_AXE_BY_NIGHT)]

        page.set_viewport_size({"width": 320, "height": 640})
        page.wait_for_timeout(100)
        seen.wide = page.evaluate(STICKS_OUT)


def raw_tex(path):
    """TeX in what a page shows as prose. The page is taken as it lies on disk: as without scripts."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for element in soup.select("script, style, pre, code, .highlight"):
        element.decompose()
    return [found[0] for text in [*soup.stripped_strings] if (found := TEX.search(text))]


def dead_links(site):
    """Links, pictures and scripts of a folder of pages that lead nowhere in it."""
    soups = {p: BeautifulSoup(p.read_text(encoding="utf-8"), "html.parser") for p in pages(site)}
    anchors = {p: {e["id"] for e in soup.select("[id]")} for p, soup in soups.items()}
    dead = []
    for page, soup in soups.items():
        for element in soup.select("a[href], link[href], img[src], script[src], source[src]"):
            link = element.get("href", element.get("src"))
            if urlparse(link).scheme or link.startswith("//"):
                continue
            path, fragment = urldefrag(urljoin(page.as_uri(), link))
            target = Path(urlparse(path).path)
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                dead.append(f"{page.relative_to(site)}: {link} is missing")
            elif fragment and target in anchors and fragment not in anchors[target]:
                dead.append(f"{page.relative_to(site)}: {link} has no such place")
    return sorted(set(dead))


def pages(site):
    """Every page of a site, without the templates a theme leaves among its static files."""
    return sorted(p for p in Path(site).rglob("*.html") if "_static" not in p.relative_to(site).parts)
