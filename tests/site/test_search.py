"""The search page, asked as a reader asks it."""

import re

import pytest
from test_site import SITE
from visit import AXE, RUN_AXE, SETTLE, TEX

# Where each word is defined.
DEFINED = {
    "responsibility": "chapters/06_responsibilities.html#bayes-rule-with-densities",
    "k-means": "chapters/13_kmeans.html",
    "BIC": "#",
    "Jensen": "chapters/08_em_derived.html#a-bound-for-every-guess",
    "log-sum-exp": "chapters/06_responsibilities.html#the-input-that-breaks-the-plain-formula",
}
MENU = re.compile(r"Toggle|Color mode|Contents|Ctrl|Skip to main|Show code|Hide code|Download")

pytestmark = pytest.mark.xdist_group("search")


@pytest.fixture(scope="module")
def page(chromium, serve):
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.address = serve(SITE)
    yield page
    page.close()


def ask(page, word):
    """What the search lists for a word: (address, is an object, excerpt)."""
    page.goto(f"{page.address}search.html?q={word}", wait_until="networkidle")
    page.wait_for_function("document.querySelector('.search-summary')?.textContent.includes('found')")
    return page.evaluate(
        """() => [...document.querySelectorAll("ul.search > li")].map(li => [
          li.querySelector("a").getAttribute("href"),
          /\\(Python /.test(li.innerText),
          li.querySelector(".context")?.innerText ?? "",
        ])"""
    )


@pytest.mark.parametrize("word", DEFINED)
def test_the_definition_comes_first_and_objects_last(page, word):
    found = ask(page, word)
    assert DEFINED[word] in found[0][0]
    assert word.lower() in found[0][2].lower()
    objects = [is_object for _, is_object, _ in found]
    assert objects == sorted(objects)
    for _, is_object, excerpt in found:
        assert is_object or excerpt
        assert not MENU.search(excerpt), excerpt
        assert not TEX.search(excerpt), excerpt


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_was_found_has_no_barrier(page, scheme):
    page.emulate_media(color_scheme=scheme)
    ask(page, "responsibility")
    for _ in range(2):  # the list, and the page its first entry opens, word highlighted
        page.evaluate(SETTLE)
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        assert page.evaluate(RUN_AXE) == []
        if first := page.locator("ul.search > li a").first:
            if first.count():
                first.click()
                page.wait_for_load_state("networkidle")
    assert page.locator("span.highlighted").count()
