"""Which Chromium the browser tests drive. As a script: print it, or say what is missing."""

import os
import shutil
import sys
from pathlib import Path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
MISSING = (
    "No Chromium was found: install one, or name one with CHROMIUM=/path/to/chromium, "
    "or leave the browser tests out with SKIP_BROWSER=1."
)


def find():
    """Path of $CHROMIUM, of one on the PATH, or of playwright's own; None without any."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    path = find()
    sys.exit(None if path and print(path) is None else MISSING)
