"""The lock in a simulated future: every package has a newer version, and no pip may fall for it.

The pinned files are fetched once; then each pip installs them, without installing, from that folder
and from one with a wheel of version 9999.0 for every package.
"""

import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import lock
import pytest
import readme

# One worker takes them all, so that the files are fetched once.
pytestmark = [pytest.mark.sweep, pytest.mark.xdist_group("future")]

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.txt"
PINS = lock.valid(lock.read(LOCK.read_text()), lock.here())
# Those that came with Python 3.11.7 and 3.12.1, with 3.13.0, a later one, and today's.
PIPS = ["pip==23.2.1", "pip==24.2", "pip==25.3", "pip"]
MAKE = "--no-deps --require-hashes -r requirements.txt"


def newer_wheel(folder, name):
    """The smallest wheel that pip accepts."""
    stem = f"{name.replace('-', '_')}-9999.0"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 9999.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files["RECORD"] = "".join(f"{stem}.dist-info/{file},,\n" for file in [*files, "RECORD"])
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for file, text in files.items():
            wheel.writestr(f"{stem}.dist-info/{file}", text)


@pytest.fixture(scope="module")
def future(tmp_path_factory):
    """Two folders for --find-links: the pinned files, and a newer wheel for each."""
    pinned, newer = tmp_path_factory.mktemp("pinned"), tmp_path_factory.mktemp("newer")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(pinned), *shlex.split(MAKE)]
    subprocess.run(command, check=True, cwd=ROOT)
    for name in PINS:
        newer_wheel(newer, name)
    return [f"--find-links={pinned}", f"--find-links={newer}"]


@pytest.fixture(scope="module", params=["the environment's pip", *PIPS])
def pip(request, tmp_path_factory):
    """pip(arguments) -> its exit code, what it said, and what it would install."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    if request.param in PIPS:
        folder = tmp_path_factory.mktemp("pip")
        fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), request.param]
        subprocess.run(fetch, check=True)
        environment["PYTHONPATH"] = str(folder)
    report = tmp_path_factory.mktemp("report") / "report.json"
    always = ["--dry-run", "--ignore-installed", "--no-index", "--quiet", f"--report={report}"]

    def run(arguments, cwd=ROOT):
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pip", "install", *always, *arguments]
        answer = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        chosen = json.loads(report.read_text())["install"] if report.exists() else []
        versions = {lock.canonical(p["metadata"]["name"]): p["metadata"]["version"] for p in chosen}
        return answer.returncode, answer.stderr, versions

    return run


def plain_way():
    """The arguments of the README's line for students."""
    line = next(line for line in readme.commands("plain", "linux") if "requirements.txt" in line)
    return shlex.split(line.split(" pip install ")[1])


@pytest.mark.parametrize("way", [shlex.split(MAKE), plain_way()], ids=["make", "README"])
def test_every_pip_installs_the_pins_and_nothing_newer(pip, future, way):
    code, said, versions = pip([*future, *way])
    assert code == 0, said
    assert versions == {name: pin.version for name, pin in PINS.items()}


def test_the_newer_wheels_are_what_a_pip_would_take(pip, future):
    assert pip([*future, "--no-deps", "coverage"]) == (0, "", {"coverage": "9999.0"})


@pytest.mark.parametrize("pip", ["pip==23.2.1"], indirect=True)
def test_a_lock_without_extras_fails_where_pip_resolves(pip, future, tmp_path):
    """The defect itself: only while that pip stumbles over it does this file judge anything."""
    (tmp_path / "requirements.txt").write_text(LOCK.read_text().replace("coverage[toml]==", "coverage=="))
    code, said, _ = pip([*future, "--require-hashes", "-r", "requirements.txt"], cwd=tmp_path)
    assert code == 1
    assert "coverage" in said
    assert "pinned with ==" in said
