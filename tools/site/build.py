"""Build the book into _build/html, or leave nothing there.

Sphinx reports a warning when it reads a page, and a page it has read is not read
again. A build that failed, or was interrupted, would therefore pass in silence the
second time. So its cache is kept only after success, and only while the tools that
made it are the same; the site is moved into place only when it is whole.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import npm
from card import draw
from lighten import lighten
from slides import PlanError, make_decks

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "_build"
SITE = OUT / "html"
WORK = OUT / "work"  # Jupyter Book adds its own "_build" below
DONE = WORK / "built-with"
VENDOR = OUT / "vendor"


def vendor():
    """Collect what pages load beside the theme's own files: the explorers, and the card of the site."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    (VENDOR / "explorers").mkdir(parents=True)
    for source in sorted((ROOT / "gmmlib" / "explorers").glob("*.js")):
        shutil.copy2(source, VENDOR / "explorers")
    draw(VENDOR / "card.png")


def fingerprint():
    """Of all that shapes every page: tools, configuration, pinned packages."""
    digest = hashlib.sha256()
    names = ["_config.yml", "_toc.yml", "requirements.txt", "package-lock.json"]
    paths = [ROOT / name for name in names] + sorted((ROOT / "tools").glob("*.py"))
    paths += sorted((ROOT / "tools" / "site").rglob("*"))
    for path in paths:
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def build():
    """Run Jupyter Book with every warning an error; return its exit code."""
    tools = fingerprint()
    if not DONE.exists() or DONE.read_text() != tools:
        shutil.rmtree(WORK, ignore_errors=True)
    DONE.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(ROOT)]
    command += ["--path-output", str(WORK), "-q", "-W", "-n", "--keep-going"]
    first = "" if DONE.parent.exists() else ": every page, about a minute"
    print(f"Building the book{first}", flush=True)
    code = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode
    if code == 0:
        DONE.write_text(tools)
    return code


def main():
    npm.install()
    vendor()
    if build() != 0:
        shutil.rmtree(WORK, ignore_errors=True)
        shutil.rmtree(SITE, ignore_errors=True)
        sys.exit("The book was not built: every warning above must go first.")
    fresh = OUT / "html.new"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(WORK / "_build" / "html", fresh)
    lighten(fresh)
    try:
        make_decks(fresh)
    except PlanError as err:
        shutil.rmtree(SITE, ignore_errors=True)
        sys.exit("\n".join([*err.args, "The book was not built: its slides must be mended first."]))
    shutil.rmtree(SITE, ignore_errors=True)
    fresh.rename(SITE)
    page = SITE.relative_to(ROOT) / "index.html"
    print(f"The book is built: open {page} in a browser, or: make serve")


if __name__ == "__main__":
    main()
