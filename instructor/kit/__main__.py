"""make assign, collect, grade: see instructor/GRADING.md."""

import argparse
import errno
import os
import re
import sys
import warnings

from .course import ROOT, Course, KitError

warnings.filterwarnings("ignore", module="(nbgrader|nbconvert|nbformat|traitlets|jupyter_).*")

FULL = "No space left on device|database or disk is full"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="instructor.kit", description=__doc__)
    parser.add_argument("--course", default=ROOT / "grading", help="the folder of the course, one gradebook")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("assign", "collect", "grade"):
        command = commands.add_parser(name)
        command.add_argument("chapter")
        if name == "assign":
            command.add_argument("--seed", default="0")
            command.add_argument("--students", help="a roster: one zip for each, with data of its own")
        elif name == "collect":
            command.add_argument("--zip", nargs="+", required=True)
            command.add_argument("--roster", required=True)
        else:
            command.add_argument("--seconds", type=int, default=60)
            command.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args(arguments)
    # nbgrader looks for `alembic` on the PATH.
    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")
    os.environ["JUPYTER_PATH"] = str(ROOT / ".venv" / "share" / "jupyter")  # nbconvert's templates
    course = Course(asked.course)
    try:
        {"assign": assign, "collect": collect, "grade": grade}[asked.command](course, asked)
    except KitError as err:
        print(f"{asked.command}: {err}", file=sys.stderr)
        return 1
    except Exception as err:  # sqlite, and nbgrader, which tells what happened only in words
        if getattr(err, "errno", None) != errno.ENOSPC and not re.search(FULL, str(err)):
            raise
        print(f"{asked.command}: the disk is full; make room and run it again, nothing is lost", file=sys.stderr)
        return 1
    return 0


def assign(course, asked):
    from . import collect, release, variants

    students = list(collect.roster(asked.students)) if asked.students else None
    made = release.assign(course, asked.chapter, variants.read_seed(asked.seed), students)
    for path in sorted(made.glob("*.*")):
        print(path)


def collect(course, asked):
    from .collect import collect

    print("\n".join(collect(course, asked.chapter, asked.zip, asked.roster)))


def grade(course, asked):
    from .grade import grade

    made = grade(course, asked.chapter, asked.seconds, asked.workers)
    print(made)
    print(made.with_name("by_hand.csv"))
    print(course.folder / "feedback")


if __name__ == "__main__":
    sys.exit(main())
