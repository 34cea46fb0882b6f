"""Runs inside the sandbox: reads a plan, runs each exercise in a process of its own, writes what came out.

It knows nothing of the rest of the kit and is started as a plain file. Plan, on standard input, one JSON object:
{"seconds": 60, "memory": bytes, "processes": 32, "runs": [{"item": "ex1", "cells": [...]}, ...]}.
Results, on standard output, one JSON line a run, written when it ends. After a run that did not end by itself
this program ends too; whoever started it throws the sandbox away and starts another for the runs that are left.
"""

import json
import os
import resource
import select
import shutil
import signal
import sys
import time

OUTPUT = 20_000  # characters of text that a cell may print; more is cut
RESULT = 8_000_000  # bytes that one run may hand back, figures included
OWN = 10  # seconds for a cell of the student's own, beside the answers


def leave_root():
    """A user without rights, one for each sandbox, so that each counts its own processes."""
    if os.getuid() == 0:
        user = 60_000 + int(os.environ.get("KIT_NUMBER", "0")) % 5000
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


def prepare():
    """Load once what every exercise loads; fork shares it."""
    fonts = os.environ.get("KIT_FONTS", "")
    if os.path.isdir(fonts):
        shutil.copytree(fonts, os.environ["MPLCONFIGDIR"], dirs_exist_ok=True)
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    shell = InteractiveShell.instance(config=config)
    shell.enable_gui = lambda gui=None: None
    import matplotlib

    matplotlib.use("module://matplotlib_inline.backend_inline")
    import matplotlib.pyplot
    import scipy.optimize
    import scipy.stats  # noqa: F401

    import gmmlib.estimators.gaussian_mixture
    import gmmlib.plotting  # noqa: F401

    return shell


class Recorder:
    """What a cell prints, shows and raises, as a notebook stores it."""

    def __init__(self):
        self.outputs, self.room = [], OUTPUT

    def text(self, name, text):
        text, self.room = text[: self.room], self.room - len(text[: self.room])
        if not text:
            return
        if self.outputs and self.outputs[-1].get("name") == name:
            self.outputs[-1]["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})

    def error(self, etype, value, traceback):
        name, value = getattr(etype, "__name__", str(etype)), str(value)[:OUTPUT]
        lines = [line[:2000] for line in traceback][-40:]
        self.outputs.append({"output_type": "error", "ename": name, "evalue": value, "traceback": lines})

    def data(self, data, metadata):
        data = {k: v if isinstance(v, str) else str(v) for k, v in data.items() if k in ("text/plain", "text/html")} | {
            k: v for k, v in data.items() if k == "image/png" and isinstance(v, str)
        }
        if data:
            self.outputs.append({"output_type": "display_data", "data": data, "metadata": {}})


class Stream:
    """A standard stream that ends in the recorder."""

    encoding = "utf-8"

    def __init__(self, recorder, name):
        self.recorder, self.name = recorder, name

    def write(self, text):
        self.recorder().text(self.name, str(text))
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False

    def writelines(self, lines):
        for line in lines:
            self.write(line)


def child(shell, run, skipped, pipe, plan):
    """Run the cells of one exercise; write a line before and after each."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000_000,) * 2)
    resource.setrlimit(resource.RLIMIT_AS, (plan["memory"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (plan["seconds"], plan["seconds"] + 5))
    resource.setrlimit(resource.RLIMIT_NPROC, (plan["processes"],) * 2)

    import base64

    from IPython.core.displaypub import DisplayPublisher

    now = [Recorder()]
    sys.stdout, sys.stderr = Stream(lambda: now[0], "stdout"), Stream(lambda: now[0], "stderr")

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, **_):
            png = data.get("image/png")
            if isinstance(png, bytes):
                data = {**data, "image/png": base64.b64encode(png).decode()}
            now[0].data(data, metadata)

        def clear_output(self, wait=False):
            pass

    shell.display_pub = Publisher(parent=shell)
    shell._showtraceback = lambda etype, value, lines: now[0].error(etype, value, lines)

    def say(**what):
        data = json.dumps(what).encode() + b"\n"
        while data:
            data = data[os.write(pipe, data) :]

    for cell in run["cells"]:
        if cell["number"] in skipped or (cell["kind"] == "other" and not run.get("with_others")):
            continue
        now[0] = Recorder()
        say(starts=cell["number"], kind=cell["kind"])
        result = shell.run_cell(cell["source"], store_history=False)
        if not result.success and not any(out["output_type"] == "error" for out in now[0].outputs):
            why = result.error_before_exec or result.error_in_exec
            now[0].error(type(why), why, [])
        line = failing_line(result.error_in_exec)
        say(ends=cell["number"], success=bool(result.success), line=line, outputs=now[0].outputs)
    say(done=True)


def failing_line(error):
    """The line of the cell at which it failed: that of the outermost frame which is the cell's own."""
    trace = getattr(error, "__traceback__", None)
    while trace:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith("<ipython-input"):
            return trace.tb_lineno
        trace = trace.tb_next
    return None


def watch(pid, pipe, plan):
    """What the child wrote, and how it ended: "done", "timeout" or "crashed"; and the cell that it was at."""
    data, deadline, own = b"", time.monotonic() + 2 * plan["seconds"] + 20, None
    cells, at, seen = {}, None, 0
    how = "crashed"
    while True:
        end = min(deadline, own or deadline)
        ready, _, _ = select.select([pipe], [], [], max(0, end - time.monotonic()))
        if not ready:
            how = "timeout"
            break
        block = os.read(pipe, 1 << 16)
        seen += len(block)
        if not block or seen > RESULT:
            break
        data += block
        *lines, data = data.split(b"\n")
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if "starts" in said:
                at, own = said, time.monotonic() + min(OWN, plan["seconds"]) if said["kind"] == "own" else None
            elif "ends" in said:
                cells[said["ends"]], at, own = {k: said[k] for k in ("success", "line", "outputs")}, None, None
            elif said.get("done"):
                how = "done"
        if how == "done":
            break
    ended = None
    if how != "timeout":  # it wrote its last word: let it go, if it goes
        for _ in range(40):
            ended = os.waitpid(pid, os.WNOHANG)
            if ended[0]:
                break
            time.sleep(0.05)
    if not ended or not ended[0]:
        os.killpg(pid, signal.SIGKILL)
        ended = os.waitpid(pid, 0)
        how = how if how == "done" else "timeout" if how == "timeout" else "crashed"
    if how == "crashed" and os.WIFSIGNALED(ended[1]) and os.WTERMSIG(ended[1]) in (signal.SIGXCPU,):
        how = "timeout"
    return {"how": how, "at": at, "cells": cells}


def one(shell, run, plan):
    """One exercise, in a process of its own."""
    skipped, first = set(plan.get("skip", ())), None
    for _ in range(4):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            try:
                child(shell, run, skipped, writing, plan)
            finally:
                os._exit(0)
        os.close(writing)
        found = watch(pid, reading, plan)
        os.close(reading)
        if found["how"] != "done" and found["at"] and found["at"]["kind"] == "own":
            skipped.add(found["at"]["starts"])  # the answer does not pay for an experiment beside it
            found["rough"] = True
            first = found
            continue
        if found["how"] == "done" and not run.get("with_others") and leans(found):
            run = {**run, "with_others": True}  # it uses a function of another answer: then that answer comes first
            first = found
            continue
        break
    if first and found["how"] != "done" and first["how"] == "done":
        found = first
    return {
        "item": run["item"],
        **found,
        "skip": sorted(skipped),
        "rough": bool(first and first.get("rough")) or found["how"] != "done",
    }


def leans(found):
    """Whether a name was missing that another answer may define."""
    return any(out.get("ename") == "NameError" for cell in found["cells"].values() for out in cell["outputs"])


def main():
    plan = json.load(sys.stdin)
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    leave_root()
    os.set_inheritable(results.fileno(), False)
    shell = prepare()
    print("ready", file=results, flush=True)
    for run in plan["runs"]:
        print(json.dumps({"begins": run["item"]}), file=results, flush=True)
        found = one(shell, run, plan)
        print(json.dumps(found), file=results, flush=True)
        if found["rough"]:
            break  # what it left running ends with this sandbox


if __name__ == "__main__":
    main()
