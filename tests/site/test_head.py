"""What the world sees of a page before it opens it, and what no page brings along."""

import re
from collections import Counter

import pytest
from bs4 import BeautifulSoup
from test_site import NAMES, SITE

HEADS = {name: BeautifulSoup((SITE / name).read_text(encoding="utf-8"), "html.parser") for name in NAMES}
# One sends on to the start, the other has no address of its own.
LISTED = [name for name in NAMES if name not in {"index.html", "404.html"}]
CHAPTERS = [name for name in NAMES if re.match(r"chapters/\d\d_", name)]


def meta(name, key, kind="name"):
    found = HEADS[name].find_all("meta", attrs={kind: key})
    assert len(found) == 1, f"{name}: {len(found)} times {key}"
    return found[0]["content"]


@pytest.mark.parametrize("name", LISTED)
def test_a_page_says_what_it_is(name):
    assert len(HEADS[name].title.text) <= 70
    assert 70 <= len(meta(name, "description")) <= 160
    assert meta(name, "og:title", "property") == HEADS[name].title.text
    assert meta(name, "og:description", "property") == meta(name, "description")
    assert meta(name, "viewport")
    assert HEADS[name].find("link", rel="icon")["href"].endswith("favicon.svg")


def test_titles_and_descriptions_are_unique():
    for values in [[HEADS[n].title.text for n in LISTED], [meta(n, "description") for n in LISTED]]:
        assert [value for value, times in Counter(values).items() if times > 1] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_its_number_in_the_title_and_above_the_question(name):
    number = str(int(re.search(r"\d\d", name)[0]))
    mark = HEADS[name].select_one(".bd-article .chapter-mark")
    assert mark.text.startswith(f"Chapter {number} · ")
    assert mark.find_next_sibling().name == "h1"
    assert HEADS[name].title.text.startswith(mark.text)
    labels = [e.text.strip("()#") for e in HEADS[name].select(".eqno")]
    exercises = "E" if "_exercises" in name else ""
    assert labels == [f"{number}.{exercises}{i}" for i in range(1, len(labels) + 1)]


def test_references_show_the_number_of_the_equation():
    numbers = {
        (name, box["id"]): box.select_one(".eqno").text.strip("#")
        for name, head in HEADS.items()
        for box in head.select("div.math[id]")
    }
    wrong = []
    for name, head in HEADS.items():
        for link in head.select('a.internal[href*="#equation-"]'):
            path, anchor = link["href"].split("#")
            target = (SITE / name).parent.joinpath(path).resolve().relative_to(SITE).as_posix() if path else name
            if re.fullmatch(r"\(.*\)", link.text) and link.text != numbers[target, anchor]:
                wrong.append(f"{name}: {link.text} for {anchor}")
    assert wrong == []


def test_nothing_useless_is_published():
    useless = [p for p in SITE.rglob("*") if p.suffix == ".map" or p.name.startswith(("fontawesome.js", "mathjax"))]
    assert useless == []
    assert (SITE / "robots.txt").read_text().startswith("User-agent: *\nAllow: /")
    assert (SITE / "_static" / "card.png").stat().st_size < 100_000


@pytest.mark.parametrize("name", NAMES)
def test_pictures_wait_and_keep_their_place(name):
    pictures = HEADS[name].select('.bd-article img[src$=".png"]')
    assert [p["src"] for p in pictures if p.get("loading") != "lazy" or not p.get("width") or not p.get("height")] == []


def test_the_radical_sign_of_a_root_is_in_the_font():
    """A root is an element; the sign that the browser draws for it is no character of the page."""
    from fontTools.ttLib import TTFont

    assert any(head.select("msqrt, mroot") for head in HEADS.values())
    assert ord("√") in TTFont(SITE / "_static" / "math.woff").getBestCmap()


def test_every_icon_of_a_page_is_in_the_font():
    from fontTools.ttLib import TTFont

    sheet = (SITE / "_static" / "site.css").read_text(encoding="utf-8")
    drawn = set().union(*(TTFont(p).getBestCmap() for p in SITE.rglob("fa-*.woff")))
    classes = {name for head in HEADS.values() for icon in head.select("i, span") for name in icon.get("class", [])}
    styles = {"fa-solid", "fa-regular", "fa-brands", "fa-lg", "fa-fw"}
    for icon in {name for name in classes if name.startswith("fa-")} - styles:
        rule = re.search(rf'\.{icon}:{{1,2}}before[^{{]*{{content:\s*"(.)"', sheet)
        assert rule, f"no rule for {icon}"
        assert ord(rule[1]) in drawn, f"no glyph for {icon}"
