"""How the tests are shared out: what one page's tests have opened, none of them opens again."""

import os
import subprocess
import sys

PAGES = """
import os
from pathlib import Path

import pytest

names = [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in ("a.html", "b.html", "c.html", "d.html")]


@pytest.mark.parametrize("name", names)
@pytest.mark.parametrize("what", range(6))
def test_page(what, name):
    with Path(__file__).with_name(name).open("a") as seen:
        seen.write(os.environ["PYTEST_XDIST_WORKER"] + " ")
"""


def test_the_tests_of_a_page_stay_with_one_worker(tmp_path):
    (tmp_path / "test_pages.py").write_text(PAGES)
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, env=outer, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    workers = {page.name: page.read_text().split() for page in tmp_path.glob("*.html")}
    assert [len(names) for names in workers.values()] == [6] * 4
    assert all(len(set(names)) == 1 for names in workers.values()), workers
