"""From a chapter's exercises page to grades: nbgrader, with a sandbox around it and names for technical failures.

Read in this order:

    page       what an exercises page is made of; the one source of text, starters, checks, points, solutions
    variants   the same page with other data: SEED=7, or a seed for each student
    release    `make assign`: the student's zip, the answer key, the rubric
    collect    `make collect`: an LMS's zip and a roster, sorted into one submission a student
    rebuild    a submission put back into the page: the student's answers, the page's checks
    runner     runs inside the sandbox: one process an exercise
    sandbox    starts `runner` with no network, no files of ours, little memory, little time
    grade      `make grade`: all of it, then nbgrader's autograder, gradebook and feedback
    report     grades.csv, by_hand.csv for what a person decides, and what stands above the feedback
    formulas   TeX of the page drawn in the feedback; `templates` is what that page looks like
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))  # what makes the student's notebooks
