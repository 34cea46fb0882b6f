"""The same exercises with other data: a seed makes other numbers in the text, other data, other checks.

`instructor/variants/NN_name.py` says what varies on a page: `vary(rng)` returns pairs (what stands there, what stands
there instead), exercise by exercise, and in the exercises of `MOVED` the checks draw their data from other seeds: those
whose checks hold for any draw, not the ones that compare with a simulation. Seed 0 is the page as it is published.
"""

import copy
import hashlib
import importlib.util
import re

from student import part

from .course import ROOT, KitError
from .page import load

FOLDER = ROOT / "instructor" / "variants"
GENERATOR = re.compile(r"(?<=default_rng\()(\d+)(?=\))")


def page(chapter, seed=0):
    """The exercises page of `chapter` with the data of `seed`."""
    made = load(chapter)
    return load(chapter, varied(made, seed)) if seed else made


def seed_of(seed, student):
    """A student's own seed: the same on any machine, in any year."""
    return 1 + int.from_bytes(hashlib.sha256(f"{seed}:{student}".encode()).digest()[:4], "big") % 999_999_999


def read_seed(text):
    if not re.fullmatch(r"\d{1,9}", str(text)):
        raise KitError(f"SEED is a whole number from 0 to 999999999, not {text!r}")
    return int(text)


def stated(page):
    """What varies on the page, or None."""
    path = FOLDER / f"{page.assignment}.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"variant_{page.assignment}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def moved(code, seed):
    """Checks with generators that start elsewhere."""
    return GENERATOR.sub(lambda found: str(int(found[1]) + 1000 * (1 + seed % 999)), code)


def changed(source, pairs):
    """`source` with every change made at once, so that none is changed again, and what was found in it."""
    instead = dict(pairs)
    longest = sorted(instead, key=len, reverse=True)
    found = set()

    def put(match):
        found.add(match[0])
        return instead[match[0]]

    return re.sub("|".join(map(re.escape, longest)), put, source), found


def varied(page, seed):
    import numpy as np

    nb = copy.deepcopy(page.nb)
    module = stated(page)
    if module is None:
        known = ", ".join(path.stem.partition("_")[0] for path in sorted(FOLDER.glob("*.py")))
        raise KitError(f"chapter {page.assignment} has no variants yet, only {known}: leave SEED and EACH out")
    exercise = ""
    changes = module.vary(np.random.default_rng(seed))
    left = {name: set(dict(pairs)) for name, pairs in changes.items()}
    for cell in nb.cells:
        heading = re.search(r"^## (\d+)\.", cell.source, re.M) if cell.cell_type == "markdown" else None
        exercise = f"ex{heading[1]}" if heading else exercise
        if exercise in changes:
            cell.source, found = changed(cell.source, changes[exercise])
            left[exercise] -= found
        if part(cell) == "explanation" and exercise in changes:
            cell.source = "The published explanation has other numbers; the answers are computed above."
        if part(cell) == "tests" and exercise in module.MOVED:
            cell.source = moved(cell.source, seed)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    gone = [old for olds in left.values() for old in olds]
    if gone:
        raise KitError(f"{page.stem} no longer says {gone[0]!r}; mend instructor/variants/{page.assignment}.py")
    return nb
