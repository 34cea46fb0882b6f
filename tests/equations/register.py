"""The equation register: every displayed result is a tested statement.

A label `(eq-name)` behind a display equation obliges the book to three things: the label is unique, a comment
`# eq-name` marks the line of code that uses it, and `test_eq_name` in tests/equations/test_ch*.py judges it.
Equations without a label are steps on the way and owe nothing.
"""

import ast
import io
import json
import re
import tokenize
from collections import defaultdict
from pathlib import Path

NAME = r"eq-[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
DOLLARS = re.compile(r"\$\$.+?\$\$(?:[ \t]*\(([^()\n]*)\))?", re.S)
DIRECTIVE = re.compile(r"^[ \t]*(`{3,}|:{3,})\{math\}(.*?)^[ \t]*\1[ \t]*$", re.S | re.M)
FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})(?!\{math\}).*?^[ \t]*\1[ \t]*$", re.S | re.M)
INLINE_CODE = re.compile(r"(\{[\w:+-]+\})?(`+)[^`\n]+\2(?!`)")
REFERENCE = re.compile(r"\{eq\}`(?:[^`<]*<)?([^`<>]+)>?`|\]\(#?(eq-[^)\s]+)\)")
CITATION = re.compile(rf"(?<![\w-]){NAME}(?![\w-])")


def complaints(root):
    """One line for every obligation that the tree below `root` leaves open."""
    root = Path(root)
    labels, references, wrong = defaultdict(list), defaultdict(list), []
    for where, text in prose(root):
        for label in labels_in(text):
            if re.fullmatch(NAME, label):
                labels[label].append(where)
            else:
                wrong.append(f"{where}: the equation label {label!r} should look like eq-name")
        for found in REFERENCE.finditer(text):
            references[found[1] or found[2]].append(where)
    cited = citations(root)
    tests, wrong_tests = equation_tests(root)
    wrong += wrong_tests
    for label, places in sorted(labels.items()):
        if len(places) > 1:
            wrong.append(f"{places[1]}: the equation label {label} is already used in {places[0]}")
        if test_name(label) not in tests:
            wrong.append(f"{places[0]}: {label} has no test; write {test_name(label)} in tests/equations/test_ch*.py")
        if label not in cited:
            wrong.append(f"{places[0]}: {label} is used by no line of code; cite it as a comment '# {label}'")
    for name, where in sorted(tests.items()):
        if name not in map(test_name, labels):
            wrong.append(f"{where}: {name} judges no equation; there is no label {name[5:].replace('_', '-')}")
    for kind, used in (("the text refers to", references), ("a comment cites", cited)):
        for label in sorted(set(used) - set(labels)):
            wrong.append(f"{used[label][0]}: {kind} {label}, which labels no equation")
    return wrong


def test_name(label):
    return "test_" + label.replace("-", "_")


test_name.__test__ = False  # a helper, not a test


# --- what the pages say -------------------------------------------------------------------


def pages(root):
    folder = root / "chapters"
    return [*sorted(folder.glob("*.ipynb")), *sorted(folder.glob("*.md")), *root.glob("intro.md")]


def cells(path, kind):
    """Pairs (number, source) of the cells of one kind in a notebook."""
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(i, "".join(cell["source"])) for i, cell in enumerate(stored, 1) if cell["cell_type"] == kind]


def prose(root):
    """Pairs (where, Markdown) of the book: one for each cell, one for each page of text."""
    for path in pages(root):
        name = str(path.relative_to(root))
        if path.suffix == ".md":
            yield name, without_code(path.read_text(encoding="utf-8"))
        else:
            yield from ((f"{name}: cell {i}", without_code(source)) for i, source in cells(path, "markdown"))


def without_code(text):
    """`text` without code blocks and inline code, whose dollars mean nothing; roles such as {eq}`...` stay."""
    return INLINE_CODE.sub(lambda found: found[0] if found[1] else "", FENCE.sub("", text))


def labels_in(text):
    """The labels of display equations in `text`: `$$ ... $$ (label)` and the math directive's :label:."""
    found = []
    for block in DIRECTIVE.finditer(text):
        found += re.findall(r"^[ \t]*:?label:[ \t]*(\S+)", block[2], re.M)
    return found + [block[1].strip() for block in DOLLARS.finditer(DIRECTIVE.sub("", text)) if block[1] is not None]


# --- what the code says -------------------------------------------------------------------


def citations(root):
    """label -> places whose comments name it, in code cells and in gmmlib."""
    places = defaultdict(list)
    sources = [
        (path.relative_to(root), path.read_text(encoding="utf-8")) for path in sorted(root.glob("gmmlib/**/*.py"))
    ]
    for path in sorted(root.glob("chapters/*.ipynb")):
        sources += [(f"{path.relative_to(root)}: cell {i}", source) for i, source in cells(path, "code")]
    for where, source in sources:
        for comment in comments(source):
            for label in CITATION.findall(comment):
                places[label].append(str(where))
    return places


def comments(source):
    """The comments of Python code, up to where it stops being Python."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.string
    except (tokenize.TokenError, SyntaxError):
        return


def equation_tests(root):
    """name -> place of every test_eq_* that pytest collects and that can fail; and complaints about the others."""
    tests, wrong = {}, []
    for path in sorted((root / "tests" / "equations").glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or not node.name.startswith("test_eq_"):
                continue
            where = f"{path.relative_to(root)}:{node.lineno}"
            if not path.name.startswith("test_ch"):
                wrong.append(f"{where}: {node.name} belongs in a file test_ch*.py")
            if node not in tree.body or isinstance(node, ast.AsyncFunctionDef):
                wrong.append(f"{where}: {node.name} is never run; make it a plain function of the module")
            if node.name in tests:
                wrong.append(f"{where}: {node.name} is already defined at {tests[node.name]}")
            if not judges(node):
                wrong.append(f"{where}: {node.name} asserts nothing, so it cannot fail")
            if switched_off(node):
                wrong.append(f"{where}: {node.name} may be skipped or expected to fail; it must count")
            tests[node.name] = where
    return tests, wrong


def first_lines(root):
    """name -> what the first line of a test's docstring says, for every equation test."""
    said = {}
    for path in sorted((root / "tests" / "equations").glob("test_ch*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_eq_"):
                said[node.name] = (ast.get_docstring(node) or "").partition("\n")[0]
    return said


def called(node):
    """The last name of what a call calls: `assert_allclose` for np.testing.assert_allclose(...)."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def judges(function):
    """Does the body hold an assertion that could be false?"""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call) and (called(node).startswith("assert_") or called(node) == "raises"):
            return True
    return False


def switched_off(function):
    marks = {getattr(node, "attr", None) for decorator in function.decorator_list for node in ast.walk(decorator)}
    calls = {called(node) for statement in function.body for node in ast.walk(statement) if isinstance(node, ast.Call)}
    return bool((marks | calls) & {"skip", "skipif", "xfail", "importorskip"})
