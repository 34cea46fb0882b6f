"""The student's notebooks in JupyterLab, as `make lab` opens them: solved, run and looked at in a browser."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import namedtuple

import nbformat
import pytest
from plain import RAW
from playwright.sync_api import Error

from student import CHAPTERS, STUDENT, copy_to, part, solved

Seen = namedtuple("Seen", "cells text links outputs errors unmet figures explorers")
# Every cell is drawn, wherever it is scrolled to; a dark session for the second look.
SETTINGS = {"notebook-extension/tracker": {"windowingMode": "none"}}
DARK = {"apputils-extension/themes": {"theme": "JupyterLab Dark"}}
OUTSIDE = re.compile(r"^(?!https?://(127\.0\.0\.1|localhost)[:/])https?://")

LOOK = """() => {
  const all = (what, where = document) => [...where.querySelectorAll(".jp-Notebook " + what)];
  const drawn = e => e.getBoundingClientRect().height > 40;
  return {
    cells: all(".jp-MarkdownCell .jp-RenderedMarkdown").length,
    text: all(".jp-RenderedMarkdown").map(e => {
      const copy = e.cloneNode(true);  // code, and formulas that are typeset, may look like anything
      copy.querySelectorAll("code, pre, mjx-container, .MathJax").forEach(x => x.remove());
      return copy.textContent;
    }),
    links: all(".jp-RenderedMarkdown a[href]").map(a => a.getAttribute("href")),
    outputs: all(".jp-OutputArea-output").map(e => e.textContent),
    errors: all('[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"], '
      + "merror, mjx-merror").map(e => e.textContent.slice(0, 300)),
    unmet: all(".jp-CodeCell").filter(c => /\\[[ *]\\]/.test(c.querySelector(".jp-InputPrompt").textContent))
      .map(c => c.querySelector(".cm-content").textContent.slice(0, 80)),
    figures: all(".jp-RenderedImage img").filter(i => i.naturalWidth > 100).length,
    explorers: all(".gmx svg[role]").filter(drawn).length,
  };
}"""


@pytest.fixture(scope="module", params=["light", "dark"])
def jupyterlab(request, tmp_path_factory):
    """(address, folder) of a JupyterLab with a student's folder, in the light theme and in the dark one."""
    home = tmp_path_factory.mktemp("lab")
    settings = home / "settings" / "@jupyterlab"
    for name, value in (SETTINGS | (DARK if request.param == "dark" else {})).items():
        target = settings / f"{name}.jupyterlab-settings"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(value))
    folder = home / "my-course"
    copy_to(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(CHAPTERS.parent / "tools" / "student.py"), "lab", "--to", str(folder)]
    command += ["--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [f"--LabApp.user_settings_dir={home / 'settings'}", f"--LabApp.workspaces_dir={home / 'workspaces'}"]
    log = (home / "log").open("w+")
    server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "JUPYTER_RUNTIME_DIR": str(home)})
    address = f"http://127.0.0.1:{port}/"
    for _ in range(120):
        try:
            urllib.request.urlopen(address + "api")
            break
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None:
                break
            time.sleep(0.5)
    else:
        server.kill()
    if server.poll() is not None:
        log.seek(0)
        pytest.fail(f"JupyterLab did not start:\n{log.read()[-2000:]}", pytrace=False)
    yield address, folder
    server.terminate()
    server.wait(20)


def solve(path):
    """Write the course's solutions into the student's notebook at `path`."""
    nb, source = nbformat.read(path, as_version=4), nbformat.read(CHAPTERS / path.name, as_version=4)
    answers = {c.metadata.nbgrader.grade_id: solved(c.source) for c in source.cells if part(c) == "answer"}
    for cell in nb.cells:
        if part(cell) == "answer":
            cell.source = answers[cell.metadata.nbgrader.grade_id]
    nbformat.write(nb, path)


def run_all(chromium, address, name, picture=None):
    """Open the notebook `name`, run every cell, and tell what the student sees."""
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    outside = []
    page.on("request", lambda request: outside.append(request.url) if OUTSIDE.match(request.url) else None)
    try:
        page.goto(f"{address}lab/workspaces/{name[:2]}/tree/{name}?reset")
        try:
            page.wait_for_selector(".jp-Notebook .jp-RenderedMarkdown h1", timeout=60_000)
        except Error:
            shows = page.inner_text("body")[:500]
            pytest.fail(f"{name} did not open within a minute; JupyterLab shows: {shows}", pytrace=False)
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu").get_by_text("Run All Cells", exact=True).click()
        for _ in range(240):
            page.wait_for_timeout(500)
            seen = Seen(**page.evaluate(LOOK))
            if not seen.unmet or seen.errors:
                break
        page.wait_for_timeout(1000)
        seen = Seen(**page.evaluate(LOOK))
        if picture:
            page.screenshot(path=picture)
    finally:
        page.close()
    assert outside == []
    return seen


NOTEBOOKS = [p.name for p in sorted(STUDENT.glob("06*.ipynb")) + sorted(STUDENT.glob("09*.ipynb"))]


@pytest.mark.xdist_group("jupyterlab")
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_reads_well_in_jupyterlab(chromium, jupyterlab, name):
    address, folder = jupyterlab
    if name.endswith("_exercises.ipynb"):
        solve(folder / name)
    seen = run_all(chromium, address, name, os.environ.get("PICTURES") and f"{os.environ['PICTURES']}/{name}.png")
    assert seen.errors == []
    assert seen.unmet == [], "these cells did not run"
    source = nbformat.read(STUDENT / name, as_version=4)
    assert seen.cells == sum(cell.cell_type == "markdown" for cell in source.cells)
    for text in seen.text:
        assert RAW.findall(text) == [], "markup shows as it stands"
        assert "$" not in text, "a formula shows as TeX"
    for link in seen.links:
        if not link.startswith(("http", "#")):
            assert (folder / link.split("/")[-1].split("?")[0].split("#")[0]).exists(), f"the link {link} leads nowhere"
    wanted = sum("explorers." in cell.source for cell in source.cells if cell.cell_type == "code")
    assert seen.explorers >= wanted
    if not name.endswith("_exercises.ipynb"):
        assert wanted
        assert seen.figures >= 5


def test_raw_markup_is_seen(chromium, jupyterlab):
    """The check above can fail: a notebook with one fault of each kind."""
    address, folder = jupyterlab
    cells = [
        nbformat.v4.new_markdown_cell("# T\n\n(a)=\n\n{ref}`b` and $x$ [gone](06_gone.ipynb)\n\n:::{note}\nx\n:::"),
        nbformat.v4.new_code_cell("1 / 0"),
    ]
    nb = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    nbformat.write(nb, folder / "faulty.ipynb")
    seen = run_all(chromium, address, "faulty.ipynb")
    assert "ZeroDivisionError" in seen.errors[0]
    assert RAW.findall(seen.text[0]) == ["(a)=", ":::{note}", ":::"]
    assert any("06_gone" in link for link in seen.links)
    assert seen.explorers == seen.figures == 0
