"""Cut a deck of slides out of each chapter of the built book.

    .venv/bin/python tools/site/slides.py outline 09    what the built chapter consists of, line by line
    .venv/bin/python tools/site/slides.py decks         make the decks of the built book again

Nothing is drawn, computed or typeset here: figures, outputs, formulas and explorers are the page's
own, and so the ones that the tests verified. A plan, instructor/slides/NN.toml, cuts the page into
slides. Each [[slide]] has

    from   the words with which its part of the page begins: a heading's, or a paragraph's
    title  what stands above it
    text   at most 25 words; every number in them occurs on the page
    show   what of its part is seen: "figure", "formula eq-em-mean", "output 2" (the second of the part)
    wide   true where the text stands above what is shown, and not beside it

All prose of the part becomes the speaker's notes. What is wrong with a plan stops the build with one
sentence each.
"""

import copy
import html
import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
PLANS = ROOT / "instructor" / "slides"
HERE = Path(__file__).resolve().parent / "slides"
REVEAL = ROOT / "node_modules" / "reveal.js"
SLIDES = range(12, 21)  # in a deck
WORDS = 25  # on a slide
# From here on a thing is set smaller: an output by its columns, a formula's line and a list by their characters.
LONG, WIDE, MUCH, VERY_MUCH = 78, 57, 560, 850
TALL = 1.2  # a figure higher than that for its width has the whole height: its title stands beside it
KINDS = {
    "figure": "figure",
    "explorer": "[data-explorer]",
    "output": ".cell_output pre",
    "code": ".cell_input pre",
    "formula": "div.math",
    "table": "table",
    "list": "ul, ol",
    "box": ".admonition",
    "question": ".admonition",
    "answer": ".admonition.dropdown",
}
OF_CELLS = {"figure", "explorer", "output", "code"}
BEGINS = {"question": "Check yourself", "answer": "Answer"}
PAGE = (HERE / "deck.html").read_text(encoding="utf-8")
SPELLED = {
    **{word: str(n) for n, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)},
    "twenty": "20",
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "hundred": "100",
    "thousand": "1000",
}
NUMBER = re.compile(r"\d+(?:[.,]\d+)*|\b(?:" + "|".join(SPELLED) + r")\b", re.I)


class PlanError(Exception):
    """A plan is at fault; every argument is a sentence that says how."""


@dataclass
class Slide:
    title: str
    text: str
    shown: list  # pairs (kind, element of the page)
    notes: list  # the prose of its part
    wide: bool


# --- the page -----------------------------------------------------------------------------


def plain(element):
    """The text of an element, as its reader would copy it."""
    text = element if isinstance(element, str) else element.get_text()
    return re.sub(r"\s+", " ", text.replace("\N{MINUS SIGN}", "-")).strip()


def blocks(article):
    """Headings, paragraphs, formulas, boxes and cells of a page, in order."""
    found = []
    for element in article.find_all(recursive=False):
        if element.name == "section":
            found += blocks(element)
        elif element.name not in ("span", "script", "style") and "chapter-mark" not in element.get("class", []):
            found.append(element)
    return found


def read_page(path):
    """The chapter's own part of a built page."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article.bd-article")
    for element in article.select(".headerlink, .copybtn, .toctree-wrapper, nav, footer, .prev-next-footer"):
        element.decompose()
    return article


def is_cell(block):
    return "cell" in block.get("class", [])


def words_of(block):
    """What a block begins with, for its reader: a cell's output, where it has one, and not its code."""
    output = block.select_one(".cell_output") if is_cell(block) else None
    return plain(output or block)


def of_kind(part, kind):
    """The elements of one kind in a part of the page, in order."""
    found = []
    for block in part:
        if is_cell(block) == (kind in OF_CELLS):
            whole = not is_cell(block) and block.css.match(KINDS[kind])
            found += [block] if whole else block.select(KINDS[kind])
    if kind in BEGINS:
        found = [box for box in found if plain(box).startswith(BEGINS[kind])]
    return found


# --- the plan -----------------------------------------------------------------------------


def read_plan(path):
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("slide", [])
    except tomllib.TOMLDecodeError as err:
        raise PlanError(f"{path.name} is not TOML: {err}") from err


def numbers(text):
    """The numbers of a text; "seven" and 7 are the same."""
    found = [match[0].lower() for match in NUMBER.finditer(text)]
    return [SPELLED.get(number, number) for number in found]


def lay_out(plan, page, name):
    """The slides that `plan` makes of the blocks of `page`; PlanError says all that is wrong."""
    wrong, starts = [], []
    if len(plan) not in SLIDES:
        wrong.append(f"{name} has {len(plan)} slides: make it {SLIDES.start} to {SLIDES.stop - 1}")
    texts = [words_of(block) for block in page]
    known = set(numbers(" ".join(plain(block) for block in page)))
    for number, entry in enumerate(plan, 1):
        where = f"{name}, slide {number}"
        stray = sorted(set(entry) - {"from", "title", "text", "show", "wide"})
        wrong += [f"{where}: {key!r} means nothing in a plan" for key in stray]
        after = starts[-1] + 1 if starts else 0
        words = plain(entry.get("from", ""))
        found = [i for i in range(after, len(page)) if words and texts[i].startswith(words)]
        if number == 1 and not words:
            found = [0]
        if not found:
            wrong.append(f"{where}: nothing below the slide before it begins with {words!r}")
        starts.append(found[0] if found else after)
    slides = []
    for number, entry in enumerate(plan, 1):
        where = f"{name}, slide {number}"
        part = page[starts[number - 1] : starts[number] if number < len(plan) else None]
        title, text = entry.get("title", ""), entry.get("text", "")
        if not title:
            wrong.append(f"{where} has no title")
        if len(text.split()) > WORDS:
            wrong.append(f"{where} has {len(text.split())} words of text: {WORDS} are the limit")
        loose = [number for number in numbers(plain(f"{title} {text}")) if number not in known]
        wrong += [f"{where} says {number}, which the chapter does not" for number in loose]
        shown = []
        for wish in entry.get("show", []):
            try:
                shown += wanted(wish, part)
            except LookupError as err:
                wrong.append(f"{where}: {err.args[0]}")
        if number > 1 and not entry.get("show") and not text:
            wrong.append(f"{where} is empty: give it text, or something to show")
        slides.append(Slide(title, text, shown, prose(part), entry.get("wide", False)))
    if wrong:
        raise PlanError(*wrong)
    return slides


def wanted(wish, part):
    """What "figure", "formula eq-em-mean" or "output 2" asks for in a part of the page, as pairs (kind, element)."""
    kind, _, which = wish.partition(" ")
    if kind not in KINDS:
        raise LookupError(f"shows {wish!r}; what can be shown is {', '.join(KINDS)}")
    found = of_kind(part, kind)
    if which and not which.isdigit():
        found, which = [e for e in found if e.get("id") == f"equation-{which}"], ""
    if which and not 1 <= int(which) <= len(found):
        raise LookupError(f"shows {wish!r}, but its part of the chapter has {len(found)} of that kind")
    if not which and len(found) != 1:
        raise LookupError(f"shows {wish!r}, but its part of the chapter has {len(found)} of that kind; say which")
    return [(kind, found[int(which or 1) - 1])]


def prose(part):
    """What is said while the slide is seen."""
    spoken = []
    for block in part:
        if block.name not in ("h1", "h2", "h3", "h4") and not is_cell(block):
            spoken.append(block)
    return spoken


# --- the deck -----------------------------------------------------------------------------


def transplant(element, page):
    """A copy of an element of the page at `chapters/page`, to stand in `slides/`."""
    element = copy.copy(element)
    for inner in [element, *element.find_all(True)]:
        for attribute in ("id", "loading", "decoding"):
            inner.attrs.pop(attribute, None)
        href = inner.get("href")
        if href and not re.match(r"\w+:", href):
            inner["href"] = f"../chapters/{page}{href}" if href.startswith("#") else f"../chapters/{href}"
    return element


def drawn(kind, element, page):
    """One thing shown, as HTML."""
    element = transplant(element, page)
    if kind == "figure":
        element.figcaption.decompose()
    if kind == "explorer":
        element["data-prevent-swipe"] = ""
    if kind == "table":
        return f'<div class="shown table">{element}</div>'
    if kind == "answer":
        return f'<div class="shown fragment answer">{element}</div>'
    if kind == "formula":
        small = " small" if max(len(plain(row)) for row in element.find_all("mtr") or [element]) > WIDE else ""
        last = element.math.find_all(string=True)[-1]
        if kept := last.rstrip(" .,;"):  # the sentence of the page that it is part of does not go on here
            last.replace_with(kept)
        else:
            last.parent.decompose()
        return f'<div class="shown formula{small}">{element}</div>'
    if kind == "list" and len(plain(element)) > MUCH:
        very = " very" if len(plain(element)) > VERY_MUCH else ""
        return f'<div class="shown list small{very}">{element}</div>'
    if kind in ("output", "code"):
        long = " long" if max(map(len, element.get_text().splitlines())) > LONG else ""
        return f'<div class="shown highlight {kind}{long}">{element}</div>'
    return f'<div class="shown {kind}">{element}</div>'


def section(slide, number, page, mark):
    """One slide with its notes."""
    level = "h1" if number == 1 else "h2"
    beside = [drawn(*pair, page) for pair in slide.shown if pair[0] in ("figure", "explorer")]
    below = [drawn(*pair, page) for pair in slide.shown if pair[0] not in ("figure", "explorer")]
    text = f'<p class="text">{html.escape(slide.text)}</p>' if slide.text else ""
    captions = [transplant(element.figcaption, page) for kind, element in slide.shown if kind == "figure"]
    below += [f'<div class="caption">{caption.decode_contents().strip()}</div>' for caption in captions]
    alive = any(kind == "explorer" for kind, _ in slide.shown)
    form = "above" if slide.wide or alive or not beside else "split"
    sizes = [img for kind, element in slide.shown if kind == "figure" for img in element.select("img[width][height]")]
    if form == "split" and any(int(img["height"]) > TALL * int(img["width"]) for img in sizes):
        form += " tall"
    words = f'<div class="words">{text}{"".join(below)}</div>' if text or below else ""
    picture = f'<div class="picture">{"".join(beside)}</div>' if beside else ""
    notes = "".join(str(transplant(block, page)) for block in slide.notes)
    title = html.escape(slide.title).replace("k-means", '<span class="whole">k-means</span>')
    start, above = (" first", f'<p class="mark">{html.escape(mark)}</p>') if number == 1 else ("", "")
    return (
        f'<section class="slide {form}{start}">{above}<{level}>{title}</{level}>\n'
        f'<div class="body">{words}{picture}</div>\n<aside class="notes">{notes}</aside></section>\n'
    )


def deck(slides, page, mark):
    """A whole deck; `mark` is "Chapter 9 · EM for Gaussian mixtures"."""
    sections = "".join(section(slide, number, page, mark) for number, slide in enumerate(slides, 1))
    said = f"Slides for the course on Gaussian mixtures and EM: {mark}, with speaker notes and live figures."
    return PAGE.format(mark=html.escape(mark), description=html.escape(said), page=page, sections=sections)


def mark_of(text):
    """ "Chapter 9 · EM for Gaussian mixtures", as the page has it above its question."""
    return html.unescape(re.search(r'<p class="chapter-mark">([^<]*)', text)[1]).strip()


def chapters(site):
    """number -> built page, for the chapters proper."""
    pages = sorted((site / "chapters").glob("[0-9][0-9]_*.html"))
    return {page.name[:2]: page for page in pages if not page.stem.endswith("_exercises")}


def make_decks(site, plans=PLANS):
    """Write slides/NN_name.html for every chapter with a plan, and link it from the chapter.

    Returns the chapters that have a deck now, and the numbers of those that have no plan.
    """
    from pygments.formatters import HtmlFormatter

    site, wrong, made, owed = Path(site), [], [], []
    folder, static = site / "slides", site / "_static"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (static / "slides").mkdir(exist_ok=True)
    for source in ("dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE"):
        target = static / "slides" / Path(source).name
        target.write_text(re.sub(r"\n?//# sourceMappingURL=.*", "", (REVEAL / source).read_text(encoding="utf-8")))
    shutil.copy2(HERE / "deck.js", static / "slides")
    shades = [
        HtmlFormatter(style=f"a11y-high-contrast-{shade}").get_style_defs(f'html[data-theme="{shade}"] .highlight')
        for shade in ("light", "dark")
    ]
    sheet = "\n".join([(HERE / "deck.css").read_text(encoding="utf-8"), *shades])
    (static / "slides" / "deck.css").write_text(sheet, encoding="utf-8")
    for number, path in chapters(site).items():
        plan = plans / f"{number}.toml"
        if not plan.exists():
            owed.append(number)
            continue
        try:
            slides = lay_out(read_plan(plan), blocks(read_page(path)), f"instructor/slides/{plan.name}")
        except PlanError as err:
            wrong += err.args
            continue
        text = path.read_text(encoding="utf-8")
        (folder / path.name).write_text(deck(slides, path.name, mark_of(text)), encoding="utf-8")
        path.write_text(linked(text, path.name), encoding="utf-8")
        made.append(path.stem)
    if wrong:
        raise PlanError(*wrong)
    return made, owed


def linked(text, page):
    """The chapter with a link to its deck behind "Time 70 minutes, exercises 75.", once."""
    link = f' <strong>Slides</strong> <a href="../slides/{page}">of this chapter</a>.'
    return (
        text if link in text else re.sub(r"(<strong>Time</strong>.*?)(?=</p>)", rf"\1{link}", text, count=1, flags=re.S)
    )


def main(arguments):
    site = ROOT / "_build" / "html"
    if not (site / "intro.html").exists():
        sys.exit("There is no book in _build/html: run `make book` first.")
    if arguments == ["decks"]:
        try:
            made, owed = make_decks(site)
        except PlanError as err:
            sys.exit("\n".join(err.args))
        print(f"{len(made)} decks are in _build/html/slides" + "".join(f"\nchapter {n} has no plan" for n in owed))
    elif len(arguments) == 2 and arguments[0] == "outline" and arguments[1] in chapters(site):
        for block in blocks(read_page(chapters(site)[arguments[1]])):
            held = {kind: len(of_kind([block], kind)) for kind in KINDS}
            known = " ".join(f"{kind}:{count}" for kind, count in held.items() if count)
            label = (block.get("id") or "").removeprefix("equation-")
            print(f"{block.name:4s} [{known}] {label} {plain(block)[:150]}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
