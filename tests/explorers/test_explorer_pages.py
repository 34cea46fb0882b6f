"""Every explorer on a page without a kernel: it mounts, answers to keys, and asks nobody."""

import functools
import re
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import gmmlib
from gmmlib import explorers

HERE = Path(gmmlib.__file__).parent / "explorers"
ALL = [
    "alarm",
    "bound",
    "bivariate",
    "bug_zoo",
    "em_stepper",
    "gaussian",
    "kmeans_stepper",
    "landscape",
    "likelihood",
    "mixture",
    "responsibility",
    "sampler",
    "selection",
    "weighted_points",
]
HANDLED = [name for name in ALL if name != "bug_zoo"]  # the game has lines to press, and no handle
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body><main><h1>{name}</h1>{html}</main><script type="module" src="mount.js"></script></body></html>"""


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for source in HERE.glob("*.js"):
        shutil.copy(source, folder)
    for name in ALL:
        html = getattr(explorers, name)().html()
        (folder / f"{name}.html").write_text(PAGE.format(name=name, html=html), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_page(chromium, address):
    """open_page(name, width) -> a page with its explorer mounted; errors and strangers are collected."""
    contexts = []

    def open_(name, width=900, motion="reduce"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, reduced_motion=motion)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith((address, "data:")) else page.problems.append(r.url))
        page.goto(f"{address}{name}.html", wait_until="load")
        page.wait_for_selector("[data-mounted]", timeout=5000)
        return page

    yield open_
    for context in contexts:
        context.close()


def said(page):
    """What the live region says."""
    return page.locator("[aria-live]").first.inner_text()


def number(page, label):
    """The number on the tile with this label."""
    tile = page.locator(".gmx-tile").filter(has=page.get_by_text(label, exact=True))
    return float(tile.locator("b").inner_text().replace("\u2212", "-").replace(",", ""))


@pytest.mark.parametrize("name", HANDLED)
def test_a_handle_answers_to_the_arrow_keys_and_the_state_is_said(open_page, name):
    page = open_page(name)
    handle = page.locator("[role=slider]").first
    handle.focus()
    before, now = said(page), handle.get_attribute("aria-valuenow")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    moved = page.locator("[role=slider]").first
    assert moved.get_attribute("aria-valuenow") != now
    assert said(page) != before
    assert page.problems == []


@pytest.mark.parametrize("name", HANDLED)
def test_every_handle_has_a_name_a_range_and_a_value(open_page, name):
    handles = open_page(name).locator("[role=slider]:visible")
    assert handles.count() >= 1
    for i in range(handles.count()):
        got = {
            a: handles.nth(i).get_attribute(a)
            for a in ("aria-label", "aria-valuemin", "aria-valuemax", "aria-valuenow")
        }
        assert all(got.values()), got
        assert float(got["aria-valuemin"]) <= float(got["aria-valuenow"]) <= float(got["aria-valuemax"])
        assert handles.nth(i).get_attribute("tabindex") == "0"


@pytest.mark.parametrize("name", ALL)
def test_an_explorer_fits_a_narrow_phone(open_page, name):
    page = open_page(name, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.problems == []


COVERED = """() => {
  const boxes = query => [...document.querySelectorAll(query)].map(e => [e.textContent, e.getBoundingClientRect()]);
  const meet = (a, b) => a.width && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const knobs = boxes(".gmx-knob");
  return boxes(".gmx-tick").filter(([, tick]) => knobs.some(([, knob]) => meet(knob, tick))).map(([text]) => text);
}"""


def test_a_handle_on_the_axis_covers_no_number(open_page):
    page = open_page("responsibility", width=800)
    page.locator("[role=slider]").first.focus()
    for _ in range(25):
        assert page.evaluate(COVERED) == []
        page.keyboard.press("ArrowRight")


def test_an_axis_has_no_numbers_before_there_are_data(open_page):
    page = open_page("kmeans_stepper")
    numbers = page.locator("svg[aria-label^='Inertia'] .gmx-tick")
    assert numbers.count() == 0
    page.get_by_role("button", name="Assign").click()
    expect(numbers).not_to_have_count(0)


def test_each_step_of_em_raises_the_log_likelihood(open_page):
    page = open_page("em_stepper")
    values = [number(page, "log-likelihood")]
    for _ in range(4):
        page.get_by_role("button", name="Step (E + M)").click()
        values.append(number(page, "log-likelihood"))
    assert (np.diff(values) > 0).all(), values
    page.get_by_role("button", name="Run").click()
    page.wait_for_timeout(500)
    start = explorers.em_stepper().start
    X, means = np.array(start["X"]), np.array(start["means"])
    K = len(means)
    fit = gmmlib.em(X, np.full(K, 1 / K), means, [np.diag(X.var(axis=0))] * K)
    assert abs(number(page, "log-likelihood") - fit.log_likelihoods[-1]) < 0.006
    assert page.problems == []


def test_each_step_of_k_means_lowers_the_inertia(open_page):
    page = open_page("kmeans_stepper")
    values = []
    for _ in range(3):
        page.get_by_role("button", name="Step (both)").click()
        values.append(number(page, "inertia"))
    assert (np.diff(values) <= 0).all(), values
    assert values[-1] < values[0]
    assert page.problems == []


def test_log_odds_are_named_and_have_the_chapters_sign(open_page):
    """Of the short habit, the first component: negative at 68 minutes, where the long one is likelier."""
    page, state = open_page("responsibility"), explorers.responsibility().state
    means, covs = np.reshape(state["means"], (2, 1)), np.reshape(state["sds"], (2, 1, 1)) ** 2
    short, long = gmmlib.e_step([[state["x"]]], state["weights"], means, covs).resp[0]
    assert number(page, "log-odds of short waits (natural log)") == pytest.approx(np.log(short / long), abs=0.006)
    expect(page.locator("[aria-live]")).to_contain_text(f"log-odds of short waits \u2212{np.log(long / short):.2f}")
    assert page.problems == []


@pytest.mark.parametrize("name", ALL)
def test_every_handle_moves_and_every_move_is_said(open_page, name):
    page = open_page(name, width=320)
    handles = page.locator("[role=slider]:visible")
    for i in range(handles.count()):
        handle, before = handles.nth(i), said(page)
        place = handle.get_attribute("transform")
        handle.press("ArrowRight")
        assert handle.get_attribute("transform") != place
        expect(page.locator("[aria-live]")).not_to_have_text(before)


def test_shift_steps_ten_times_as_far_and_home_and_end_reach_the_ends(open_page):
    handle = open_page("responsibility").get_by_role("slider")

    def value(key, which="now"):
        handle.press(key)
        return float(handle.get_attribute(f"aria-value{which}"))

    one, two, twelve = value("ArrowRight"), value("ArrowRight"), value("Shift+ArrowRight")
    assert twelve - two == pytest.approx(10 * (two - one), rel=1e-3)  # the attributes hold six digits
    assert value("Home") == value("Home", "min")
    assert value("End") == value("End", "max")


def test_a_pointer_drags_a_handle_as_far_as_it_goes(open_page):
    page = open_page("gaussian")
    handle = page.get_by_role("slider", name="right end of the interval")
    box, before = handle.bounding_box(), float(handle.get_attribute("aria-valuenow"))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=3)
    page.mouse.up()
    after = handle.bounding_box()
    assert after["x"] - box["x"] == pytest.approx(40, abs=1)
    assert float(handle.get_attribute("aria-valuenow")) > before


def shares(page):
    """Number of points on the pile, and what share each component has of them."""
    tiles = page.locator(".gmx-tile b").all_inner_texts()
    return int(tiles[0].replace(",", "")), [float(text.split()[0]) for text in tiles[1:]]


def test_the_story_piles_up_to_the_mixture(open_page):
    page = open_page("sampler")
    for n in ("1 point", "10 points", "1000 points"):
        page.get_by_role("button", name=n, exact=True).press("Enter")
    N, found = shares(page)
    assert N == 1011
    assert sum(found) == pytest.approx(1, abs=0.0011)
    weights = explorers.sampler().state["weights"]
    assert np.abs(np.subtract(found, weights)).max() < 4 * np.sqrt(0.25 / N)
    expect(page.locator("[aria-live]")).to_contain_text("Point 1,011")
    pile = page.get_by_role("img", name="Pile of 1011 points")
    seen, expected = (float(text) for text in re.findall(r": (\d+), .* ([\d.]+)$", pile.get_attribute("aria-label"))[0])
    assert abs(seen - expected) < 5 * np.sqrt(expected)
    assert page.problems == []


def test_hidden_labels_are_told_to_nobody(open_page):
    page = open_page("sampler")
    page.get_by_role("button", name="10 points").click()
    page.get_by_role("button", name="Hide the labels").click()
    expect(page.locator("[aria-live]")).to_contain_text("nobody tells which component")
    assert page.locator(".gmx-tile b").all_inner_texts()[1:] == ["? (0.36)", "? (0.64)"]
    marks = page.get_by_role("img", name="Pile of 10 points").locator("path[fill^='var(--gmx-c']")
    assert marks.count() == 0
    page.get_by_role("button", name="Show the labels").click()
    assert marks.count() >= 10


def test_another_weight_begins_another_pile_and_changes_the_shares(open_page):
    page = open_page("sampler")
    page.get_by_role("button", name="10 points").click()
    edge = page.get_by_role("slider", name="edge between short habit and long habit")
    edge.press("Home")
    assert shares_of_nothing(page)
    edge.press("End")
    page.get_by_role("button", name="1000 points").click()
    assert shares(page)[1] == pytest.approx([0.98, 0.02], abs=0.02)


def shares_of_nothing(page):
    return page.locator(".gmx-tile b").all_inner_texts() == ["0", "? (0.02)", "? (0.98)"]


@pytest.mark.parametrize(("button", "n"), [("1 point", 1), ("10 points", 10), ("1000 points", 1000)])
def test_points_fall_one_after_the_other_where_motion_is_welcome(open_page, button, n):
    page = open_page("sampler", motion="no-preference")
    page.get_by_role("button", name=button, exact=True).click()
    if n > 1:
        assert shares(page)[0] < n
    expect(page.locator("[aria-live]")).to_contain_text(f"Point {n:,}", timeout=8000)
    assert shares(page)[0] == n
    assert page.problems == []


def test_votes_move_the_mean_and_a_line_of_voters_has_no_ellipse(open_page):
    page = open_page("weighted_points")
    X = np.array(explorers.weighted_points().state["X"])
    assert number(page, "votes in all") == 7
    first = page.get_by_role("slider", name="votes of point 1", exact=True)
    first.press("PageUp")  # ten quarters more
    votes = np.array([3.5, 1, 1, 1, 1, 1, 1])
    assert number(page, "votes in all") == 9.5
    tile = page.locator(".gmx-tile").filter(has=page.get_by_text("mean", exact=True)).locator("b")
    shown = [float(part) for part in tile.inner_text().split(",")]
    assert np.allclose(shown, np.average(X, axis=0, weights=votes), atol=0.06)
    corr = np.cov(X.T, aweights=votes)
    assert abs(number(page, "correlation") - corr[0, 1] / np.sqrt(corr[0, 0] * corr[1, 1])) < 0.006
    for n in range(2, 7):
        page.get_by_role("slider", name=f"votes of point {n}", exact=True).press("Home")
    expect(page.locator("[aria-live]").first).to_contain_text("singular")
    page.get_by_role("button", name="All one vote").click()
    expect(page.locator("[aria-live]").first).to_contain_text("Equal votes")
    assert not page.problems


def test_three_climbers_reach_a_summit_and_the_diagonal_holds_them(open_page):
    page = open_page("landscape")
    page.get_by_role("button", name="Run").click()
    heights = {
        way: float(tile.locator("b").inner_text().replace("\u2212", "-"))
        for way in ("gradient ascent", "EM")
        for tile in [page.locator(".gmx-tile").filter(has_text=way)]
    }
    assert abs(heights["EM"] - heights["gradient ascent"]) < 2  # gradient ascent may still be on its way
    expect(page.locator("[aria-live]").first).to_contain_text(re.compile(r"EM is at .* on a summit"))
    ball = page.get_by_role("slider", name="ball: left and right for the first mean, up and down for the second")
    ball.focus()
    start = [float(v) for v in ball.get_attribute("aria-valuetext").split(", ")]
    for _ in range(round(start[1] - start[0])):
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("[aria-live]").first).to_contain_text(re.compile(r"EM is at .* on a pass"))
    before = number(page, page.locator(".gmx-tile").last.locator("span").inner_text())
    needle = page.get_by_role("slider", name="power of ten of the narrow component's standard deviation")
    needle.press("Home")
    after = number(page, page.locator(".gmx-tile").last.locator("span").inner_text())
    assert abs(after - before - 12 * np.log(10)) < 4  # a factor of ten is worth ln 10
    assert not page.problems
