"""tools/make_env.sh in a folder of its own, with a stub in place of Python: no network, no second environment."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no make; the README's plain way is for it")

ROOT = Path(__file__).resolve().parents[2]
UNFINISHED = "The environment .venv is not complete. Run the same command again"
# What make_env.sh asks of Python, answered without doing it. $STUB says what befalls it.
STUB = """\
#!/usr/bin/env bash
hang() { touch hangs; trap 'echo Traceback >&2; exit 1' INT; sleep 60; exit; }
case "$*" in
    "-c "*) exit "${STUB_TOO_OLD:-0}" ;;
    --version) echo "Python 3.99.0" ;;
    "-m venv --clear .venv")
        if [ "${STUB:-}" = "venv hangs" ]; then hang; fi
        rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    "-m pip install "*" -r requirements.txt")
        echo "Collecting numpy==2.4.6"
        case "${STUB:-}" in
            fails) echo "ERROR: No matching distribution found for numpy==2.4.6"; exit 1 ;;
            "pip hangs") hang ;;
        esac
        touch .venv/installed ;;
    "-m pip install "*" -e .") touch .venv/editable ;;
    *) echo "the stub does not know: $*" >&2; exit 99 ;;
esac
"""


def listening():
    """Hear signals that whoever runs the tests ignores: `nohup make test` does, and bash in the background."""
    for sent in (signal.SIGINT, signal.SIGHUP):
        signal.signal(sent, signal.SIG_DFL)


class Clone:
    """A folder with the script and what it reads."""

    def __init__(self, folder):
        self.folder, self.venv = folder, folder / ".venv"
        (folder / "tools").mkdir()
        shutil.copy(ROOT / "tools" / "make_env.sh", folder / "tools")
        (folder / "requirements.txt").write_text("numpy==2.4.6\n")
        self.stub = folder / "python"
        self.stub.write_text(STUB)
        self.stub.chmod(0o755)

    def start(self, **variables):
        (self.folder / "tmp").mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHON": str(self.stub), "TMPDIR": str(self.folder / "tmp"), **variables}
        command = ["bash", "tools/make_env.sh"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, start_new_session=True, preexec_fn=listening, **pipes
        )

    def make(self, **variables):
        process = self.start(**variables)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    @property
    def complete(self):
        return (self.venv / ".complete").exists()


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_the_stamp_comes_when_all_is_installed(clone):
    code, out, err = clone.make()
    assert (code, err) == (0, "")
    assert out.endswith("The environment is ready in .venv\n")
    assert clone.complete
    assert {path.name for path in clone.venv.iterdir()} >= {"installed", "editable", ".gmmlib"}
    assert list((clone.folder / "tmp").iterdir()) == []


def test_a_failing_pip_leaves_no_stamp_and_says_what_to_do(clone):
    code, out, err = clone.make(STUB="fails")
    assert code == 1
    assert "ERROR: No matching distribution found for numpy==2.4.6" in out
    assert err.count(UNFINISHED) == 1
    assert "ready" not in out
    assert not clone.complete
    assert not (clone.venv / "editable").exists()


def test_a_failing_pip_takes_the_stamp_of_before_away(clone):
    assert clone.make()[0] == 0
    assert clone.make(STUB="fails")[0] == 1
    assert not clone.complete


def test_a_half_built_environment_is_made_anew(clone):
    clone.make(STUB="fails")
    (clone.venv / "left over").touch()
    assert clone.make()[0] == 0
    assert clone.complete
    assert not (clone.venv / "left over").exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("step", ["venv", "pip"])
@pytest.mark.parametrize("to", ["the group, as Ctrl-C", "the script alone"])
def test_an_interrupt_ends_it_at_once_with_one_sentence_and_the_next_call_repairs(clone, sent, to, step):
    process = clone.start(STUB=f"{step} hangs")
    while not (clone.folder / "hangs").exists():
        assert process.poll() is None
        time.sleep(0.02)
    (os.killpg if to.startswith("the group") else os.kill)(process.pid, sent)
    out, err = process.communicate(timeout=10)  # the pipe's other end is closed: nothing went on alone
    assert process.returncode == (130 if sent == signal.SIGINT else 143)
    assert err.strip().startswith(UNFINISHED)
    assert err.strip().count("\n") == 0, err
    assert "ready" not in out
    assert not clone.complete
    assert list((clone.folder / "tmp").iterdir()) == []
    assert clone.make()[0] == 0
    assert clone.complete


def test_a_python_that_is_too_old_is_named_in_one_sentence(clone):
    code, out, err = clone.make(STUB_TOO_OLD="1")
    assert (code, out) == (1, "")
    assert err == (
        f"The course needs Python 3.11 or newer and found {clone.stub}; "
        "say where one is with PYTHON=/path/to/python3.12.\n"
    )
    assert not clone.venv.exists()


def test_without_any_python_it_says_so(clone):
    tools = clone.folder / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "rm"):
        (tools / name).symlink_to(shutil.which(name))
    code, out, err = clone.make(PYTHON="", PATH=str(tools))
    assert (code, out) == (1, "")
    assert err.startswith("The course needs Python 3.11 or newer and found no python3; ")
    assert err.count("\n") == 1


def test_the_next_python_is_taken_when_python3_is_too_old(clone):
    tools = clone.folder / "bin"
    tools.mkdir()
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    shutil.copy(clone.stub, tools / "python3.14")
    code, out, _ = clone.make(PYTHON="", PATH=f"{tools}:{os.environ['PATH']}")
    assert code == 0
    assert "Making .venv with Python 3.99.0" in out
