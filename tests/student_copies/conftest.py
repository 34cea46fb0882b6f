import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))


@pytest.fixture(scope="session")
def chromium():
    """A browser for JupyterLab, as in the tests of the site."""
    from browser import FLAGS, MISSING, find
    from playwright.sync_api import sync_playwright

    if os.environ.get("SKIP_BROWSER"):
        pytest.skip("SKIP_BROWSER is set: no notebook was opened in a browser")
    path = find()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
