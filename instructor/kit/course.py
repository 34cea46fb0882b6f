"""Where things lie, and how they are written: whole or not at all."""

import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import ROOT

STATUSES = ("ok", "check by hand", "not attempted", "timeout", "crashed", "unreadable", "missing")


class KitError(Exception):
    """Something the instructor can mend; the message is one sentence that says how."""


class Course:
    """One folder a course: every chapter in it shares one gradebook."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()

    @property
    def gradebook(self):
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    def of(self, kind, stem, *rest):
        """A path below the folder: of("received", stem, "ada.ipynb")."""
        return self.folder.joinpath(kind, stem, *rest)


def exercises_page(asked):
    """The exercises page of a chapter, asked for as "9", "09" or "09_em_gaussian_mixtures"."""
    pages = sorted((ROOT / "chapters").glob("*_exercises.ipynb"))
    name = Path(str(asked).strip()).name.removesuffix(".ipynb").removesuffix("_exercises")
    name = name.zfill(2) if name.isdigit() else name
    for page in pages:
        stem = assignment(page)
        if name and name in (stem, stem.partition("_")[0]):
            return page
    known = ", ".join(page.stem.partition("_")[0] for page in pages)
    raise KitError(f"there is no chapter {asked!r} with exercises; there are: {known}")


def assignment(page):
    """What nbgrader calls the page: the chapter's own name."""
    return Path(page).stem.removesuffix("_exercises")


def safe_id(text):
    """Whether `text` can name a folder, on any system."""
    return bool(re.fullmatch(r"[\w@.+-]{1,80}", text)) and not text.startswith(".")


# --- writing ---------------------------------------------------------------------------------


@contextmanager
def new_folder(path):
    """A folder to fill; it takes the place of `path` when all went well, and is gone when not."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    work.chmod(0o755)
    old = work.with_name(work.name + ".old")
    try:
        yield work
        if path.exists():
            path.rename(old)
        try:
            work.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write(path, content):
    """Write bytes or text to `path`, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
