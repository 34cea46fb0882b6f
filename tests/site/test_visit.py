"""The gate can close: pages with one fault each, and what the visitor says of them."""

import pytest
from visit import dead_links, raw_tex

GOOD = """<!doctype html><html lang="en"><head><title>Good</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<style>@media (prefers-color-scheme: dark) { body, a { color: #eee; background: #111 } }</style></head>
<body><main><h1>Good</h1><p id="here">Nothing wrong. <a href="#here">Stay</a></p>FAULT</main></body></html>"""

FAULTS = {
    "outside": '<script src="https://cdn.example/library.js"></script>',
    "failed": '<script src="nowhere.js"></script>',
    "errors": "<script>console.error('a wrong thing')</script>",
    "mute": '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">',
    "raw": r'<span class="math">\(\gamma\)</span>',
    "split": '<article class="bd-article"><table><tr><td style="width: 1px">two words</td></tr></table></article>',
    "long": f'<article class="bd-article"><p style="font-size: 9px">{"a word " * 60}</p></article>',
    "scrolls": f'<article class="bd-article"><div class="highlight"><pre>{"wide " * 400}</pre></div></article>',
    "ranks": '<article class="bd-article"><h1>A</h1><h3>B</h3></article>',
    "colours": '<p class="bd-article"><a href="#here">A</a> <a href="#here" style="color: red">B</a></p>',
    "titles": "<h1>Another title</h1>",
    "wide": '<p style="width: 400px">wider than a phone</p>',
    "barriers": '<p style="color: #aaa; background: #fff">pale</p>',
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "good.html").write_text(GOOD.replace("FAULT", ""))
    for name, fault in FAULTS.items():
        (folder / f"{name}.html").write_text(GOOD.replace("FAULT", fault))
    (folder / "thrown.html").write_text(GOOD.replace("FAULT", "<script>throw Error('lost')</script>"))
    (folder / "picture.html").write_text(GOOD.replace("FAULT", '<img alt="gone" src="gone.png">'))
    (folder / "bright.html").write_text(GOOD.replace("prefers-color-scheme: dark", "width: 1px"))
    return folder


@pytest.fixture(scope="module")
def visit(visitor, site):
    return visitor(site)


def test_a_good_page_passes_every_check(visit):
    seen = visit("good.html")
    assert seen.titles == ["Good"]
    assert seen.lang == "en"
    assert [seen.outside, seen.failed, seen.errors, seen.mute, seen.raw] == [[]] * 5
    assert [seen.split, seen.long, seen.wide, seen.barriers] == [[]] * 4
    assert [seen.scrolls, seen.ranks, seen.colours] == [[]] * 3
    assert [url.rpartition("/")[2] for url in seen.asked] == ["good.html"]
    assert seen.dark[0] > 0.6 > 0.3 > seen.dark[1]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(visit, fault):
    assert getattr(visit(f"{fault}.html"), fault) not in ([], ["Good"])


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ('<p style="color: #555">dim</p>', "color-contrast"),
        ('<p class="night"><img src="data:,"></p>', "image-alt"),
        ('<p class="night"><button></button></p>', "button-name"),
    ],
)
def test_a_barrier_of_the_night_alone_is_seen(visitor, tmp_path, fault, rule):
    by_day = "<style>@media (prefers-color-scheme: light) { .night { display: none } }</style>"
    (tmp_path / "a.html").write_text(GOOD.replace("FAULT", by_day + fault))
    barriers = visitor(tmp_path)("a.html").barriers
    assert any(barrier.startswith(f"dark, {rule} ") for barrier in barriers), barriers
    assert all(barrier.startswith("dark, ") for barrier in barriers), barriers


@pytest.mark.parametrize(
    "by_night",
    [
        ".other { background: #ccc }",
        ".other p { color: #555 }",
        ".other { opacity: 0.3 }",
        ".other p { font-size: 12px; color: #949494 } p { font-size: 40px; color: #949494 }",
    ],
)
def test_by_night_what_looks_alike_is_judged_once_and_what_does_not_by_itself(visitor, tmp_path, by_night):
    style = f"<style>@media (prefers-color-scheme: dark) {{ {by_night} }}</style>"
    (tmp_path / "a.html").write_text(
        GOOD.replace("FAULT", style + "<p>one</p>" * 9 + '<div class="other"><p>two</p></div>')
    )
    barriers = visitor(tmp_path)("a.html").barriers
    assert [barrier for barrier in barriers if "two" in barrier] == barriers
    assert [barrier[:22] for barrier in barriers] == ["dark, color-contrast ("]


@pytest.mark.parametrize(
    ("colour", "size", "seen"), [("#707070", 16, True), ("#707070", 40, False), ("#999", 40, True)]
)
def test_contrast_is_seven_to_one_and_less_for_large_letters(visitor, tmp_path, colour, size, seen):
    (tmp_path / "a.html").write_text(GOOD.replace("FAULT", f'<p style="color: {colour}; font-size: {size}px">pale</p>'))
    by_day = [barrier for barrier in visitor(tmp_path)("a.html").barriers if not barrier.startswith("dark, ")]
    assert [barrier[:15] for barrier in by_day] == ["color-contrast "] * seen


def test_headings_of_a_size_are_seen(visitor, tmp_path):
    same = '<article class="bd-article"><h1>A</h1><h2 style="font-size: 2em">B</h2></article>'
    (tmp_path / "a.html").write_text(GOOD.replace("FAULT", same))
    assert any("do not fall" in fault for fault in visitor(tmp_path)("a.html").ranks)


def test_an_exception_is_an_error(visit):
    assert any("lost" in error for error in visit("thrown.html").errors)


def test_a_missing_picture_is_a_failed_request(visit):
    assert any("gone.png" in failure for failure in visit("picture.html").failed)


def test_a_page_that_stays_bright_is_not_dark(visit):
    assert visit("bright.html").dark[1] > 0.3


@pytest.mark.parametrize(
    "wrong",
    [
        '<div class="math"><div class="formula"><math aria-label="x"></math></div></div>',
        '<span class="math"><math><mi>x</mi></math></span>',
        '<div class="math" style="overflow: auto"><p style="width: 90rem">wide</p></div>',
        '<span class="eqno" style="position: absolute; left: -9px">(1)</span>',
        '<div class="bd-article"><h2>A<a style="display: block" class="headerlink" href="#here">#</a></h2></div>',
    ],
)
def test_a_formula_without_form_words_or_room_is_seen(visitor, tmp_path, wrong):
    (tmp_path / "wrong.html").write_text(GOOD.replace("FAULT", wrong))
    seen = visitor(tmp_path)("wrong.html")
    assert seen.raw + seen.split


def test_tex_in_prose_is_seen_and_code_is_not(tmp_path):
    page = tmp_path / "a.html"
    page.write_text(r"<p>Genus \emph{Pygoscelis}, $\gamma$, \(x\), 5 $ and 6 $</p><pre>r'$\mu$' \alpha</pre>")
    assert raw_tex(page) == [r"\emph"]


def test_a_line_that_print_loses_is_listed(visitor, tmp_path):
    code = '<pre>kept = 1\n</pre><pre style="display: none">lost = 2</pre>'
    (tmp_path / "a.html").write_text(f"<article>{code}</article>")
    assert visitor(tmp_path).paper("a.html", tmp_path) == ["lost = 2"]


def test_a_heading_that_offers_to_hide_code_is_listed(visitor, tmp_path):
    (tmp_path / "a.html").write_text("<details open><summary>Hide code cell source</summary></details>")
    assert visitor(tmp_path).paper("a.html", tmp_path) == ["a heading that hides or shows code"]


@pytest.mark.parametrize("inside", ["avoid", "auto"])
@pytest.mark.parametrize(
    "whole",
    [
        "<table><tr><td>{}</td><td>short</td></tr></table>",
        "<figure>{}<figcaption>its caption</figcaption></figure>",
    ],
)
def test_what_paper_splits_is_listed(visitor, tmp_path, whole, inside):
    style = f"<style>tr, figure {{ break-inside: {inside} }}</style>"
    filled = whole.format("<br>".join(f"line {i}" for i in range(25)))
    (tmp_path / "a.html").write_text(f'{style}<article><p style="height: 750px">above</p>{filled}</article>')
    found = visitor(tmp_path).paper("a.html", tmp_path)
    assert [line[:6] for line in found] == (["split:"] if inside == "auto" else [])


def test_links_that_lead_nowhere_are_listed(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#there"></a> <a href="b.html#not"></a> <a href="c.html"></a>')
    (tmp_path / "b.html").write_text('<p id="there"></p>')
    assert dead_links(tmp_path) == ["a.html: b.html#not has no such place", "a.html: c.html is missing"]
