"""Run, check, view and write the chapters: the only writer of notebook outputs.

    python tools/chapters.py run [chapter ...]     execute top to bottom in a fresh kernel, store the outputs
    python tools/chapters.py check [chapter ...]   judge what is stored, without executing anything
    python tools/chapters.py view chapter          the notebook as MyST text, on stdout
    python tools/chapters.py write chapter         MyST text on stdin becomes the notebook

A chapter is a path, a file name or its beginning: `01` means 01_one_gaussian and its exercises.
`run` and `check` without a chapter take all of them. Exit code 0 is good, 1 a notebook at fault, 2 a wrong call.
"""

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path

from notebook_form import (
    ADDRESS,
    ROOT,
    ChapterError,
    UsageError,
    first_line,
    from_text,
    inherit,
    normalise_cells,
    normalise_outputs,
    read,
    save,
    shown,
    to_text,
)

CHAPTERS = ROOT / "chapters"
# What a kernel is started with: one BLAS thread, a fixed order of sets, figures into the notebook.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}


def find(names):
    """The notebooks meant by `names`: paths, file names, or what a file name begins with."""
    every = sorted(CHAPTERS.glob("*.ipynb"))
    if not names:
        return every
    found = []
    for name in names:
        path, stem = Path(name), Path(name).name.removesuffix(".ipynb")
        if path.is_dir():
            hits = sorted(path.glob("*.ipynb"))
        elif path.is_file():
            if path.suffix != ".ipynb":
                raise UsageError(f"{name} is not a notebook (.ipynb)")
            hits = [path]
        elif path.parent not in (Path("."), Path("chapters")):
            raise UsageError(f"{name} does not exist")
        else:
            hits = [p for p in every if p.stem == stem]
            hits = hits or [p for p in every if p.stem.startswith(f"{stem}_")]
        if not hits:
            known = ", ".join(p.stem for p in every) or "none yet"
            raise UsageError(f"no chapter is called {name!r} (chapters: {known})")
        found += [hit for hit in hits if hit not in found]
    return found


# --- run ----------------------------------------------------------------------------------


def run(path, timeout=600, traceback=False):
    """Execute `path` in a fresh kernel in its own directory and store the outputs."""
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    nb, before = read(path), Path(path).read_bytes()
    normalise_cells(nb)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        nb,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(Path(path).resolve().parent)}},
    )
    try:
        client.execute(env={**os.environ, **ENVIRONMENT})
    except CellExecutionError as err:
        raise ChapterError(failure(path, nb, err, traceback)) from err
    except CellTimeoutError as err:
        raise ChapterError(f"{shown(path)}: a cell ran for more than {timeout} s; nothing was written") from err
    except (DeadKernelError, NoSuchKernel) as err:
        raise ChapterError(f"{shown(path)}: no kernel: {first_line(err)}; nothing was written") from err
    normalise_cells(nb)
    normalise_outputs(nb)
    for number, cell in enumerate(nb.cells, 1):
        complaint = unfit(cell)
        if complaint:
            raise ChapterError(f"{shown(path)}: cell {number} ({cell.id}): {complaint}; nothing was written")
    if not Path(path).is_file() or Path(path).read_bytes() != before:
        raise ChapterError(f"{shown(path)} was changed while it ran; nothing was written, run it again")
    save(nb, path)
    if Path(path).resolve().parent == CHAPTERS:
        import student

        student.make([Path(path)])


def failure(path, nb, err, traceback):
    """One sentence naming the notebook, the cell and the error."""
    reached = [number for number, cell in enumerate(nb.cells, 1) if cell.get("outputs") or cell.get("execution_count")]
    where = f"cell {reached[-1]} ({nb.cells[reached[-1] - 1].id})"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", err.traceback)
    arrow = re.search(r"^Cell In\[\d+\].*?^-+>\s*(\d+) ?(.*?)$", plain, re.M | re.S)
    line = f" at line {arrow[1]}, `{arrow[2].strip()}`" if arrow else ""
    message = f"{shown(path)}: {where} failed{line}: {err.ename}: {first_line(err.evalue)}; nothing was written"
    return f"{message}\n{plain}" if traceback else message


def unfit(cell):
    """Why the outputs of `cell` may not be stored, or None."""
    for output in cell.get("outputs", []):
        if output.get("name") == "stderr" and "raises-exception" not in cell.metadata.get("tags", []):
            return f"it wrote to stderr ({output.text.strip().splitlines()[0]!r})"
        for text in (output.get("text", ""), *map(str, output.get("data", {}).values())):
            address = ADDRESS.search(text)
            if address:
                return f"its output shows a memory address ({address[0]!r}), which changes at each run"
    return None


# --- view and write ---------------------------------------------------------------------


def view(path):
    """Print the text view of any notebook file, such as the copy that git diff hands over; no slow import."""
    try:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        text = to_text(cells)
    except OSError as err:
        raise UsageError(f"{path} cannot be read: {err.strerror}") from err
    except (ValueError, TypeError, KeyError) as err:
        raise ChapterError(f"{shown(path)}: not a notebook (nbformat 4)") from err
    sys.stdout.write(text)


def write(path, text):
    """Make `text` the notebook at `path`; unchanged cells keep id and outputs, changed ones their id."""
    path = Path(path)
    if path.suffix != ".ipynb":
        raise UsageError(f"{path} is not a notebook (.ipynb)")
    if not path.parent.is_dir():
        raise UsageError(f"the directory {path.parent} does not exist")
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as err:
        raise UsageError(f"the text on stdin is not UTF-8 ({err}); nothing was written") from err
    if not text.strip():
        raise UsageError("the text on stdin is empty; nothing was written")
    try:
        nb = from_text(text)
    except ChapterError as err:
        raise ChapterError(f"{shown(path)}: {err}; nothing was written") from err
    if path.exists():
        inherit(nb.cells, read(path).cells)
    normalise_cells(nb)
    save(nb, path)


# --- command line -------------------------------------------------------------------------


def each(paths, action, done):
    """Apply `action` to every notebook, one line each on stderr; 1 when any is at fault."""
    faults = 0
    for path in paths:
        start = time.perf_counter()
        try:
            action(path)
        except ChapterError as err:
            print(err, file=sys.stderr)
            faults += 1
        else:
            print(f"{shown(path)}: {done} in {time.perf_counter() - start:.1f} s", file=sys.stderr)
    return 1 if faults else 0


def check(path):
    from hygiene import violations

    complaints = violations(path)
    if complaints:
        raise ChapterError("\n".join(complaints))


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"tools/chapters.py: {message} (see --help)\n")


def main(arguments=None):
    parser = Parser(prog="tools/chapters.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="{run,check,view,write}")
    for name, many in [("run", True), ("check", True), ("view", False), ("write", False)]:
        command = commands.add_parser(name)
        command.add_argument("chapter", nargs="*" if many else None)
        if name == "run":
            command.add_argument("--timeout", type=int, default=600, help="seconds a cell may take")
            command.add_argument("--traceback", action="store_true", help="show the whole traceback of a failing cell")
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "run":
            return each(find(asked.chapter), lambda path: run(path, asked.timeout, asked.traceback), "run")
        if asked.command == "check":
            return each(find(asked.chapter), check, "clean")
        if asked.command == "view":
            view(asked.chapter if Path(asked.chapter).is_file() else find([asked.chapter])[0])
        else:
            write(asked.chapter, sys.stdin.buffer.read())
    except (UsageError, ChapterError) as err:
        print(f"tools/chapters.py: {err}", file=sys.stderr)
        return 2 if isinstance(err, UsageError) else 1
    except KeyboardInterrupt:
        print("tools/chapters.py: interrupted; the notebook at hand was not written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
