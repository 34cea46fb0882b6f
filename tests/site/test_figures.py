"""Figures and code of every chapter, as a reader sees them: on a desk, on a phone, in the dark, on paper."""

import io
import itertools
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from visit import ROOT, SETTLE, open_whole

from gmmlib.plotting import COLORS

SITE = Path(os.environ.get("SITE", ROOT / "_build" / "html")).resolve()
NAMES = [f"chapters/{path.stem}.html" for path in sorted((ROOT / "chapters").glob("*.ipynb"))]
every_chapter = pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in NAMES])

# Code that is folded is not seen; code that is seen is not cut.
CODE = """() => [...document.querySelectorAll(".cell_input pre")].filter(pre => pre.checkVisibility()).map(pre =>
  ({text: pre.innerText, cut: Math.max(0, pre.scrollWidth - pre.clientWidth)}))"""

# Pictures far down are loaded when the reader comes near them.
FIGURES = """async () => {
  const images = [...document.querySelectorAll(".cell_output img")];
  images.forEach(image => image.loading = "eager");
  await Promise.all(images.map(image => image.decode()));
  return images.map(image => ({
    asked: [image.getAttribute("width"), image.getAttribute("height")].map(Number),
    shown: [image.clientWidth, image.clientHeight],
    drawn: image.naturalWidth,
    caption: image.closest("figure")?.querySelector("figcaption")?.innerText ?? "",
  }));
}"""

# The browser itself draws each picture with the filter that its style asks for: the ground's colour,
# and what became of every pixel that had a colour of the palette.
COLOURS = """colours => [...document.querySelectorAll(".cell_output img")].map(image => {
  const {naturalWidth: width, naturalHeight: height} = image;
  const [plain, shown] = ["none", getComputedStyle(image).filter].map(filter => {
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.filter = filter;
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, width, height).data;
  });
  const at = i => [...shown.slice(i, i + 3)], marks = {};
  for (let i = 0; i < plain.length; i += 4) {
    const name = (plain[i] << 16) + (plain[i + 1] << 8) + plain[i + 2];
    if (colours.includes(name)) (marks[name] ??= [0, at(i)])[0]++;
  }
  return {ground: at(0), marks: Object.values(marks).filter(([pixels]) => pixels > 50).map(([, colour]) => colour)};
})"""

# A figure in a folded solution is seen when the reader opens it.
OPEN = """open => document.querySelectorAll("details:has(.cell_output img)").forEach(fold => fold.open = open)"""

BREAKS = """() => [...document.querySelectorAll("figure, tr")]
  .map(element => getComputedStyle(element).breakInside).filter(inside => inside !== "avoid")"""


@pytest.fixture(scope="module")
def look(chromium, serve):
    """look(name) -> what is to be seen of a page, and of its figures pixel by pixel."""
    address = serve(SITE)

    @cache
    def look(name):
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        page, seen = context.new_page(), {}
        open_whole(page, address + name)
        seen["code"], seen["lazy"] = page.evaluate(CODE), page.locator(".cell_output img:not([loading=lazy])").count()
        page.evaluate(OPEN, True)
        seen["desk"] = page.evaluate(FIGURES)
        page.emulate_media(color_scheme="dark")
        page.evaluate(SETTLE)
        seen["night"] = page.evaluate(FIGURES)
        seen["colours"] = page.evaluate(COLOURS, [int(colour[1:], 16) for colour in COLORS])
        seen["dark"] = [screenshot(page, image) for image in page.locator("figure img").all()[:1]]
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 375, "height": 667})
        seen["phone"] = page.evaluate(FIGURES)
        page.evaluate(OPEN, False)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 720, "height": 1000})  # what the margins leave of A4
        seen["paper"], seen["breaks"] = page.evaluate(CODE), page.evaluate(BREAKS)
        context.close()
        return seen

    return look


def screenshot(page, image):
    """The pixels of an image and of ten more around it."""
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    clip = {"x": box["x"] - 10, "y": box["y"] - 10, "width": box["width"] + 20, "height": box["height"] + 20}
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))


def luminance(colour):
    c = np.asarray(colour) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@every_chapter
def test_no_line_of_code_is_wider_than_its_cell(look, name):
    assert [cell["text"] for cell in look(name)["code"] if cell["cut"]] == []


@every_chapter
def test_no_line_of_code_is_cut_on_paper(look, name):
    """That every line is in the print itself, test_site.py says."""
    assert [cell["text"] for cell in look(name)["paper"] if cell["cut"]] == []


@every_chapter
def test_paper_splits_no_figure_and_no_row(look, name):
    assert look(name)["breaks"] == []


@every_chapter
def test_a_figure_is_sharp_has_a_caption_and_its_place_before_it_arrives(look, name):
    seen = look(name)
    assert seen["lazy"] == 0
    for figure in seen["desk"] + seen["night"]:
        assert figure["asked"] == figure["shown"], "the page gives it the size it has"
        assert figure["drawn"] == 2 * figure["shown"][0], "two image pixels per CSS pixel"
        assert figure["caption"], "a sentence below says what to look for"


@every_chapter
def test_a_phone_shows_a_figure_as_wide_as_its_labels_need(look, name):
    from gmmlib.plotting import PHONE

    assert all(figure["shown"][0] >= PHONE for figure in look(name)["phone"])


@every_chapter
def test_in_the_dark_a_figure_has_the_pages_ground(look, name):
    seen = look(name)
    for picture in seen["dark"]:
        page, *corners = luminance(picture[[2, 14, 14, -15, -15], [2, 14, -15, 14, -15]])
        assert page < 0.02, "the page is dark"
        np.testing.assert_allclose(corners, page, rtol=0.05)


@every_chapter
def test_in_the_dark_every_colour_stands_out_from_the_ground(look, name):
    for figure in look(name)["colours"]:
        ground, marks = luminance(figure["ground"]), luminance(figure["marks"])
        assert ground < 0.02
        assert len(marks) > 0, "the axes at least are black"
        assert min(marks + 0.05) / (ground + 0.05) >= 3


def test_chapters_have_figures_to_look_at(look):
    assert NAMES
    assert sum(len(look(name)["desk"]) for name in itertools.islice(NAMES, 1)) > 5
