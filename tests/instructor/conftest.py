"""The kit of whoever grades. nbgrader lives in an environment of its own, so the kit's commands are run as commands."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))


class Kit:
    """One course in a folder of its own, and its commands."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def run(self, command, *arguments, **env):
        line = [ROOT / ".venv-grading/bin/python", "-W", "ignore", "-m", "instructor.kit"]
        line += ["--course", self.folder / "course", command, *arguments]
        env = {**os.environ, **env}
        return subprocess.run([*map(str, line)], cwd=ROOT, capture_output=True, text=True, env=env)

    def ok(self, command, *arguments, **env):
        done = self.run(command, *arguments, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def collect(self, chapter, packed, people):
        """Collect the bytes of a zip for a roster's text."""
        zipped, roster = self.folder / "download.zip", self.folder / "roster.csv"
        zipped.write_bytes(packed)
        roster.write_text(people, encoding="utf-8")
        return self.run("collect", chapter, "--zip", zipped, "--roster", roster)

    def grades(self, name):
        """id -> row of grades.csv."""
        text = (self.folder / "course/grades" / name / "grades.csv").read_text(encoding="utf-8")
        return {row["id"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.fixture(scope="session")
def make_kit(tmp_path_factory):
    assert (ROOT / ".venv-grading/.complete").exists(), "run `make .venv-grading/.complete` first, as `make test` does"
    return lambda: Kit(tmp_path_factory.mktemp("kit"))
