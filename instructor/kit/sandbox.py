"""Student code runs here: bubblewrap where there is one, limits of the operating system alone where there is none.

In the sandbox there is no network, no file of the course but gmmlib and its data, no solution, no gradebook, no
environment variable, no process of anybody else, and nothing can be written but a small /tmp that goes with it.
"""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from functools import cache
from pathlib import Path

from .course import ROOT, KitError

RUNNER = Path(__file__).with_name("runner.py")
PYTHON = ROOT / ".venv" / "bin" / "python"
GB = 1 << 30
COUNTER = itertools.count()
WARNING = (
    "WARNING: no sandbox. Student code runs with your rights and your network, held only by limits of memory, "
    "processes and time. On Debian and Ubuntu, `apt install bubblewrap` gives one."
)


@cache
def bubblewrap():
    """The path of a bubblewrap that works here, or None."""
    found = shutil.which("bwrap")
    if os.environ.get("KIT_SANDBOX") == "none" or not found:
        return None
    test = subprocess.run([*wrap(found, Path("/nonexistent"), 0), "/bin/true"], capture_output=True)
    return found if test.returncode == 0 else None


def refuse_root():
    """Without a sandbox a root is not held by limits of processes, and cannot always become somebody else."""
    if bubblewrap() or os.getuid() != 0:
        return
    above = {folder for path in (ROOT, PYTHON.resolve()) for folder in path.parents}
    closed = sorted(str(folder) for folder in above | {ROOT} if not folder.stat().st_mode & 0o001)
    if closed:
        raise KitError(
            f"no sandbox, and root's limits hold nobody: install bubblewrap, or grade as another user "
            f"({closed[0]} is closed to the one that would be taken)"
        )


def wrap(bwrap, fonts, number):
    """The command line before the command that is to run inside."""
    line = [bwrap, "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-net"]
    line += ["--unshare-uts", "--unshare-cgroup-try", "--clearenv"]
    if os.getuid() == 0:  # the runner then takes a user without rights
        line += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        line += ["--unshare-user"]
    line += ["--dev", "/dev", "--proc", "/proc", "--size", str(GB // 4), "--perms", "1777", "--tmpfs", "/tmp"]
    base = Path(sys.base_prefix).resolve()
    real = PYTHON.resolve().parent.parent
    seen = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/ld.so.conf"]
    seen += ["/etc/ld.so.conf.d", "/etc/fonts", "/etc/alternatives", "/etc/localtime", base, real]
    ours = [ROOT / ".venv", ROOT / "gmmlib", ROOT / "data"]
    above = {folder for path in [base, real, *ours] for folder in path.parents} - {Path("/")}
    for folder in sorted(f for f in above if f != Path("/tmp") and not f.is_relative_to("/usr")):
        line += ["--perms", "0755", "--dir", str(folder)]
    for path in map(Path, seen):
        if path.is_symlink() and not str(path).startswith("/usr/"):
            line += ["--symlink", os.readlink(path), str(path)]
        elif not path.is_relative_to("/usr") or str(path) == "/usr":
            line += ["--ro-bind-try", str(path), str(path)]
    for path in ours:
        line += ["--ro-bind", str(path), str(path)]
    line += ["--ro-bind", str(RUNNER), "/run/runner.py", "--ro-bind-try", str(fonts), "/run/fonts", "--chdir", "/tmp"]
    for name, value in environment("/tmp", "/run/fonts", number).items():
        line += ["--setenv", name, value]
    return line


def environment(home, fonts, number):
    return {
        "HOME": home,
        "TMPDIR": home,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "IPYTHONDIR": f"{home}/ipython",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "KIT_FONTS": str(fonts),
        "KIT_NUMBER": str(number),
    }


@cache
def font_cache(folder):
    """matplotlib's list of fonts takes seconds to make: made once, outside."""
    folder = Path(folder)
    if not list(folder.glob("fontlist*")):
        folder.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "MPLCONFIGDIR": str(folder)}
        subprocess.run([PYTHON, "-c", "import matplotlib.font_manager"], env=env, capture_output=True)
    return folder


def processes_now():
    """How many processes and threads this user has: a limit counts these too where there is no namespace."""
    if bubblewrap() or os.getuid() == 0:
        return 0
    mine, count = os.getuid(), 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if entry.stat().st_uid == mine:
                count += len(list((entry / "task").iterdir()))
        except OSError:
            continue
    return count


def run(runs, fonts, seconds=60, memory=4 * GB, processes=32):
    """Run every exercise of `runs`; return item -> {"how", "at", "cells"}."""
    results, waiting, failures, skip = {}, list(runs), 0, set()
    while waiting:
        plan = {"seconds": seconds, "memory": memory, "processes": processes + processes_now(), "runs": waiting}
        plan["skip"] = sorted(skip)  # cells of the student's own that did not end
        done, began, said = start(plan, font_cache(fonts))
        results.update(done)
        skip.update(*(result["skip"] for result in done.values()))
        if not done and began is None:
            failures += 1
            if failures == 2:
                raise RuntimeError(f"the sandbox does not start: {said.strip().splitlines()[-1:] or 'no word'}")
            continue
        if began and began not in results:  # it ended the runner itself
            results[began] = {"how": "crashed", "at": None, "cells": {}}
        waiting = [run for run in waiting if run["item"] not in results]
    return results


def start(plan, fonts):
    """One sandbox: (item -> result, the item that it was at, what it wrote to standard error)."""
    number, mark = os.getpid() * 7 + next(COUNTER), uuid.uuid4().hex
    limit = 60 + len(plan["runs"]) * (8 * plan["seconds"] + 100)
    with tempfile.TemporaryDirectory(prefix="grading-") as home, tempfile.TemporaryFile() as errors:
        if bwrap := bubblewrap():
            command, env = [*wrap(bwrap, fonts, number), str(PYTHON), "-I", "-u", "/run/runner.py"], {}
        else:
            command = [str(PYTHON), "-I", "-u", str(RUNNER)]
            env = environment(home, fonts, number) | {"KIT_MARK": mark}
            if os.getuid() == 0:
                os.chmod(home, 0o777)
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=env, start_new_session=True,
            cwd="/" if bwrap else home,
        )  # fmt: skip
        try:
            out, _ = process.communicate(json.dumps(plan).encode(), timeout=limit)
        except subprocess.TimeoutExpired:
            end(process, mark)
            out, _ = process.communicate()
        finally:
            end(process, mark)
        errors.seek(0)
        said = errors.read(100_000).decode(errors="replace")
    done, began = {}, None
    for line in out.decode(errors="replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if "begins" in found:
            began = found["begins"]
        elif "item" in found:
            done[found.pop("item")] = found
    return done, began, said


def end(process, mark):
    """End the sandbox and everything in it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    if bubblewrap():
        return  # its processes went with their namespace
    for _ in range(50):  # until a sweep finds none: a fork bomb grows while it is swept
        found = marked(mark)
        for pid in found:
            try:
                os.kill(pid, signal.SIGSTOP)
            except OSError:
                continue
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        if not found:
            return


def marked(mark):
    """The processes that were started with KIT_MARK=mark."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"KIT_MARK={mark}".encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]
