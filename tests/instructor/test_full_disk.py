"""A disk that is really full: a small one of its own, where the system lets us mount one."""

import hashlib
import os
import subprocess

import pytest
from submissions import moodle, roster, text, the_page

PAGE = the_page("09")
NAME = PAGE.assignment
SAID = "{}: the disk is full; make room and run it again, nothing is lost\n"
pytestmark = [pytest.mark.sweep, pytest.mark.xdist_group("full-disk")]


@pytest.fixture
def kit(make_kit):
    kit = make_kit()
    kit.disk = kit.folder / "course"
    kit.disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", kit.disk]
    if os.getuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk here; test_bad_input.py simulates one")
    yield kit
    subprocess.run(["umount", kit.disk], check=True)


def leave(kit, kilobytes):
    """Fill the disk up to so much; None: empty it."""
    fill = kit.disk / "fill"
    fill.unlink(missing_ok=True)
    if kilobytes is not None:
        free = os.statvfs(kit.disk)
        with open(fill, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - 1024 * kilobytes)


def there(kit, *kinds):
    """What lies in these folders, or everywhere, byte for byte."""
    paths = [path for kind in kinds for path in (kit.disk / kind).rglob("*")] + [kit.disk / "gradebook.db"]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


def test_a_full_disk_costs_nothing_but_the_time(kit):
    def refused(command, *arguments):
        done = kit.run(command, *arguments)
        assert (done.returncode, done.stderr) == (1, SAID.format(command))
        half = [p for p in kit.disk.rglob(".*") if p.name != ".fonts"]
        assert not half, half

    leave(kit, 150)
    refused("assign", "09")
    assert not (kit.disk / "handout").exists()
    leave(kit, None)
    kit.ok("assign", "09")

    files = {who: (f"{who}.ipynb", text(PAGE.student())) for who in ("ada", "bo")}
    before = there(kit, "source", "handout")
    leave(kit, 30)
    done = kit.collect("09", moodle(files), roster(files))
    assert (done.returncode, done.stderr) == (1, SAID.format("collect"))
    assert there(kit, "source", "handout", "received") == before
    leave(kit, None)
    assert kit.collect("09", moodle(files), roster(files)).returncode == 0

    kept = there(kit, "source", "handout", "received")
    for kilobytes in (20, 150, 250):
        leave(kit, kilobytes)
        refused("grade", "09")
        assert there(kit, "source", "handout", "received") == kept
        assert not (kit.disk / "grades").exists()
    leave(kit, None)
    kit.ok("grade", "09")
    assert set(kit.grades(NAME)) == {"ada", "bo"}
