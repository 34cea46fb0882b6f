"""The same exercises with other data: a seed makes other numbers in the text, other data, other hidden tests.

`instructor/variants/NN_name.py` says what may vary on a page: `vary(rng)` returns pairs (what stands there, what stands
there instead), exercise by exercise. Every seed of a random generator in a check moves as well, on any page.
Seed 0 is the page as it is published. `tests/instructor` solves several seeds of every page.
"""

import copy
import hashlib
import importlib.util
import re

from student import part

from .course import ROOT, KitError
from .page import grade_id, load

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
    """What the page lets vary in its text, or None: then only its checks move."""
    path = FOLDER / f"{page.assignment}.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"variant_{page.assignment}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def varied(page, seed):
    import numpy as np

    nb = copy.deepcopy(page.nb)
    module = stated(page)
    exercise = ""
    changes = module.vary(np.random.default_rng(seed)) if module else {}
    left = {name: {old for old, _ in pairs} for name, pairs in changes.items()}
    for cell in nb.cells:
        heading = re.search(r"^## (\d+)\.", cell.source, re.M) if cell.cell_type == "markdown" else None
        exercise = f"ex{heading[1]}" if heading else exercise
        for old, new in changes.get(exercise, []):
            if old in cell.source:
                cell.source = cell.source.replace(old, new)
                left[exercise].discard(old)
        if part(cell) == "tests" and grade_id(cell).removesuffix("-tests") not in getattr(module, "FIXED", ()):
            hidden = re.search(r"^### BEGIN HIDDEN", cell.source, re.M)
            at = hidden.start() if hidden else len(cell.source)
            head, tail = cell.source[:at], cell.source[at:]
            cell.source = head + GENERATOR.sub(lambda found: str(int(found[1]) + 1000 * (seed % 1000)), tail)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    gone = [old for olds in left.values() for old in olds]
    if gone:
        raise KitError(f"{page.stem} no longer says {gone[0]!r}; mend instructor/variants/{page.assignment}.py")
    return nb
