"""Each rule of the hygiene check is broken once, in an otherwise clean notebook."""

import base64
import copy

import nbformat
import pytest
from hygiene import violations
from notebook_form import METADATA, WIDGET_MIME, save

HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (1152).to_bytes(4, "big")  # all that the check reads of a picture
PNG = {"image/png": base64.b64encode(HEAD).decode() + "\n", "text/plain": "<Figure size 576x344 with 1 Axes>"}
SHARP = {"image/png": {"width": 576, "height": 344}, "smallest_text": 9.3}


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def shows(data, metadata=None):
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})


def figure(data=PNG, **metadata):
    """The picture and its caption, as plotting.show leaves them."""
    return [shows(data, SHARP | metadata), shows({"text/markdown": "It rises."})]


def code(source="x = 1", outputs=(), **metadata):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def prose(source="Some words.", **metadata):
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def stored(path, cells, number=True, **metadata):
    """The file of a notebook as the runner would leave it, but for what the test breaks."""
    cells, count = copy.deepcopy(cells), 0
    for i, cell in enumerate(cells):
        cell["id"] = f"cell-{i}"
        if cell.cell_type == "code" and number:
            count += 1
            cell.execution_count = count
    save(nbformat.v4.new_notebook(cells=cells, metadata={**METADATA, **metadata}), path)
    return path


def complaints(tmp_path, *cells, name="01_one.ipynb", **kwargs):
    path = stored(tmp_path / name, cells, **kwargs)
    return [line.removeprefix(f"{path}: ") for line in violations(path)]


def with_file(cell):
    cell["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo="}}
    return cell


ALT = {"image": {"alt": "A line that rises."}}
LOST = nbformat.v4.new_output("error", ename="OSError", evalue="no", traceback=["OSError: /home/ann/a.csv"])
RAISED = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])


def test_a_clean_notebook_has_no_complaint(tmp_path):
    cells = [
        prose(
            ":::{note}\nSee <https://example.org/home/a>, [notation](notation.md#x);\n"
            "$1/2$, a map $f:\\mathbb{R} \\to A$.\n:::"
        ),
        code("rng = np.random.default_rng(0)\nprint(f'{rng.normal():.3f}')", [stream("0.126\n")]),
        code("ax.plot([1, 2])\nplotting.show('It rises.')", figure(), mystnb=ALT),
        code("x = '" + "a" * 80 + "'", tags=["hide-input"]),
        code("raise ValueError('no')", [RAISED], tags=["raises-exception"]),
        code("explorers.gaussian()", [shows({"text/html": "<div>0.123456789</div>"})], tags=["nbval-ignore-output"]),
    ]
    assert complaints(tmp_path, *cells) == []


def test_an_unrun_notebook_is_one_clear_sentence(tmp_path):
    path = stored(tmp_path / "01_one.ipynb", [code(), code("np.random.rand()")], number=False)
    assert violations(path) == [f"{path} has not been run: make run CHAPTER=01_one"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (code(tags=["hidden"]), "the tag 'hidden' is not one of"),
        (code(outputs=[stream("careful\n", "stderr")]), "wrote to stderr"),
        (code(outputs=[stream("<f at 0x7f12ab>\n")]), "shows a memory address ('at 0x7f12ab')"),
        (
            code(outputs=[shows({WIDGET_MIME: {"model_id": "1"}})]),
            "stores a widget view",
        ),
        (code("open('/home/ann/data.csv')"), "names the absolute path '/home/ann'"),
        (code(outputs=[stream("C:\\Users\\ann\n")]), "names the absolute path 'C:\\\\Users'"),
        (prose("See /tmp/figure.png."), "names the absolute path '/tmp/figure.png'"),
        (code("from urllib.request import urlopen"), "imports urllib.request.urlopen, which downloads"),
        (code("import requests"), "imports requests, which downloads"),
        (code("pd.read_csv('https://example.org/a.csv')"), "downloads with pd.read_csv"),
        (code("X = fetch_openml('iris')"), "downloads with fetch_openml"),
        (code("x = np.random.normal(size=3)"), "uses np.random.normal, the global generator"),
        (code("np.random.seed(0)"), "uses np.random.seed, the global generator"),
        (code("rng = np.random.default_rng()"), "calls default_rng() without a seed"),
        (code("rng = np.random.default_rng(None)"), "calls default_rng() without a seed"),
        (code("rng = default_rng(seed=None)"), "calls default_rng() without a seed"),
        (code("import random"), "imports random, the global generator"),
        (code("from random import gauss"), "imports random, the global generator"),
        (code("show('')", figure()), "draws a figure without alt text"),
        (code("show('')", figure(), mystnb={"image": {"alt": " "}}), "draws a figure without alt text"),
        (code("show('')", [*figure(), *figure()], mystnb=ALT), "draws several figures"),
        (code("plt.show()", figure()[:1], mystnb=ALT), "draws a figure without a caption"),
        (code("show('')", figure(**{"image/png": {"width": 1152}}), mystnb=ALT), "is not sharp"),
        (code("show('')", figure(**{"image/png": {}}), mystnb=ALT), "is not sharp"),
        (code("show('')", figure(smallest_text=8.9), mystnb=ALT), "writes 8.9 px high on a phone"),
        (code("x = '" + "a" * 68 + "'"), "shows a line of 74 columns (x = 'aaa"),
        (code("plt.show();"), "ends a line with ';'"),
        (code("plt.show();  # quiet"), "ends a line with ';'"),
        (code(outputs=[RAISED]), "stores an error (ValueError)"),
        (code(tags=["raises-exception"]), "is tagged raises-exception but raises nothing"),
        (code("interact(f, x=3)"), "uses interact"),
        (code("from ipywidgets import interact"), "uses interact"),
        (code(outputs=[stream("short\n" + 78 * "w" + "\n")]), "prints a line of 78 columns (www"),
        (code(outputs=[stream("mean 0.12345678\n")]), "prints 0.12345678; round it"),
        (code(outputs=[shows({"text/plain": "array([1., 2.])"})]), "shows a bare array(...)"),
        (code(outputs=[shows({"text/plain": "np.float64(0.25)"})]), "shows a bare np.float64(...)"),
        (code("%timeit f()"), "is not plain Python"),
        (code("!ls"), "is not plain Python"),
        (code("x = 1\n# NBVAL_IGNORE_OUTPUT"), "switches nbval off in a comment"),
        (code("print(1)", tags=["nbval-ignore-output"]), "shows no explorer"),
        (
            code("explorers.gaussian()", [stream("1\n")], tags=["nbval-ignore-output"]),
            "prints under nbval-ignore",
        ),
        (prose("```{note}\nHello.\n```"), "opens {note} with backticks"),
        (prose("See {ref}`b`."), "has '{ref}`b`', which only the site understands"),
        (prose("(ch-one)=\n# One"), "has '(ch-one)=', which only the site understands"),
        (prose("See [chapter 6](06_gone.ipynb)."), "links to 06_gone.ipynb, which is not there"),
        (prose("See [chapter 5](06_responsibilities.ipynb)."), "calls 06_responsibilities.ipynb 'chapter 5'"),
        (prose("````{admonition} Mind\nHello.\n````"), "opens {admonition} with backticks"),
        (code(nbgrader={"grade": True}), "carries nbgrader metadata"),
        (nbformat.v4.new_raw_cell("raw"), "is a raw cell"),
        (code(outputs=[LOST], tags=["raises-exception"]), "names the absolute path '/home/ann'"),
        (with_file(prose("![a](attachment:a.png)")), "has an attached file"),
    ],
)
def test_a_broken_rule_is_named_with_its_cell(tmp_path, cell, expected):
    found = complaints(tmp_path, prose(), cell)
    assert [line for line in found if line.startswith("cell 2 (cell-1): ") and expected in line], found
    assert len(found) == 1, found


def test_faults_of_the_file_are_named(tmp_path):
    assert "carries widget state" in complaints(tmp_path, code(), widgets={"a": 1})[0]
    assert "other metadata" in complaints(tmp_path, code(), authors=["x"])[0]
    assert "does not survive the text view" in complaints(tmp_path, prose("one\n\n+++\n\ntwo"))[0]
    assert "does not survive the text view" in complaints(tmp_path, prose("```{code-cell}\nx\n```"))[0]
    assert "has no text view: cell 1 has unknown metadata ['scrolled']" in complaints(tmp_path, code(scrolled=True))[0]
    assert "is larger than" in complaints(tmp_path, prose("a" * 1_000_001))[0]
    heavy = PNG | {"image/png": base64.b64encode(HEAD + bytes(360_000)).decode()}
    twice = [code(f"show({i})", figure(heavy), mystnb=ALT) for i in range(2)]
    assert "its figures weigh 720,040 bytes" in complaints(tmp_path, *twice)[0]
    path = stored(tmp_path / "x.ipynb", [code("x = 1"), code("y = 1")])
    text = path.read_text()
    path.write_text(text.replace('"execution_count": 2', '"execution_count": 7'))
    assert "its execution counts are [1, 7], not 1 to 2" in violations(path)[0]
    path.write_text(text.replace("cell-1", "cell-0"))
    assert "the cell id cell-0 occurs 2 times" in violations(path)[0]
    path.write_text("{")
    assert "not a notebook" in violations(path)[0]


# --- exercises ----------------------------------------------------------------------------


def graded(grade, solution, locked, grade_id, task=False, **more):
    flags = {"grade": grade, "solution": solution, "locked": locked, "task": task}
    return {"schema_version": 3, "grade_id": grade_id, **flags, **more}


ANSWER = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
VISIBLE = "assert double(2) == 4, 'twice two is four'"
HIDDEN = "### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS"
TESTS = f"{VISIBLE}\n{HIDDEN}"


def exercises(tmp_path, answer=ANSWER, tests=TESTS, about_answer=None, about_tests=None):
    """Complaints about a page with one autograded exercise."""
    cells = [
        prose("Double it."),
        code(answer, nbgrader={**graded(False, True, False, "double"), **(about_answer or {})}),
        code(tests, nbgrader={**graded(True, False, True, "test_double", points=2), **(about_tests or {})}),
    ]
    return complaints(tmp_path, *cells, name="01_one_exercises.ipynb")


def test_a_sound_exercise_has_no_complaint(tmp_path):
    assert exercises(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"about_tests": {"grade_id": "double"}}, "cell 3 (cell-2): repeats the grade_id 'double'"),
        ({"about_tests": {"grade_id": "a b"}}, "cell 3 (cell-2): its nbgrader grade_id must be letters"),
        ({"about_tests": {"points": 0}}, "cell 3 (cell-2): is graded but has no positive nbgrader points"),
        ({"about_answer": {"points": 1}}, "cell 2 (cell-1): has nbgrader points but is not graded"),
        ({"about_tests": {"locked": False}}, "cell 3 (cell-2): its nbgrader flags"),
        ({"about_tests": {"grade": 1}}, "cell 3 (cell-2): its nbgrader flags"),
        ({"about_answer": {"schema_version": 2}}, "cell 2 (cell-1): its nbgrader metadata need schema_version: 3"),
        ({"about_tests": {"cell_type": "raw"}}, "cell 3 (cell-2): its nbgrader cell_type is neither"),
        ({"tests": f"if True:\n    pass\n  {VISIBLE}\n{HIDDEN}"}, "cell 3 (cell-2): is not plain Python"),
        ({"tests": "with a:\n" + HIDDEN.replace("assert", "    assert")}, "cell 3 (cell-2): its visible tests are not"),
        ({"about_answer": {"color": "red"}}, "cell 2 (cell-1): has unknown nbgrader metadata color"),
        ({"answer": "double = 1"}, "cell 2 (cell-1): is an autograded answer cell without ### BEGIN SOLUTION"),
        ({"answer": ANSWER.replace("    ### END SOLUTION", "")}, "cell 2 (cell-1): its ### BEGIN SOLUTION"),
        ({"answer": "### BEGIN SOLUTION\n# to do\n### END SOLUTION"}, "cell 2 (cell-1): has nothing between"),
        ({"answer": ANSWER + "\n" + TESTS}, "cell 2 (cell-1): has ### BEGIN HIDDEN TESTS but"),
        ({"tests": TESTS.replace("### END HIDDEN", "## END HIDDEN")}, "cell 3 (cell-2): its ### BEGIN HIDDEN TESTS"),
        ({"tests": VISIBLE}, "cell 3 (cell-2): is an autograder tests cell without ### BEGIN HIDDEN"),
        ({"tests": HIDDEN}, "cell 3 (cell-2): has no visible assert"),
        (
            {"tests": TESTS.replace(", 'twice two is four'", "")},
            "cell 3 (cell-2): has a visible assert without",
        ),
        (
            {"tests": TESTS.replace("assert double(3) == 6", "double(3)")},
            "cell 3 (cell-2): has no assert among",
        ),
    ],
)
def test_an_unsound_exercise_is_named_with_its_cell(tmp_path, change, expected):
    found = exercises(tmp_path, **change)
    assert any(line.startswith(expected) for line in found), found


def test_a_numpy_assertion_may_carry_the_message(tmp_path):
    visible = "np.testing.assert_allclose(double(2), 4, err_msg='twice two is four')"
    assert exercises(tmp_path, tests=f"{visible}\n{HIDDEN}") == []


def test_autograder_tests_are_code(tmp_path):
    tests = prose("Is it right?", nbgrader=graded(True, False, True, "test_double", points=1))
    found = complaints(tmp_path, tests, name="01_one_exercises.ipynb")
    assert "cell 1 (cell-0): is an autograder tests cell but not code" in found


def test_an_exercises_page_must_grade_something(tmp_path):
    assert complaints(tmp_path, code(), name="01_one_exercises.ipynb") == [
        "an exercises page without a graded cell; give one nbgrader metadata with grade: true"
    ]


def test_what_follows_the_checks_is_kept_from_students(tmp_path):
    cells = [
        code(ANSWER, nbgrader=graded(False, True, False, "double")),
        code(TESTS, nbgrader=graded(True, False, True, "test_double", points=2)),
    ]
    next_part = prose("**Then halve** (2 points). Write `half`.")
    for behind in (prose("It doubles.", tags=["solution"]), prose("## 2."), prose("**Back** to 1."), next_part):
        assert complaints(tmp_path, *cells, behind, name="01_one_exercises.ipynb") == []
    found = complaints(tmp_path, *cells, prose("It doubles."), name="01_one_exercises.ipynb")
    assert [line for line in found if line.startswith("cell 3 (cell-2): follows the checks")] == found != []
