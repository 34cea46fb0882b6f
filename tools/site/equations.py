"""The page of equations: each numbered result, the test that judges it, and the line of gmmlib that is it.

`{equations}` in a page becomes a table a chapter, read from the sources when the book is built,
so it cannot say what is no longer so. tests/equations/register.py finds labels, tests and citations.
"""

import ast
import re
import sys
from pathlib import Path

from made import Made, table

ROOT = Path(__file__).resolve().parents[2]
TITLE = re.compile(r'file: (\S+)\n\s+title: "?([^"\n]+)')
sys.path.insert(0, str(ROOT / "tests" / "equations"))

from register import CITATION, comments, equation_tests, first_lines, labels_in, prose, test_name  # noqa: E402


def cited_in_library(root):
    """label -> the places in gmmlib whose comments cite it, as "module.function"."""
    places = {}
    for path in sorted((root / "gmmlib").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        for number, line in enumerate(source.splitlines(), 1):
            for label in (found for comment in comments(line.strip()) for found in CITATION.findall(comment)):
                around = [f for f in functions if f.lineno <= number <= f.end_lineno]
                name = max(around, key=lambda f: f.lineno).name if around else ""
                place = f"{module}.{name}".rstrip(".")
                places.setdefault(label, [])
                if place not in places[label]:
                    places[label].append(place)
    return places


def tables(root):
    """The lines of the page, in MyST: a heading and a table for every chapter with a labelled equation."""
    tests, _ = equation_tests(root)
    said, used = first_lines(root), cited_in_library(root)
    found, titles = {}, dict(TITLE.findall((root / "_toc.yml").read_text(encoding="utf-8")))
    for where, text in prose(root):
        page = Path(where.partition(":")[0])
        found.setdefault(page, []).extend(labels_in(text))
    lines = []
    for page, labels in sorted(found.items()):
        if not labels:
            continue
        file = page.with_suffix("").as_posix()
        tested = tests[test_name(labels[0])].partition(":")[0]
        lines += [f"## {titles[file]}", "", f"Derived in {{doc}}`/{file}`, tested in `{tested}`.", ""]
        rows = []
        for label in labels:
            name = test_name(label)
            places = ", ".join(f"`{place}`" for place in used.get(label, ())) or "–"
            rows.append([f"{{eq}}`{label}`", f"{said[name]} `{name}`", places])
        lines += table(["no.", "judged by", "in gmmlib"], rows)
    return lines


class Equations(Made):
    """The tables, in the place of the directive."""

    sources = (*(ROOT / "tests/equations").glob("test_ch*.py"), *(ROOT / "gmmlib").rglob("*.py"))
    headings = True

    def lines(self):
        return tables(ROOT)


def setup(app):
    app.add_directive("equations", Equations)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
