"""Every deck of the built book, slide by slide in a browser: nothing sticks out, nothing is asked of others."""

import os
from io import BytesIO
from pathlib import Path
from unicodedata import normalize

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from visit import AXE, ROOT, RUN_AXE, Visit, Visitor

SITE = Path(os.environ.get("SITE", ROOT / "_build" / "html")).resolve()
DECKS = sorted(path.relative_to(SITE).as_posix() for path in (SITE / "slides").glob("*.html"))
every_deck = pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in DECKS])

# What a slide shows must lie on it, above the line of the footer, and inside its own box; and words must
# not lie on a picture.
FAULTS = """() => {
  const slide = Reveal.getCurrentSlide(), faults = [];
  const sheet = slide.getBoundingClientRect(), scale = Reveal.getScale();
  const bottom = sheet.top + (720 - 48) * scale;
  const said = e => `${e.tagName.toLowerCase()} ${[...(e.textContent || e.alt).trim()].slice(0, 50).join("")}`;
  const seen = e => e.getClientRects().length && !e.closest("aside, [hidden]");
  const things = "h1, h2, p, li, .caption, pre, img, math, td, th, button, .gmx-tile, .gmx, .gmx-main > svg";
  for (const e of slide.querySelectorAll(things)) {
    if (!seen(e)) continue;
    const box = e.getBoundingClientRect();
    if (box.right > sheet.right - 8 || box.left < sheet.left || box.top < sheet.top || box.bottom > bottom + 1)
      faults.push(`off the slide: ${said(e)}`);
    const column = e.closest(".words, .picture, .gmx-main, .gmx-side")?.getBoundingClientRect();
    if (column && (box.right > column.right + 2 || box.left < column.left - 2))
      faults.push(`off its column: ${said(e)}`);
    if (e.matches("pre, td, .gmx") && e.scrollWidth > e.clientWidth + 1) faults.push(`cut: ${said(e)}`);
    if (e.matches("math")) {
      const number = e.closest("div.math")?.querySelector(".eqno")?.getBoundingClientRect();
      if (number && box.right > number.left - 2) faults.push(`on its number: ${said(e)}`);
    }
  }
  const parts = [...slide.querySelectorAll(".words > *, .picture > *, h1, h2")].filter(seen);
  const boxes = parts.map(e => e.getBoundingClientRect());
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (width > 2 && height > 2) faults.push(`${said(parts[i])} lies on ${said(parts[i + 1 + j])}`);
  }));
  for (const picture of slide.querySelectorAll("img")) {
    if (!picture.complete || !picture.naturalWidth) faults.push("a picture is missing");
    if (!picture.alt.trim()) faults.push("a picture without words");
    const box = picture.getBoundingClientRect();
    if (Math.min(box.width, box.height) < 200 * scale) faults.push(`small: ${picture.alt.slice(0, 50)}`);
  }
  for (const host of slide.querySelectorAll("[data-explorer]"))
    if (!("mounted" in host.dataset) || !host.querySelector(".gmx-main > svg")) faults.push("an explorer is not alive");
  return faults.map(fault => `slide ${Reveal.getIndices().h + 1}: ${fault}`);
}"""
# A whole deck has ten times the elements of a slide, nearly all hidden: the frame is judged once.
THIS_SLIDE = "section.present"
ALIVE = """() => document.querySelectorAll("[data-explorer]:not([data-mounted])").length === 0"""
# A fragment fades in, and a colour changes by and by: what is looked at is the slide at rest.
SHOW = """async ([h, f]) => {
  Reveal.slide(h, 0, f);
  await new Promise(done => setTimeout(done, 30));
  for (const moving of document.getAnimations())
    if (moving.effect.getComputedTiming().endTime !== Infinity) moving.finish();
  await new Promise(requestAnimationFrame);
}"""


class Deck(Visitor):
    """A deck open in a browser, every request and complaint written down."""

    def __init__(self, browser, address, name, scheme="light", size=(1280, 720)):
        super().__init__(browser, address)
        self.seen = Visit()
        viewport = dict(zip(("width", "height"), size, strict=True))
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme)
        self.context.route("**/*", lambda route: self.admit(route, self.seen))
        self.page = page = self.context.new_page()
        page.on("console", lambda m: self.seen.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.seen.errors.append(str(error)))
        page.on("response", lambda r: self.seen.failed.append(f"{r.url}: {r.status}") if r.status >= 400 else None)
        page.goto(address + name, wait_until="load")
        page.wait_for_function("() => window.Reveal?.isReady()")
        page.wait_for_function(ALIVE)
        page.evaluate("document.fonts.ready")

    def slides(self):
        """Go to each slide, its fragments open, and say its number."""
        for number in range(self.page.evaluate("Reveal.getTotalSlides()")):
            self.page.evaluate(SHOW, [number, 9])
            yield number


@pytest.fixture(scope="module")
def address(serve):
    return serve(SITE)


@pytest.fixture
def open_deck(chromium, address):
    """open_deck(name, ...) -> the deck, closed when the test ends."""
    opened = []

    def start(name, *options):
        opened.append(Deck(chromium, address, name, *options))
        return opened[-1]

    yield start
    for deck in opened:
        deck.context.close()


def test_the_decks_are_built():
    assert DECKS, "There are no slides in _build/html/slides: run `make slides` first."


@every_deck
def test_nothing_sticks_out_or_overlaps_on_wide_and_on_old_screens(open_deck, name):
    deck = open_deck(name)
    faults = [fault for _ in deck.slides() for fault in deck.page.evaluate(FAULTS)]
    deck.page.set_viewport_size({"width": 1024, "height": 768})
    deck.page.wait_for_function("() => Math.abs(Reveal.getScale() - 0.8) < 1e-6")
    faults += [f"4:3, {fault}" for _ in deck.slides() for fault in deck.page.evaluate(FAULTS)]
    assert faults == []
    assert deck.seen.outside == []
    assert deck.seen.failed == []
    assert deck.seen.errors == []


@every_deck
def test_a_deck_has_no_barrier_by_day_and_by_night(open_deck, name):
    deck = open_deck(name)
    deck.page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    barriers = deck.page.evaluate(RUN_AXE) if name == DECKS[0] else []
    for scheme in ("light", "dark"):
        deck.page.emulate_media(color_scheme=scheme)
        deck.page.wait_for_function(f"() => document.documentElement.dataset.theme === '{scheme}'")
        ground = deck.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 18, 18)"}[scheme]
        for number in deck.slides():
            if number % 8 == 4 * (scheme == "dark") or deck.page.query_selector("section.present [data-explorer]"):
                barriers += [f"{scheme}, slide {number + 1}: {b}" for b in deck.page.evaluate(RUN_AXE, THIS_SLIDE)]
    assert barriers == []


@every_deck
def test_paper_has_a_sheet_for_each_slide(open_deck, name):
    deck = open_deck(name + "?print-pdf", "dark")
    deck.page.wait_for_selector(".pdf-page")
    count = deck.page.evaluate("document.querySelectorAll('section.slide').length")
    printed = PdfReader(BytesIO(deck.page.pdf(prefer_css_page_size=True, print_background=True)))
    assert len(printed.pages) == count
    titles = deck.page.evaluate("[...document.querySelectorAll('section.slide > :is(h1, h2)')].map(h => h.textContent)")
    for title, sheet in zip(titles, printed.pages, strict=True):
        assert "".join(normalize("NFKC", title).split()) in "".join(normalize("NFKC", sheet.extract_text()).split())
    margin = "h => h.getBoundingClientRect().left - h.closest('.pdf-page').getBoundingClientRect().left"
    margins = deck.page.evaluate(f"[...document.querySelectorAll('section.slide > h2')].map({margin})")
    assert min(margins) >= 50
    assert deck.page.evaluate("document.documentElement.dataset.theme") == "light"
    assert deck.seen.outside + deck.seen.errors == []


@every_deck
def test_keys_turn_slides_and_belong_to_the_explorer_that_has_the_focus(open_deck, name):
    deck = open_deck(name)
    page = deck.page
    at = "Reveal.getIndices().h"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.evaluate(at) == 2
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(at) == 1
    alive = page.evaluate("[...document.querySelectorAll('section.slide')].findIndex(s => s.querySelector('.gmx'))")
    if alive < 0:
        return
    page.evaluate(SHOW, [alive, 9])
    grip = page.locator("section.present .gmx [tabindex='0'], section.present .gmx button").first
    before = page.locator("section.present .gmx").inner_html()
    grip.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(at) == alive
    if grip.get_attribute("role") == "slider":
        assert page.locator("section.present .gmx").inner_html() != before
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(at) != alive
    assert not page.evaluate("Reveal.isOverview()")


@every_deck
def test_a_deck_has_something_to_say_and_leads_back_to_its_chapter(name):
    deck = BeautifulSoup((SITE / name).read_text(encoding="utf-8"), "html.parser")
    notes = [len(aside.text.split()) for aside in deck.select("section.slide > aside.notes")]
    assert len(notes) == len(deck.select("section.slide")) in range(12, 21)
    assert sum(words > 10 for words in notes) >= 0.8 * len(notes)
    chapter = (SITE / name).parent / deck.select_one("footer a")["href"]
    assert f'href="../{name}"' in chapter.read_text(encoding="utf-8")


WRONG = {
    "off the slide": '<p style="margin-top: 640px">too low</p>',
    "off its column": '<p style="width: 2000px">too wide</p>',
    "cut": '<pre style="width: 90px; overflow: hidden">a line that is cut</pre>',
    "lies on": '<p style="margin-bottom: -1em">one</p><p>other</p>',
    "without words": '<img src="../_static/favicon.svg" alt=" " style="width: 300px; height: 300px">',
    "small": '<img src="../_static/favicon.svg" alt="tiny" style="width: 30px; height: 30px">',
    "missing": '<img src="gone.png" alt="gone" style="width: 300px; height: 300px">',
    "not alive": '<div data-explorer="gaussian"></div>',
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_on_a_slide_is_seen(open_deck, fault):
    deck = open_deck(DECKS[0])
    put = "html => { document.querySelector('.first .words').innerHTML = html }"
    deck.page.evaluate(put, WRONG[fault])
    deck.page.wait_for_timeout(100)
    assert any(fault in found for found in deck.page.evaluate(FAULTS))
