"""What commands say when they cannot do it: one sentence with the way out."""

import http.client
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVE = [sys.executable, str(ROOT / "tools" / "site" / "serve.py")]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no make")


def make(*arguments):
    return subprocess.run(["make", *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)


@unix
def test_a_port_in_use_is_named_with_another_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = subprocess.run([*SERVE, str(port)], capture_output=True, text=True, timeout=30)
    assert answer.returncode == 1
    assert re.fullmatch(rf"Port {port} is in use; .* make serve PORT=\d+\n", answer.stderr)


@unix
def test_the_book_is_served_to_this_machine():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([*SERVE, str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout.readline() == f"The book is at http://localhost:{port} until you press Ctrl-C\n"
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/")
            assert connection.getresponse().status in (200, 404)  # 404 where no book is built
        finally:
            server.terminate()


@unix
@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused_before_anything_is_served(port):
    answer = make("-n", "serve", f"PORT={port}")
    assert answer.returncode == 2
    assert f"PORT is a number from 1 to 65535, not `{port}`" in answer.stderr


def test_a_missing_browser_is_one_sentence_with_three_ways_out():
    environment = {**ENVIRONMENT, "CHROMIUM": "/no/such/chromium"}
    command = [sys.executable, str(ROOT / "tests" / "site" / "browser.py")]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    for way in ("install one", "CHROMIUM=/path/to/chromium", "SKIP_BROWSER=1"):
        assert way in answer.stderr


@unix
def test_every_long_step_of_the_tests_is_announced():
    answer = make("-n", "test")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    steps = [number for number, line in enumerate(lines) if " -m pytest " in line]
    assert len(steps) == 2
    for count, number in enumerate(steps, start=1):
        assert re.match(rf'echo "{count} of 2: .*minute', lines[number - 1])
