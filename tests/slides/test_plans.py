"""Every chapter has a deck, and a plan that is at fault is told what is wrong."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tools.site.slides import PlanError, blocks, drawn, lay_out, linked, make_decks, numbers, read_plan, section

ROOT = Path(__file__).resolve().parents[2]

# Chapters whose deck is still to be planned. A chapter that has its plan leaves the list.
OWED = set()

CHAPTERS = {p.name[:2] for p in (ROOT / "chapters").glob("[0-9][0-9]_*.ipynb") if not p.stem.endswith("_exercises")}
PLANS = {path.stem for path in (ROOT / "instructor" / "slides").glob("*.toml")}

PAGE = """<article class="bd-article">
<p class="chapter-mark">Chapter 3 · A test</p>
<section id="a"><h1>Why?<a class="headerlink" href="#a">#</a></h1><p>Of <strong>seven</strong> waits, 68 minutes.</p>
<p><strong>You need</strong> nothing. <strong>Time</strong> 70 minutes, exercises
<span class="math"><math><mn>75</mn></math></span>.</p>
<section id="b"><h2>First part</h2>
<p>Some prose, see <a href="04_next.html#there">there</a> and <a href="#a">here</a>.</p>
<div class="cell docutils container"><div class="cell_input"><pre>print(-1.5)</pre></div>
<div class="cell_output"><pre>the mean is −1.5</pre></div></div>
<div class="math" id="equation-eq-one"><div class="formula"><math><mi>x</mi></math></div></div>
<div class="math" id="equation-eq-two"><div class="formula"><math><mi>y</mi></math></div></div></section>
<section id="c"><h2>Last part</h2><div class="cell docutils container"><div class="cell_input"><pre>draw()</pre></div>
<div class="cell_output"><figure><img alt="what it shows" src="../_images/a.png" loading="lazy">
<figcaption>look here</figcaption></figure></div></div>
<div class="admonition tip"><p class="admonition-title">Check yourself</p><p>Which?</p></div>
</section></section></article>"""

FIRST = {"title": "Why?", "text": "Of 7 waits."}
PART = {"from": "First part", "title": "First part", "text": "Prose.", "show": ["formula eq-two"]}
LAST = {"from": "Last part", "title": "Last part", "show": ["figure"], "text": "It is -1.5."}


def page():
    return blocks(BeautifulSoup(PAGE, "html.parser").article)


def small(monkeypatch):
    monkeypatch.setattr("tools.site.slides.SLIDES", range(1, 21))


def test_every_chapter_has_its_slides_or_is_on_the_list_of_those_owed():
    missing = sorted(CHAPTERS - PLANS - OWED)
    assert not missing, f"chapters {', '.join(missing)} have no slides: write instructor/slides/{missing[0]}.toml"


def test_the_list_of_owed_decks_is_honest():
    assert sorted(OWED & PLANS) == [], "these chapters have their plan: take them off OWED"


def test_no_plan_is_without_a_chapter():
    assert sorted(PLANS - CHAPTERS) == []


def test_a_part_reaches_to_the_next_and_its_prose_is_spoken(monkeypatch):
    small(monkeypatch)
    slides = lay_out([FIRST, PART, LAST], page(), "03.toml")
    assert [[block.name for block in slide.notes] for slide in slides] == [["p", "p"], ["p", "div", "div"], ["div"]]
    assert [kind for kind, _ in slides[1].shown] == ["formula"]
    assert slides[1].shown[0][1].get_text() == "y"
    assert slides[2].shown[0][1].img["alt"] == "what it shows"


@pytest.mark.parametrize("end", ["0.5</mn><mi>.</mi>", '0.5</mn><mo separator="true">,</mo>', "0.5.</mn>", "0.5</mn>"])
def test_a_formula_leaves_the_mark_of_its_sentence_on_the_page(end):
    text = f'<div class="math"><math><mrow><mi>x</mi><mo>=</mo><mn>{end}</mrow></math></div>'
    shown = BeautifulSoup(drawn("formula", BeautifulSoup(text, "html.parser").div, "03.html"), "html.parser")
    assert shown.math.get_text() == "x=0.5"


@pytest.mark.parametrize(("height", "form"), [(792, "split tall"), (420, "split")])
def test_a_tall_figure_has_the_whole_height_of_its_slide(monkeypatch, height, form):
    small(monkeypatch)
    article = BeautifulSoup(PAGE.replace("<img", f'<img width="576" height="{height}"'), "html.parser").article
    slide = lay_out([FIRST, PART, LAST], blocks(article), "03.toml")[2]
    assert section(slide, 3, "03_a_test.html", "").startswith(f'<section class="slide {form}">')


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"from": "Nowhere"}, "nothing below the slide before it begins with 'Nowhere'"),
        ({"title": ""}, "has no title"),
        ({"text": "word " * 26}, "has 26 words of text: 25 are the limit"),
        ({"text": "It is 69 minutes"}, "says 69, which the chapter does not"),
        ({"text": "It is -2.5"}, "says 2.5, which the chapter does not"),
        ({"title": "Eight waits"}, "says 8, which the chapter does not"),
        ({"show": ["figure"]}, "shows 'figure', but its part of the chapter has 0 of that kind; say which"),
        ({"show": ["formula"]}, "shows 'formula', but its part of the chapter has 2 of that kind; say which"),
        ({"show": ["formula 3"]}, "shows 'formula 3', but its part of the chapter has 2 of that kind"),
        ({"show": ["formula eq-six"]}, "shows 'formula eq-six', but its part of the chapter has 0 of that kind"),
        ({"show": ["film"]}, "shows 'film'; what can be shown is"),
        ({"show": [], "text": ""}, "is empty: give it text, or something to show"),
        ({"colour": "red"}, "'colour' means nothing in a plan"),
    ],
)
def test_a_plan_at_fault_is_told_in_one_sentence(monkeypatch, changes, sentence):
    small(monkeypatch)
    with pytest.raises(PlanError) as caught:
        lay_out([FIRST, {**PART, **changes}, LAST], page(), "03.toml")
    assert len(caught.value.args) == 1
    assert caught.value.args[0].startswith("03.toml, slide 2")
    assert sentence in caught.value.args[0]


@pytest.mark.parametrize("number", [11, 21])
def test_a_deck_has_twelve_to_twenty_slides(number):
    with pytest.raises(PlanError) as caught:
        lay_out([FIRST] * number, page(), "03.toml")
    assert f"03.toml has {number} slides: make it 12 to 20" in caught.value.args


def test_a_number_counts_in_words_and_digits():
    assert numbers("Seven of 12.5, then twenty; often 1,000") == ["7", "12.5", "20", "1,000"]


def test_a_plan_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "03.toml").write_text("slide = [")
    with pytest.raises(PlanError, match=r"03\.toml is not TOML"):
        read_plan(tmp_path / "03.toml")


def test_the_chapter_links_its_deck_once():
    once = linked(PAGE, "03_a.html")
    assert once.count('href="../slides/03_a.html"') == 1
    assert once.index("Time</strong>") < once.index("../slides/03_a.html") < once.index("First part")
    assert linked(once, "03_a.html") == once


def test_a_deck_takes_over_links_and_alt_texts_and_says_who_has_none(monkeypatch, tmp_path):
    small(monkeypatch)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_static").mkdir()
    for name in ("03_a.html", "03_a_exercises.html", "04_next.html"):
        (tmp_path / "chapters" / name).write_text(PAGE)
    entries = ['title = "Why?"', 'from = "First part"\ntitle = "One"\nshow = ["output"]']
    entries.append('from = "Last part"\ntitle = "The end"\nshow = ["figure", "question"]')
    (tmp_path / "03.toml").write_text("".join(f"[[slide]]\n{entry}\n" for entry in entries))
    assert make_decks(tmp_path, tmp_path) == (["03_a"], ["04"])
    deck = BeautifulSoup((tmp_path / "slides" / "03_a.html").read_text(encoding="utf-8"), "html.parser")
    links = [link["href"] for link in deck.select("aside a")]
    assert links == ["../chapters/04_next.html#there", "../chapters/03_a.html#a"]
    assert deck.img["alt"] == "what it shows"
    assert deck.select_one(".caption").text == "look here"
    assert not deck.select("main [id], [loading]")
    assert re.sub(r"\s+", " ", deck.title.text) == "Slides · Chapter 3 · A test"
