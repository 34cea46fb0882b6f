"""What a student gets: everything but the answers, in Markdown that any program shows."""

import copy

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from notebook_form import ChapterError, merged, normal_output
from plain import citation, leftovers, numbers, plain

from student import SETUP, SOLUTION, STUDENT, checks, faults, part, setup_cell, site, solved, sources, starter, student

EXERCISES = [path for path in sources() if path.stem.endswith("_exercises")]
each_page = pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
each_notebook = pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)

ANSWER = '''\
guess = None  # a number


def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


def half(x):
    ### BEGIN SOLUTION
    def inner(y):
        return y / 2

    return inner(x)


guess = 4
### END SOLUTION
'''


def read(path):
    return nbformat.read(path, as_version=4)


def code(source, tags=(), **about):
    metadata = {"nbgrader": {"schema_version": 3, "grade_id": "a", **about}} if about else {}
    return nbformat.v4.new_code_cell(source, metadata={**metadata, **({"tags": list(tags)} if tags else {})})


def text(source, *tags):
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": list(tags)} if tags else {})


# --- the parts of an exercise -----------------------------------------------------------


def test_a_starter_keeps_signature_and_docstring_and_names_what_is_to_do():
    space = {}
    exec(starter(ANSWER), space)
    assert space["guess"] is None
    assert space["double"].__doc__ == "Twice x."
    for name in ("double", "half"):
        with pytest.raises(NotImplementedError, match=f"^write {name}$"):
            space[name](1)
    assert "return" not in starter(ANSWER)


def test_a_solution_beside_the_functions_leaves_no_stub():
    assert starter("verdict = None\n### BEGIN SOLUTION\nverdict = 3\n### END SOLUTION") == "verdict = None"


def test_a_solved_cell_has_no_markers_and_every_line_of_the_solution():
    space = {}
    exec(solved(ANSWER), space)
    assert (space["double"](3), space["half"](3), space["guess"]) == (6, 1.5, 4)
    assert "###" not in solved(ANSWER)


def test_checks_lose_their_hidden_tests_and_nothing_else():
    source = "assert a\n### BEGIN HIDDEN TESTS\nassert b\n### END HIDDEN TESTS\nassert c"
    assert checks(source) == "assert a\nassert c"


# --- the pages of the course ------------------------------------------------------------


def test_the_course_has_exercises():
    assert EXERCISES, "no exercises page: the tests below would pass by judging nothing"


def secrets(nb):
    """The lines of `nb` that only a teacher may see: solutions, hidden tests, explanations."""
    lines = []
    for cell in nb.cells:
        match part(cell):
            case "answer":
                shown = starter(cell.source).splitlines()
                solution = "\n".join(found[2] for found in SOLUTION.finditer(cell.source))
                lines += [line for line in solution.splitlines() if line not in shown]
            case "tests":
                shown = checks(cell.source).splitlines()
                lines += [line for line in cell.source.splitlines() if line not in shown]
            case "explanation" | "essay":
                lines += cell.source.splitlines()
    told = [checks(cell.source) for cell in nb.cells if part(cell) in (None, "tests")]
    told = {line.strip() for source in told for line in source.splitlines()}  # a bug hunt shows right code, too
    return {line.strip() for line in lines if len(line.strip()) > 3} - told


@each_page
def test_a_students_page_contains_no_answer(path):
    nb = read(path)
    kept = {line.strip() for cell in read(STUDENT / path.name).cells for line in cell.source.splitlines()}
    assert len(secrets(nb)) > 20
    assert secrets(nb) & kept == set()


@each_page
def test_a_students_page_keeps_every_exercise_and_its_points(path):
    source, copied = ([cell.metadata.get("nbgrader") for cell in read(p).cells] for p in (path, STUDENT / path.name))
    assert [about for about in copied if about] == [about for about in source if about] != []


@each_notebook
def test_a_students_notebook_is_plain_unrun_and_begins_with_the_setup(path):
    nb = read(STUDENT / path.name)
    assert nb.cells[0].source.startswith("# ")
    assert nb.cells[1].source == setup_cell(nb_without_setup(nb)).source
    for cell in nb.cells:
        assert cell.get("outputs", []) == []
        if cell.cell_type == "markdown":
            assert leftovers(cell.source) == []


def nb_without_setup(nb):
    return nbformat.v4.new_notebook(cells=[cell for cell in nb.cells if cell.id != "course-setup"])


@each_page
def test_the_sites_page_folds_what_answers_and_hides_what_is_hidden(path):
    nb = read(path)
    page = site(nb)
    hidden = {line.strip() for cell in nb.cells if part(cell) == "tests" for line in cell.source.splitlines()}
    hidden -= {line.strip() for cell in nb.cells for line in checks(cell.source).splitlines()}
    shown = {line.strip() for cell in page.cells for line in cell.source.splitlines()}
    assert len(hidden) > 10
    assert hidden & shown == set()
    assert "###" not in "".join(cell.source for cell in page.cells if cell.cell_type == "code")
    unfolded = [cell for cell in page.cells if "hide-cell" not in cell.metadata.get("tags", [])]
    open_cells = [cell for cell in unfolded if ":class: dropdown" not in cell.source]
    assert secrets(nb) & {line.strip() for cell in open_cells for line in cell.source.splitlines()} == set()
    # What the checks print may say which prediction was right.
    for cell in open_cells:
        assert cell.get("outputs", []) == [] or part(cell) is None
    printed = [output for cell in nb.cells if part(cell) == "tests" for output in cell.outputs]
    folded = [output for cell in page.cells if cell.id.endswith("-solution") for output in cell.outputs]
    assert printed == folded


def with_guards(nb, source):
    """The copy `nb` with the guards of `source`, each in a scope of its own: no later cell sees what it defines."""
    copied, cells = {cell.id: cell for cell in nb.cells}, []
    for cell in source.cells:
        if cell.id in copied:
            cells.append(copied[cell.id])
        elif "remove-cell" in cell.metadata.get("tags", []):
            scope = "_guarded = {**globals().get('_guarded', {}), **globals()}"
            cells.append(nbformat.v4.new_code_cell(f"{scope}\nexec({cell.source!r}, _guarded)"))
    cells.insert(1, copied["course-setup"])
    return nbformat.v4.new_notebook(cells=cells, metadata=nb.metadata)


def printed(cell):
    """What nbval compares of a cell: text of every kind, and no picture."""
    outputs = copy.deepcopy(cell.outputs)
    for output in outputs:
        output.get("data", {}).pop("image/png", None)
    shown = merged(normal_output(output, 0) for output in outputs)
    return [output.get("data") or output.get("text") or output.get("traceback") for output in shown]


def differing(nb, source):
    """The cells of the executed copy `nb` that print something else than is stored: (id, stored, printed)."""
    stored = {cell.id: cell for cell in source.cells}
    for cell in nb.cells:
        origin = stored.get(cell.id)
        if cell.cell_type == "code" and origin and "nbval-ignore-output" not in origin.metadata.get("tags", []):
            if printed(cell) != printed(origin):
                yield cell.id, printed(origin), printed(cell)


def execute(nb):
    NotebookClient(nb, timeout=120, kernel_name="python3", resources={"metadata": {"path": STUDENT}}).execute()


@each_notebook
def test_a_students_notebook_runs_when_it_is_solved_and_prints_what_is_stored(path):
    """As a student would: each answer written into its cell, nothing else touched, run from top to bottom.

    This is also how this processor computes the page: its outputs are those of the page, and its guards hold.
    """
    nb, source, solutions = read(STUDENT / path.name), read(path), {}
    for cell in source.cells:
        if part(cell) == "answer":
            solutions[cell.metadata.nbgrader.grade_id] = solved(cell.source)
    for cell in nb.cells:
        if part(cell) == "answer":
            cell.source = solutions.pop(cell.metadata.nbgrader.grade_id)
    assert not solutions
    guarded = with_guards(nb, source)
    assert [cell.id for cell in guarded.cells if cell in nb.cells] == [cell.id for cell in nb.cells]
    execute(guarded)
    assert list(differing(guarded, source)) == []


def test_a_guard_that_fails_and_an_output_that_differs_are_seen():
    cells = [text("# T"), code("print(1 / 3)"), code("secret = 3\nassert secret == 3", ["remove-cell"])]
    cells += [code("print(2)\n'shown'"), code("assert secret == 3", ["remove-cell"])]
    source = nbformat.v4.new_notebook(cells=cells)
    made = with_guards(student(source, "01_x"), source)
    execute(made)
    by_id = {cell.id: cell for cell in made.cells}
    assert len(list(differing(made, source))) == 2  # nothing is stored
    for cell in (cells[1], cells[3]):
        cell.outputs = copy.deepcopy(by_id[cell.id].outputs)
    assert list(differing(made, source)) == []
    cells[3].outputs[1].data["text/plain"] = "'other'"
    assert [which for which, _, _ in differing(made, source)] == [cells[3].id]
    cells[4].source = "assert secret == 4"
    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(with_guards(student(source, "01_x"), source))
    cells[3].source = "print(secret)"
    with pytest.raises(CellExecutionError, match="name 'secret' is not defined"):
        execute(with_guards(student(source, "01_x"), source))


@each_page
def test_an_unsolved_page_stops_at_its_first_check_and_says_what_to_write(path):
    nb = read(STUDENT / path.name)
    with pytest.raises(CellExecutionError, match=r"NotImplementedError.*write \w+|AssertionError"):
        execute(nb)


def test_student_folder_is_what_the_chapters_make():
    assert faults() == []


# --- plain Markdown --------------------------------------------------------------------------


def test_equations_carry_the_number_of_chapter_and_place():
    label, (page, value) = next((label, where) for label, where in numbers().items() if where[1] == "6.2")
    assert page == "06_responsibilities"
    assert plain(f"$$\na = b\n$$ ({label})", page) == "$$\na = b \\tag{6.2}\n$$"
    assert plain(f"by {{eq}}`{label}`", page) == f"by ({value})"
    assert plain(f"by {{eq}}`{label}`", "13_kmeans") == f"by [({value})]({page}.ipynb)"


def test_a_folded_admonition_becomes_details_and_an_open_one_a_quotation():
    made = plain(":::{admonition} Is `x` *so*, $a<b$?\n:class: dropdown\nYes,\n$$\na\n$$\n:::\nend", "x")
    head = "<details>\n<summary>Is <code>x</code> <em>so</em>, $a&lt;b$?</summary>\n\n"
    assert made == f"{head}Yes,\n$$\na\n$$\n\n</details>\nend"
    made = plain("::::{admonition} Mind\n:class: tip\nOne.\n\n:::{admonition} In\nTwo\n$$\na\n$$\n:::\n::::", "x")
    assert made == "> **Mind**\n>\n> One.\n>\n> > **In**\n> >\n> > Two\n> > $$ a $$"


def test_citations_are_the_names_of_their_authors():
    assert citation("cite:t", "bishop2006") == "Bishop (2006)"
    assert citation("cite:p", "redner1984,dempster1977") == "(Redner and Walker, 1984; Dempster et al., 1977)"
    assert citation("cite:t", "carreira2003") == "Carreira-Perpiñán and Williams (2003)"


@pytest.mark.parametrize("raw", ["(ch-x)=", "{ref}`a`", ":::{note}", "$$\na\n$$ (sec-x)", "+++ {}"])
def test_what_has_no_plain_form_is_an_error_that_names_cell_and_text(raw):
    cell = text(f"Words.\n\n{raw}\n")
    with pytest.raises(ChapterError, match=f"01_x: cell {cell.id} has no plain form for"):
        student(nbformat.v4.new_notebook(cells=[text("# T"), cell]), "01_x")


def test_code_may_look_like_myst():
    assert leftovers("Write `{eq}`, or\n```\n:::{note}\n(a)=\n```\n") == []


def test_an_open_admonition_and_an_unknown_label_are_named():
    with pytest.raises(ChapterError, match="the admonition 'Mind' is not closed with :::"):
        plain(":::{admonition} Mind\nwords", "x")
    with pytest.raises(ChapterError, match="no equation has the label eq-nowhere"):
        plain("{eq}`eq-nowhere`", "x")


# --- chapters in general ----------------------------------------------------------------------


def test_a_chapter_loses_its_guards_and_folds_its_plumbing():
    cells = [text("# T"), code("x = 1", ["hide-input"]), code("assert x", ["remove-cell"])]
    cells.append(code("1/0", ["raises-exception"]))
    made = student(nbformat.v4.new_notebook(cells=cells), "01_x").cells
    assert [cell.source for cell in made] == ["# T", made[1].source, "x = 1", "1/0"]
    assert made[2].metadata == {"jupyter": {"source_hidden": True}}
    assert made[3].metadata == {"tags": ["raises-exception"]}


def test_an_answer_in_words_is_the_students_to_write_and_folded_on_the_site():
    about = {"grade": True, "solution": True, "locked": False, "task": False, "points": 2}
    essay = text("Because it *climbs*.\n\n- 1 point: names the law.")
    essay.metadata["nbgrader"] = {"schema_version": 3, "grade_id": "e", **about}
    nb = nbformat.v4.new_notebook(cells=[text("# T"), essay])
    assert part(essay) == "essay"
    written = student(nb, "01_x").cells[2]
    assert written.source == "*Your answer here.*"
    assert written.metadata.nbgrader == essay.metadata.nbgrader
    folded = site(nb).cells[1].source
    assert folded.startswith("::::{admonition} A good answer, and what it is graded by\n:class: dropdown\nBecause")


def test_a_figure_of_the_checks_keeps_its_words_on_the_site():
    checked = code("assert draw, 'no'\nshow()", grade=True, points=1)
    checked.metadata["mystnb"] = {"image": {"alt": "A line."}}
    nb = nbformat.v4.new_notebook(cells=[text("# T"), code(ANSWER, solution=True), checked])
    solution = next(cell for cell in site(nb).cells if cell.id.endswith("-solution"))
    assert solution.metadata["mystnb"]["image"] == {"alt": "A line."}
    assert solution.metadata["mystnb"]["code_prompt_show"] == "Show a solution"


def test_the_setup_installs_from_the_published_address(monkeypatch):
    nb = nbformat.v4.new_notebook()
    monkeypatch.setattr("student.repository", lambda: ("https://example.org/course", "main"))
    assert '%pip install --quiet "gmmlib[notebook] @ git+https://example.org/course@main"' in setup_cell(nb).source
    monkeypatch.setattr("student.repository", lambda: ("", "main"))
    assert "the README of the course says how" in setup_cell(nb).source
    assert setup_cell(nb).source.startswith(SETUP[:20])
