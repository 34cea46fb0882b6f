"""What a stored notebook must look like, judged without executing it (`tools/chapters.py check`).

Every rule is a function that yields complaints; a complaint says what is wrong and what to do.
"""

import ast
import base64
import io
import itertools
import re
import tokenize
from pathlib import Path

from notebook_form import ADDRESS, METADATA, ROOT, WIDGET_MIME, ChapterError, from_text, read, shown, to_text

MAX_BYTES = 1_000_000
MAX_IMAGE_BYTES = 700_000  # what a reader's browser loads for one chapter's figures
CODE_WIDTH = 72  # columns that a page shows without scrolling
PRINT_WIDTH = 77  # the same for what a cell prints, on a screen; a phone has it scroll
SMALLEST_TEXT = 9  # CSS pixels, on a phone
TAGS = {"hide-input", "hide-cell", "remove-cell", "remove-input", "raises-exception", "nbval-ignore-output", "solution"}
FOLDED = {"hide-input", "hide-cell", "remove-cell", "remove-input"}
ABSOLUTE_PATH = re.compile(
    r"(?<![\w./:-])(?:/(?:home|Users|work|tmp|root|usr|opt|mnt|var|private)/[\w.-]*\w|file:///\S+)"
    r"|\b[A-Z]:\\{1,2}(?:Users|Windows|Program Files|Temp|Documents|data)\b"
)
LONG_FLOAT = re.compile(r"(?<![\w.])-?\d+\.\d{7,}(?:e[+-]?\d+)?")
BARE_REPR = re.compile(r"\barray\(|\bnp\.(?:float|int|bool)\w*\(")
DOWNLOADS = {"urlopen", "urlretrieve", "requests", "httpx", "aiohttp", "wget", "pooch", "urllib3", "fetch_openml"}
READERS = re.compile(r"read_\w+|loadtxt|genfromtxt|open|load")
NEW_RANDOM = {"default_rng", "Generator", "SeedSequence", "BitGenerator", "PCG64", "PCG64DXSM", "Philox", "SFC64"}
ADMONITION = re.compile(
    r"^[ \t]*`{3,}\{(admonition|note|tip|warning|important|caution|danger|hint|seealso|attention|error|dropdown|"
    r"exercise[\w-]*|solution[\w-]*|margin|sidebar|topic|card|grid|tab-set|prf:\w+)\}",
    re.M,
)
CROSS_REFERENCE = re.compile(r"\{(?:ref|doc|numref|any)\}`[^`]*`|^\([\w-]+\)=[ \t]*$", re.M)
LINK = re.compile(r"\[([^\]]*)\]\((?!\w+:|#)([^)#\s]+)[^)]*\)")
MARKERS = ("SOLUTION", "HIDDEN TESTS")


def violations(path):
    """Every complaint about the notebook at `path`, one line each."""
    try:
        nb = read(path)
    except ChapterError as err:
        return [str(err)]
    name, stem = shown(path), Path(path).stem
    code = [cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip()]
    if any(cell.execution_count is None for cell in code):
        return [f"{name} has not been run: make run CHAPTER={stem}"]
    lines = [f"{name}: {complaint}" for complaint in of_the_file(path, nb)]
    for number, cell in enumerate(nb.cells, 1):
        complaints = [*of_any_cell(cell), *(of_code(cell) if cell.cell_type == "code" else of_prose(cell))]
        lines += [f"{name}: cell {number} ({cell.get('id', '-')}): {complaint}" for complaint in complaints]
    for number, complaint in of_exercises(nb.cells) if stem.endswith("_exercises") else of_no_exercises(nb.cells):
        cell = f"cell {number} ({nb.cells[number - 1].get('id', '-')}): " if number else ""
        lines.append(f"{name}: {cell}{complaint}")
    return lines


# --- the file -----------------------------------------------------------------------------


def of_the_file(path, nb):
    again = "run it again (tools/chapters.py run)"
    if Path(path).stat().st_size > MAX_BYTES:
        yield f"is larger than {MAX_BYTES:,} bytes; make its figures smaller or fewer"
    images = sum(len(base64.b64decode(output.data["image/png"])) for cell in nb.cells for output in figures_of(cell))
    if images > MAX_IMAGE_BYTES:
        yield f"its figures weigh {images:,} bytes, more than {MAX_IMAGE_BYTES:,}; draw fewer, or with fewer points"
    if nb.metadata.get("widgets"):
        yield f"carries widget state in its metadata; {again}"
    elif nb.metadata != METADATA:
        yield f"has other metadata than kernelspec python3 and language python; {again}"
    counts = [c.execution_count for c in nb.cells if c.cell_type == "code" and c.source.strip()]
    if counts != list(range(1, len(counts) + 1)):
        yield f"its execution counts are {counts}, not 1 to {len(counts)} in order; {again}"
    ids = [cell.get("id") for cell in nb.cells]
    for one in sorted({str(i) for i in ids if i is None or ids.count(i) > 1}):
        yield f"the cell id {one} occurs {ids.count(one) or ids.count(None)} times; {again}"
    try:
        before, after = (
            [(c.cell_type, c.source, c.metadata) for c in cells]
            for cells in (nb.cells, from_text(to_text(nb.cells)).cells)
        )
    except ChapterError as err:
        yield f"has no text view: {err}"
    else:
        if before != after:
            cells = [i for i, (one, other) in enumerate(zip(before, after, strict=False), 1) if one != other]
            where = f"cell {cells[0]}" if cells else "its end"
            yield f"{where} does not survive the text view (blank edge, empty cell, +++ or open ```?); {again}"


# --- any cell -----------------------------------------------------------------------------


def of_any_cell(cell):
    for tag in cell.metadata.get("tags", []):
        if tag not in TAGS:
            yield f"the tag {tag!r} is not one of {', '.join(sorted(TAGS))}"
    if cell.cell_type == "raw":
        yield "is a raw cell; write Markdown or code"
    if cell.get("attachments"):
        yield "has an attached file; draw the figure in a code cell"
    for text in [cell.source, *texts(cell)]:
        found = ABSOLUTE_PATH.search(text)
        if found:
            yield f"names the absolute path {found[0]!r}; use gmmlib.datasets or a relative path"


def texts(cell):
    """The textual outputs of a code cell."""
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        yield "\n".join(output.get("traceback", []))
        for mime, data in output.get("data", {}).items():
            if not mime.startswith("image/"):
                yield str(data)


def of_prose(cell):
    for found in ADMONITION.finditer(cell.source):
        yield f"opens {{{found[1]}}} with backticks; use ::: so that math inside shows in Jupyter too"
    yield from of_links(cell.source, ROOT / "chapters")


def of_links(text, folder):
    """Links to other pages: plain ones, which work in Jupyter and on GitHub too, to files that are there."""
    for found in CROSS_REFERENCE.finditer(text):
        plain = "[chapter 6](06_responsibilities.ipynb)"
        yield f"has {found[0]!r}, which only the site understands; link the file, as in {plain}"
    for words, target in LINK.findall(text):
        number = re.search(r"\bchapter (\d+)", words, re.I)
        if not (folder / target).is_file():
            yield f"links to {target}, which is not there"
        elif number and re.match(r"\d\d_", Path(target).name) and int(number[1]) != int(Path(target).name[:2]):
            yield f"calls {target} {number[0]!r}; that is another chapter"


# --- code cells ---------------------------------------------------------------------------


def of_code(cell):
    tags = cell.metadata.get("tags", [])
    yield from of_outputs(cell, tags)
    if not FOLDED & set(tags):
        wide = [line for line in cell.source.splitlines() if len(line) > CODE_WIDTH]
        if wide:
            yield f"shows a line of {len(wide[0])} columns ({wide[0].strip()[:30]}...); {CODE_WIDTH} fit the page"
    if re.search(r"#\s*(NBVAL_|PYTEST_VALIDATE)", cell.source):
        yield "switches nbval off in a comment; remove the comment"
    if "nbval-ignore-output" in tags:
        if "explorers." not in cell.source:
            yield "is tagged nbval-ignore-output but shows no explorer; remove the tag, its output must be compared"
        if any(output.output_type == "stream" for output in cell.outputs):
            yield "prints under nbval-ignore-output, where nobody compares; print in another cell"
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        if "raises-exception" not in tags:
            yield "is not plain Python; magics and shell commands are not allowed"
        return
    yield from of_syntax(tree)
    tokens = tokenize.generate_tokens(io.StringIO(cell.source).readline)
    for token, after in itertools.pairwise(tokens):
        if token.string == ";" and after.type in (tokenize.NEWLINE, tokenize.COMMENT):
            yield "ends a line with ';', which silences nothing under nbval; assign the result or end with plt.show()"


def of_outputs(cell, tags):
    raises, ignored = "raises-exception" in tags, "nbval-ignore-output" in tags
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if errors and not raises:
        yield f"stores an error ({errors[0].ename}); mend it, or tag it raises-exception if the error is the lesson"
    if raises and not errors:
        yield "is tagged raises-exception but raises nothing; remove the tag"
    if not raises and any(output.get("name") == "stderr" for output in cell.outputs):
        yield "wrote to stderr; catch the warning and print its message, or remove its cause"
    if any(WIDGET_MIME in output.get("data", {}) for output in cell.outputs):
        yield "stores a widget view, which is empty without its state; run it again (tools/chapters.py run)"
    if "remove-cell" not in tags:
        printed = "".join(output.text for output in cell.outputs if output.output_type == "stream").splitlines()
        if wide := [line for line in printed if len(line) > PRINT_WIDTH]:
            yield f"prints a line of {len(wide[0])} columns ({wide[0].strip()[:30]}...); {PRINT_WIDTH} fit the page"
    for text in texts(cell):
        if ADDRESS.search(text):
            yield f"shows a memory address ({ADDRESS.search(text)[0]!r}); print what the reader needs instead"
        if LONG_FLOAT.search(text) and not ignored:
            yield f"prints {LONG_FLOAT.search(text)[0]}; round it, last digits differ between machines"
        if BARE_REPR.search(text) and not ignored and not raises:
            yield f"shows a bare {BARE_REPR.search(text)[0]}...); print a sentence with rounded numbers"
    figures = figures_of(cell)
    if figures and not str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")).strip():
        yield 'draws a figure without alt text; add :mystnb: {image: {alt: "what it shows"}}'
    if len(figures) > 1:
        yield "draws several figures that would share one alt text; one figure a cell"
    if figures and not any("text/markdown" in output.get("data", {}) for output in cell.outputs):
        yield "draws a figure without a caption; end with plotting.show('what to look for')"
    for figure in figures:
        width = figure.metadata.get("image/png", {}).get("width")
        if 2 * (width or 0) != image_width(figure):
            yield "draws a figure that is not sharp, two image pixels per CSS pixel; call plotting.use_style() first"
        size = figure.metadata.get("smallest_text")
        if size is not None and size < SMALLEST_TEXT:
            yield f"writes {size} px high on a phone; {SMALLEST_TEXT} is legible: no fontsize, plotting.panels(rows)"


def figures_of(cell):
    return [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]


def image_width(figure):
    """In image pixels, from the header of the PNG."""
    return int.from_bytes(base64.b64decode(figure.data["image/png"])[16:20], "big")


def of_syntax(tree):
    """Randomness without a seed, downloads, `interact`."""
    for node in ast.walk(tree):
        name = dotted(node)
        if re.fullmatch(r"(np|numpy)\.random\.\w+", name) and name.rpartition(".")[2] not in NEW_RANDOM:
            yield f"uses {name}, the global generator; make rng = np.random.default_rng(seed)"
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "default_rng":
            seed = [*node.args, *(k.value for k in node.keywords)]
            if not seed or (isinstance(seed[0], ast.Constant) and seed[0].value is None):
                yield "calls default_rng() without a seed; give it a number"
        for module in imported(node):
            if module == "random":
                yield "imports random, the global generator; use np.random.default_rng(seed)"
            if DOWNLOADS & set(module.split(".")) or module == "urllib.request":
                yield f"imports {module}, which downloads; a chapter reads data/ only"
            if module.rpartition(".")[2] in ("interact", "interactive", "interact_manual"):
                yield "uses interact, whose output changes at each run; use an explorer from gmmlib.explorers"
        if isinstance(node, ast.Call):
            last = dotted(node.func).rpartition(".")[2]
            web = any(isinstance(a, ast.Constant) and re.match(r"(https?|ftp)://", str(a.value)) for a in node.args)
            if last in DOWNLOADS or last.startswith("fetch_") or (web and READERS.fullmatch(last)):
                yield f"downloads with {dotted(node.func)}; a chapter reads data/ only"
            if last in ("interact", "interactive", "interact_manual"):
                yield "uses interact, whose output changes at each run; use an explorer from gmmlib.explorers"


def dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" if node.module != "random" else "random" for alias in node.names]
    return []


# --- exercises (nbgrader's cell format) ---------------------------------------------------

# (grade, solution, locked, task) as nbgrader's course extension writes them
KINDS = {
    (False, True, False, False): "autograded answer",
    (True, False, True, False): "autograder tests",
    (True, True, False, False): "manually graded answer",
    (False, False, True, False): "read-only",
    (False, False, True, True): "manually graded task",
}


def of_no_exercises(cells):
    return [
        (number, "carries nbgrader metadata; graded exercises live on the chapter's _exercises page")
        for number, cell in enumerate(cells, 1)
        if "nbgrader" in cell.metadata
    ]


def of_exercises(cells):
    """Pairs (cell number, complaint); number 0 is the page."""
    found, ids = [], []
    for number, cell in enumerate(cells, 1):
        about = cell.metadata.get("nbgrader")
        kind = None
        if about is not None:
            kind, complaints = nbgrader_kind(about)
            found += [(number, complaint) for complaint in complaints]
            ids.append(about.get("grade_id"))
            if ids.count(ids[-1]) > 1:
                found.append((number, f"repeats the grade_id {ids[-1]!r}; every graded cell needs its own"))
        found += [(number, complaint) for complaint in of_markers(cell, kind)]
        if kind == "autograder tests":
            found += [(number, complaint) for complaint in of_tests(cell)]
            found += [(number + 1, complaint) for complaint in of_result(cells[number : number + 1])]
    if not any(cell.metadata.get("nbgrader", {}).get("grade") for cell in cells):
        found.append((0, "an exercises page without a graded cell; give one nbgrader metadata with grade: true"))
    return found


def nbgrader_kind(about):
    """The kind of cell that nbgrader metadata describe, and complaints about them."""
    if about.get("schema_version") != 3:
        return None, ["its nbgrader metadata need schema_version: 3"]
    flags = tuple(about.get(key) for key in ("grade", "solution", "locked", "task"))
    complaints = []
    if flags not in KINDS or not all(isinstance(flag, bool) for flag in flags):
        known = "; ".join(f"{kind} = {combination}" for combination, kind in KINDS.items())
        complaints.append(f"its nbgrader flags (grade, solution, locked, task) are {flags}; possible are {known}")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", str(about.get("grade_id", ""))):
        complaints.append("its nbgrader grade_id must be letters, digits, - and _")
    points, graded = about.get("points"), flags[0] is True or flags[3] is True
    if graded and (isinstance(points, bool) or not isinstance(points, (int, float)) or points <= 0):
        complaints.append("is graded but has no positive nbgrader points")
    if not graded and points is not None:
        complaints.append("has nbgrader points but is not graded; remove them")
    if about.get("cell_type") not in (None, "code", "markdown"):
        complaints.append("its nbgrader cell_type is neither code nor markdown")
    stray = set(about) - {"schema_version", "grade", "solution", "locked", "task", "grade_id", "points", "cell_type"}
    if stray:
        complaints.append(f"has unknown nbgrader metadata {', '.join(sorted(stray))}; remove them")
    return KINDS.get(flags), complaints


def of_markers(cell, kind):
    """### BEGIN/END pairs: balanced, where they belong, and not empty."""
    wanted = {"autograded answer": "SOLUTION", "manually graded answer": "SOLUTION", "autograder tests": "HIDDEN TESTS"}
    for marker in MARKERS:
        begins, ends = (len(re.findall(rf"^\s*### {w} {marker}\s*$", cell.source, re.M)) for w in ("BEGIN", "END"))
        loose = len(re.findall(rf"(?:BEGIN|END) {marker}", cell.source)) - begins - ends
        belongs = wanted.get(kind) == marker
        if begins != ends or loose:
            yield f"its ### BEGIN {marker} and ### END {marker} lines do not pair up"
        elif begins and not belongs:
            yield f"has ### BEGIN {marker} but its nbgrader metadata do not call for it"
        elif belongs and not begins and cell.cell_type == "code":
            yield f"is an {kind} cell without ### BEGIN {marker} / ### END {marker}"
        elif belongs and begins and not re.sub(r"^\s*#.*$", "", hidden(cell.source, marker), flags=re.M).strip():
            yield f"has nothing between ### BEGIN {marker} and ### END {marker}"


def of_result(after):
    """The cell behind an exercise's checks, if any: a result is told where the student's copy leaves it out."""
    for cell in after:
        # The next exercise has a heading, the next part of this one says what it is worth.
        told = cell.cell_type == "markdown" and not re.match(r"#|\*\*Back\*\*|\*\*[^\n]*\(\d+ points?\b", cell.source)
        if told and "nbgrader" not in cell.metadata and "solution" not in cell.metadata.get("tags", []):
            yield "follows the checks, so it tells a result; tag it solution (the next exercise begins with ##)"


def hidden(source, marker):
    return "\n".join(re.findall(rf"### BEGIN {marker}\s*\n(.*?)### END {marker}", source, re.S))


def of_tests(cell):
    if cell.cell_type != "code":
        yield "is an autograder tests cell but not code"
        return
    try:
        visible = asserts(re.sub(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", "", cell.source, flags=re.S))
        unseen = asserts(cell.source)[len(visible) :]
    except SyntaxError:
        yield "its visible tests are not Python on their own"
        return
    if not visible:
        yield "has no visible assert; show one that says what a right answer looks like"
    if not all(visible):
        yield "has a visible assert without a message; say which invariant broke and why"
    if "### BEGIN HIDDEN TESTS" in cell.source and not unseen:
        yield "has no assert among its hidden tests"


def asserts(source):
    """For every assertion in `source`: does it carry a message?"""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            found.append(node.msg is not None)
        elif isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2].startswith("assert_"):
            found.append(any(keyword.arg in ("err_msg", "msg") for keyword in node.keywords))
    return found
