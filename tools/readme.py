"""What README.md promises, as a program: its commands, its example, its figure.

    python tools/readme.py figure             write the README's figure, tools/readme.svg
    python tools/readme.py commands plain     the commands of a way (make, plain) for this system
    python tools/readme.py try plain FOLDER   run them there as they are written, then use what they made;
                                              what follows are arguments of pytest, else tests/data

`try` puts this clone where the commands name the repository's address, and leaves out the line that
opens JupyterLab, which would wait for somebody to close it. Where there is no .venv yet, only the
standard library is needed.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
FIGURE = ROOT / "tools" / "readme.svg"
ADDRESS = "<address of this repository>"
FOLDER = "gaussian-mixtures"
# Does what they made work? The programs start, and a chapter's cells run.
SMOKE = [
    ["-c", "import sys, gmmlib, jupyterlab; print('Python', sys.version, 'gmmlib', gmmlib.__version__)"],
    ["-c", "from jupyter_book.cli.main import main; main(['--version'])"],
    ["-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", "chapters/01_one_gaussian.ipynb"],
]


# --- what the README says ------------------------------------------------------------------


def blocks(language):
    """The README's fenced blocks in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)


def commands(way, platform=sys.platform):
    """The lines of one way to start, "make" or "plain", on a platform as `sys.platform` names it."""
    if way == "make" and platform == "win32":
        raise ValueError("the README's way with make is for Linux and macOS")
    language, sign = ("powershell", "pip") if platform == "win32" else ("sh", "make book" if way == "make" else "pip")
    (block,) = [block for block in blocks(language) if sign in block]
    lines = (line.split("  #")[0].strip() for line in block.splitlines())
    return [line for line in lines if line]


def example():
    """The example's code, and what the README says it prints."""
    (code,), (printed,) = blocks("python"), blocks("text")
    return code, printed


# --- doing what it says --------------------------------------------------------------------


def try_way(way, folder, tests):
    """Run the commands in a new folder, stop at the first that fails, then see that the result works."""
    folder.mkdir(parents=True)
    lines = [line.replace(ADDRESS, f'"{ROOT}"') for line in commands(way) if not line.endswith(" lab")]
    if way == "make":  # the two commands stand in a clone
        lines = [f'git clone "{ROOT}" {FOLDER}', f"cd {FOLDER}", *lines]
    if sys.platform == "win32":
        script = "\n".join(f"{line}\nif (-not $?) {{ exit 1 }}" for line in lines)
        shell = ["pwsh", "-NoProfile", "-Command", script]
    else:
        shell = ["bash", "-exc", "\n".join(lines)]
    subprocess.run(shell, cwd=folder, check=True)
    clone = folder.resolve() / FOLDER
    python = clone / (".venv/Scripts/python.exe" if sys.platform == "win32" else ".venv/bin/python")
    for arguments in [*SMOKE, ["-m", "pytest", "-q", *tests]]:
        subprocess.run([python, *arguments], cwd=clone, check=True)


# --- the figure ----------------------------------------------------------------------------

# Middle tones: each is told from white and from GitHub's dark page alike.
INK, SHORT, LONG = "#6e7781", "#d9730d", "#2f81c7"
WIDTH, HEIGHT, PANEL, GAP, TOP, TALL = 900, 316, 246, 40, 40, 230
LOW, HIGH = (1.3, 38.0), (5.4, 101.0)  # what a panel shows: minutes of eruption, minutes of waiting
SWEEPS = [0, 3, 20]
STYLE = f"""\
.title{{font-size:16px;font-weight:600}} .axis{{stroke:{INK};fill:none}} .short{{stroke:{SHORT}}} .long{{stroke:{LONG}}}
.dot{{fill:none;stroke-width:4.6;stroke-opacity:.8}}
.short.dot{{stroke-linecap:round}} .long.dot{{stroke-linecap:square}}
.ring{{fill:none;stroke-width:2}}"""


def place(points):
    """Pixels within a panel."""
    return [(PANEL * (x - LOW[0]) / (HIGH[0] - LOW[0]), TALL * (HIGH[1] - y) / (HIGH[1] - LOW[1])) for x, y in points]


def text(x, y, words, more='text-anchor="middle"'):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{words}</text>'


def axes(left, title):
    """A panel's frame with its ticks, which are the same in all."""
    yield text(left + PANEL / 2, 24, title, 'text-anchor="middle" class="title"')
    yield f'<path class="axis" d="M{left} {TOP}v{TALL}h{PANEL}"/>'
    for minutes in (2, 3, 4, 5):
        ((x, _),) = place([(minutes, 0)])
        yield text(left + x, TOP + TALL + 16, minutes)
    for minutes in (40, 60, 80, 100):
        ((_, y),) = place([(0, minutes)])
        yield text(left - 5, TOP + y + 4, minutes, 'text-anchor="end"')
    yield text(left + PANEL / 2, HEIGHT - 10, "minutes an eruption lasts")


def figure():
    """Old Faithful, and EM finding its two habits: an SVG of some 20 kB."""
    import numpy as np

    import gmmlib

    X = gmmlib.datasets.load_old_faithful().X
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    # A poor start: neither Gaussian where a habit is.
    weights, means, covs = np.full(2, 0.5), np.array([[2.6, 76.0], [4.1, 62.0]]), np.array([np.diag([0.3, 50.0])] * 2)
    parts = []
    for sweep in range(SWEEPS[-1] + 1):
        resp = gmmlib.e_step(X, weights, means, covs).resp
        if sweep in SWEEPS:
            left = GAP + SWEEPS.index(sweep) * (PANEL + GAP)
            parts += axes(left, "the start" if sweep == 0 else f"after {sweep} sweeps of EM")
            parts.append(f'<svg x="{left}" y="{TOP}" width="{PANEL}" height="{TALL}">')
            for k, name in zip(np.argsort(means[:, 0]), ("short", "long"), strict=True):
                dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in place(X[resp.argmax(axis=1) == k]))
                parts.append(f'<path class="{name} dot" d="{dots}"/>')
                for deviations in (1, 2):
                    edge = place(means[k] + deviations * circle @ np.linalg.cholesky(covs[k]).T)
                    ring = "L".join(f"{x:.1f} {y:.1f}" for x, y in edge)
                    parts.append(f'<path class="{name} ring" d="M{ring}Z"/>')
            parts.append("</svg>")
        weights, means, covs = gmmlib.m_step(X, resp)
    middle = TOP + TALL / 2
    turned = f'text-anchor="middle" transform="rotate(-90 11 {middle})"'
    parts.append(text(11, middle, "minutes until the next", turned))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    head += f' font-family="sans-serif" font-size="12" fill="{INK}">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>", ""])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("figure")
    for name in ("commands", "try"):
        task = tasks.add_parser(name)
        task.add_argument("way", choices=["make", "plain"])
    task.add_argument("folder", type=Path)
    asked, tests = parser.parse_known_args(arguments)
    if tests and asked.task != "try":
        parser.error(f"{asked.task} takes no {tests[0]}")
    if asked.task == "figure":
        FIGURE.write_text(figure(), encoding="utf-8")
    elif asked.task == "commands":
        print("\n".join(commands(asked.way)))
    elif asked.folder.exists():
        parser.error(f"{asked.folder} exists; the commands are run in a new folder")
    else:
        try_way(asked.way, asked.folder, tests or ["tests/data"])


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(f"A command of README.md failed with exit code {failed.returncode}; see above.")
