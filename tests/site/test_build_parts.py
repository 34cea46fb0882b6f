"""Parts of the build that the finished site cannot show: a known address, a formula that cannot be read."""

from types import SimpleNamespace

import pytest
from docutils import nodes

from tools.site import head, lighten, mathml


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setenv("SITE_URL", "https://example.org/course")
    config = SimpleNamespace(html_title="Course", html_baseurl=head.address())
    return SimpleNamespace(
        config=config,
        outdir=tmp_path,
        builder=SimpleNamespace(name="html", format="html"),
        page_names={"chapters/06_x": ("6 · X",), "chapters/06_x_exercises": ("6 · X", "Exercises")},
        descriptions={"chapters/06_x": "d" * 70},
        env=SimpleNamespace(found_docs={"intro", "chapters/06_x"}),
    )


def test_a_site_that_knows_its_address_says_so(app):
    head.write_files(app, None)
    assert "<loc>https://example.org/course/chapters/06_x.html</loc>" in (app.outdir / "sitemap.xml").read_text()
    assert "Sitemap: https://example.org/course/sitemap.xml" in (app.outdir / "robots.txt").read_text()
    assert '<base href="https://example.org/course/">' in (app.outdir / "404.html").read_text()
    context = {"title": "Why?", "body": "<h1>Why?</h1>", "pageurl": "https://example.org/course/chapters/06_x.html"}
    head.write_head(app, "chapters/06_x", "page.html", context, None)
    assert context["page_title"] == "Chapter 6 · X – Course"
    assert 'property="og:image" content="https://example.org/course/_static/card.png"' in context["page_head"]
    assert context["body"].startswith('<p class="chapter-mark">Chapter 6 · X</p>\n<h1>')


def test_a_site_without_an_address_claims_none(app, monkeypatch):
    monkeypatch.delenv("SITE_URL")
    app.config.html_baseurl = head.address()
    head.write_files(app, None)
    assert not (app.outdir / "sitemap.xml").exists()
    assert "Sitemap" not in (app.outdir / "robots.txt").read_text()


def test_a_page_without_a_description_is_an_error(app, caplog, monkeypatch):
    said = []
    monkeypatch.setattr(head.logger, "warning", lambda text, *values: said.append(text % values))
    head.description_of(app, "chapters/07_y")
    way_out = "give it 70 to 160 in tools/site/descriptions.toml"
    assert said == [f"the description of chapters/07_y has 0 characters: {way_out}"]
    assert head.description_of(app, "chapters/06_x_exercises").startswith("Exercises to chapter 6 · X:")
    assert len(said) == 1


def test_formulas_are_drawn_and_said():
    good, bad = mathml.render([(r"\gamma_{nk}\ln p(\mathbf{x} \mid k)", False), (r"\nosuch{x}", True)])
    assert mathml.element(good).startswith('<math aria-label="gamma sub n k log p of open paren bold x given k')
    assert '<mspace width="0.1667em"></mspace><mrow><mi>ln</mi>' in good["mathml"]
    assert r"\nosuch" in bad["error"].replace("\u0332", "")


def test_a_formula_that_cannot_be_read_is_an_error_that_shows_it(app, monkeypatch):
    said = []
    note = lambda text, *values, location: said.append((text % values, location))  # noqa: E731
    monkeypatch.setattr(mathml.logger, "warning", note)
    page = nodes.Element("", wrong := nodes.math(r"\nosuch{x}", r"\nosuch{x}"), nodes.math("y", "y"))
    env = SimpleNamespace(found_docs={"page"}, get_doctree=lambda name: page)
    mathml.render_book(app, env)
    [(text, location)] = said
    assert r"\nosuch{x}" in text
    assert location is wrong


def test_only_rules_that_may_apply_are_kept():
    import tinycss2

    sheet = ".a, .b:not(.c) > p {x: 1} .d{y: 2} @media print {.d{z: 3} .a{w: 4}} @font-face{src: url(f)}"
    kept = lighten.without_unused(tinycss2.parse_stylesheet(sheet, True, True), {"a", "b"})
    assert "".join(kept.split()) == ".a,.b:not(.c)>p{x:1}@mediaprint{.a{w:4}}@font-face{src:url(f)}"


def test_a_mark_stays_with_its_formula():
    context = {"body": '(<span class="math notranslate"><math><mi>x</mi></math></span>), <p>a</p>'}
    mathml.bind_marks(None, "page", "page.html", context, None)
    assert context["body"] == '<span class="math notranslate">(<math><mi>x</mi></math>),</span> <p>a</p>'


@pytest.mark.parametrize(("drawn", "has"), [("<msqrt><mn>2</mn></msqrt>", True), ("<mn>2</mn>", False)])
def test_the_font_has_the_sign_of_a_root_which_no_formula_spells(tmp_path, drawn, has):
    """A browser draws the sign of `msqrt` from the font; the markup does not hold it."""
    from fontTools.ttLib import TTFont

    (tmp_path / "_static").mkdir()
    app = SimpleNamespace(
        builder=SimpleNamespace(format="html"), outdir=str(tmp_path), formulas={"": f"<math>{drawn}</math>"}
    )
    mathml.write_font(app, None)
    assert (ord("√") in TTFont(tmp_path / "_static" / "math.woff").getBestCmap()) is has
