"""Every page of the built book, opened in a browser."""

import os
from pathlib import Path

import pytest
from visit import ROOT, dead_links, pages, raw_tex

from tools.site.measure import weigh

SITE = Path(os.environ.get("SITE", ROOT / "_build" / "html")).resolve()
NAMES = [page.relative_to(SITE).as_posix() for page in pages(SITE)]
every_page = pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in NAMES])


@pytest.fixture(scope="module")
def visit(visitor):
    return visitor(SITE)


def test_the_book_is_built():
    assert "intro.html" in NAMES, "There is no book in _build/html: run `make book` first."


@every_page
def test_a_page_asks_nobody_but_its_own_site(visit, name):
    assert visit(name).outside == []


@every_page
def test_a_page_loads_whole_and_without_errors(visit, name):
    assert visit(name).failed == []
    assert visit(name).errors == []


@every_page
def test_math_is_typeset(visit, name):
    assert visit(name).raw == []
    assert raw_tex(SITE / name) == []


@every_page
def test_a_page_has_one_title_and_names_its_language(visit, name):
    assert len(visit(name).titles) == 1, visit(name).titles
    assert visit(name).lang == "en"


@every_page
def test_every_picture_has_words(visit, name):
    assert visit(name).mute == []


@every_page
def test_a_page_fits_a_narrow_phone(visit, name):
    assert visit(name).wide == []


@every_page
def test_nothing_breaks_inside_or_is_cut_unseen(visit, name):
    assert visit(name).split == []


@every_page
def test_prose_has_at_most_72_characters_to_a_line(visit, name):
    assert visit(name).long == []


@every_page
def test_no_code_and_nothing_printed_scrolls_on_a_screen(visit, name):
    assert name.startswith("_modules/") or visit(name).scrolls == []


@every_page
def test_headings_are_in_order_and_links_of_one_colour(visit, name):
    assert visit(name).ranks == []
    assert visit(name).colours == []


@every_page
def test_a_page_is_light(visit, name):
    raw, gzipped = weigh(SITE, visit(name).asked)
    if name == "intro.html":
        assert raw <= 1_000_000
        assert gzipped <= 350_000
    assert raw <= 1_700_000


@every_page
def test_dark_mode_is_dark(visit, name):
    text, ground = visit(name).dark
    assert text > 0.6
    assert ground < 0.3


@every_page
def test_a_page_has_no_barrier(visit, name):
    assert visit(name).barriers == []


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in NAMES if "chapters/" in n])
def test_paper_has_every_line_of_code_and_splits_no_row_or_figure(visit, name):
    assert visit.paper(name, SITE) == []


def test_every_inner_link_leads_somewhere():
    assert dead_links(SITE) == []


def test_notebooks_can_be_downloaded():
    chapters = {path.name for path in (ROOT / "chapters").glob("*.ipynb")}
    assert chapters <= {path.name for path in (SITE / "_sources" / "chapters").glob("*.ipynb")}
