"""The gate can close: pages with one fault each, and what the visitor says of them."""

import pytest
from visit import dead_links

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
    assert [seen.outside, seen.failed, seen.errors, seen.mute, seen.raw, seen.wide, seen.barriers] == [[]] * 7
    assert seen.dark[0] > 0.6 > 0.3 > seen.dark[1]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(visit, fault):
    assert getattr(visit(f"{fault}.html"), fault) not in ([], ["Good"])


def test_an_exception_is_an_error(visit):
    assert any("lost" in error for error in visit("thrown.html").errors)


def test_a_missing_picture_is_a_failed_request(visit):
    assert any("gone.png" in failure for failure in visit("picture.html").failed)


def test_a_page_that_stays_bright_is_not_dark(visit):
    assert visit("bright.html").dark[1] > 0.3


def test_links_that_lead_nowhere_are_listed(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#there"></a> <a href="b.html#not"></a> <a href="c.html"></a>')
    (tmp_path / "b.html").write_text('<p id="there"></p>')
    assert dead_links(tmp_path) == ["a.html: b.html#not has no such place", "a.html: c.html is missing"]
