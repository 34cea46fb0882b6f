"""What every test may ask for."""

import functools
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest


@pytest.fixture
def rng():
    """A generator that starts anew, and the same, in each test."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium, one for all tests of a worker; each test opens pages or contexts of its own."""
    if os.environ.get("SKIP_BROWSER"):
        pytest.skip("SKIP_BROWSER is set: nothing was opened in a browser")
    from browser import FLAGS, MISSING, find  # imported here: most tests need no browser
    from playwright.sync_api import sync_playwright

    path = find()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def serve():
    """serve(folder) -> its address, from a server of this machine that lives as long as the tests."""
    servers = []

    def start(folder):
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        # looks often whether it shall end: tests end dozens of servers, one after the other
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
