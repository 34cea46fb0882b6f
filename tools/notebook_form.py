"""One form for every notebook: reading, saving whole or not at all, normal cells and outputs, the text view."""

import base64
import difflib
import hashlib
import io
import json
import os
import re
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("tags", "mystnb", "nbgrader", "slideshow")
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{4,}")


class UsageError(Exception):
    """The caller asked for something that does not exist (exit 2)."""


class ChapterError(Exception):
    """A notebook is at fault (exit 1)."""


# --- files ------------------------------------------------------------------------------


def shown(path):
    """`path` as people type it: relative to the repository when it lies inside."""
    path = Path(path).resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def read(path):
    """The notebook in the file `path`, as it stands."""
    import nbformat

    try:
        nb = nbformat.v4.reads(Path(path).read_text(encoding="utf-8"))
        if nb.nbformat != 4 or any(cell.cell_type not in ("code", "markdown", "raw") for cell in nb.cells):
            raise ValueError("it is not nbformat 4")
    except OSError as err:
        raise UsageError(f"{path} cannot be read: {err.strerror}") from err
    except (ValueError, AttributeError, KeyError, TypeError) as err:
        raise ChapterError(f"{shown(path)}: not a notebook: {first_line(err)}") from err
    return nb


def save(nb, path):
    """Write `nb` to `path` whole or not at all."""
    import nbformat

    nb.nbformat, nb.nbformat_minor = 4, 5
    try:
        nbformat.validate(nb)
    except nbformat.ValidationError as err:
        raise ChapterError(f"{shown(path)}: not a valid notebook: {first_line(err)}") from err
    text = nbformat.v4.writes(nb).rstrip("\n") + "\n"
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def first_line(err):
    return (str(err).strip() or type(err).__name__).splitlines()[0]


# --- one form for every notebook ----------------------------------------------------------


def normalise_cells(nb):
    """Sources without blank edges, no empty cells, only our metadata, ids that stay."""
    import nbformat

    nb.metadata = nbformat.from_dict(METADATA)
    for cell in nb.cells:
        cell.source = re.sub(r"\A(?:[ \t]*\n)+", "", cell.source.replace("\r\n", "\n")).rstrip()
        kept = {key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)}
        cell.metadata = type(cell.metadata)(kept)
    nb.cells = [cell for cell in nb.cells if cell.source]
    name_cells(nb.cells)


def name_cells(cells):
    """Give cells without an id, or with one used before, an id made from their source."""
    taken = set()
    for cell in cells:
        if not cell.get("id") or cell.id in taken:
            digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
            used = taken | {other.get("id") for other in cells if other is not cell}
            candidates = (digest if i == 0 else f"{digest}-{i}" for i in range(len(cells) + 1))
            cell["id"] = next(c for c in candidates if c not in used)
        taken.add(cell.id)


def normalise_outputs(nb):
    """Counts 1..n; outputs without widget views, clocks, terminal colours or loose stream pieces."""
    count = 0
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = list(merged(normal_output(output, count) for output in cell.outputs))


def normal_output(output, count):
    output.pop("transient", None)
    if output.output_type == "error":
        output.traceback = [f"{output.ename}: {output.evalue}"]
    if output.output_type in ("display_data", "execute_result"):
        output.data.pop(WIDGET_MIME, None)
        output.metadata.pop(WIDGET_MIME, None)
        if "image/png" in output.data:
            output.data["image/png"] = palette_png(output.data["image/png"])
    if output.output_type == "execute_result":
        output.execution_count = count
    return output


def merged(outputs):
    """Consecutive pieces of one stream joined; outputs that show nothing dropped."""
    last = None
    for output in outputs:
        if output.output_type in ("display_data", "execute_result") and not output.data:
            continue
        if last is not None and output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
            continue
        if last is not None:
            yield last
        last = output
    if last is not None:
        yield last


def palette_png(encoded):
    """A base64 PNG drawn with at most 128 colours, and without what names versions and dates.

    A third of the bytes. Flat colours stay what they were; only the edges' shades between them are shared.
    """
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    small = io.BytesIO()
    paper.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode() + "\n"


# --- the text view ------------------------------------------------------------------------


def to_text(cells):
    """`cells` (as in the file's JSON) as MyST text: sources and metadata, no outputs, ids or header."""
    parts, after_prose = [], False
    for cell in cells:
        source = "".join(cell["source"]).rstrip("\n")
        if cell["cell_type"] == "markdown":
            if cell["metadata"]:
                parts.append("+++ " + json.dumps(cell["metadata"], ensure_ascii=False) + "\n")
            elif after_prose:
                parts.append("+++\n")
            parts.append(source + "\n")
        else:
            parts.append(fenced(cell["cell_type"], source, cell["metadata"]))
        after_prose = cell["cell_type"] == "markdown"
    return "\n".join(parts)


def fenced(cell_type, source, metadata):
    import yaml

    ticks = "`" * max([3] + [len(run) + 1 for run in re.findall(r"^ *(`{3,})", source, re.M)])
    style = {"default_flow_style": True, "allow_unicode": True, "width": 10**9, "sort_keys": False}
    plain = json.loads(json.dumps(metadata))
    options = "".join(f":{key}: " + yaml.safe_dump(plain[key], **style).removesuffix("...\n") for key in plain)
    if not options and source.startswith((":", "---")):
        options = "\n"
    name = "{code-cell} ipython3" if cell_type == "code" else "{raw-cell}"
    return f"{ticks}{name}\n{options}{source}\n{ticks}\n"


def from_text(text):
    """The notebook that `text` (MyST) describes; ids and outputs are still missing."""
    import nbformat
    import yaml
    from jupytext.myst import MystMetadataParsingError, myst_to_notebook

    unclosed = open_fence(text)
    if unclosed:
        raise ChapterError(f"the ``` fence that opens in line {unclosed} is not closed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            nb = myst_to_notebook(text)
    except nbformat.ValidationError as err:
        raise ChapterError(f"the options of a cell are not what a notebook takes: {first_line(err)}") from err
    except (MystMetadataParsingError, yaml.YAMLError, TypeError, ValueError, AttributeError, UserWarning) as err:
        words = re.sub(r"\w+ cell \d+ at line", "the cell at line", " ".join(str(err).split()))
        raise ChapterError(f"the text cannot be read: {words}") from err
    for number, cell in enumerate(nb.cells, 1):
        cell.pop("id", None)
        stray = sorted(set(cell.metadata) - set(CELL_METADATA))
        if stray:
            raise ChapterError(f"cell {number} has unknown metadata {stray} (known: {', '.join(CELL_METADATA)})")
        if cell.cell_type == "code" and re.search(r"^`{3,}\{code-cell\}|^\+\+\+", cell.source, re.M):
            raise ChapterError(f"code cell {number} contains the next cell: its ``` fence is not closed")
    return nb


def open_fence(text):
    """The line where a code fence opens that nothing closes, or None."""
    opened, at = None, None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"[ \t>]*(`{3,}|~{3,})(.*)", line)
        if fence and opened is None and not (fence[1][0] == "`" and "`" in fence[2]):
            opened, at = fence[1], number
        elif fence and opened and fence[1].startswith(opened) and not fence[2].strip():
            opened, at = None, None
    return at


def inherit(new, old):
    """Carry ids and outputs over from `old` cells to the `new` cells that continue them."""
    key = [[(cell.cell_type, cell.source.strip()) for cell in cells] for cells in (old, new)]
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, *key, autojunk=False).get_opcodes():
        same_types = [c.cell_type for c in old[i1:i2]] == [c.cell_type for c in new[j1:j2]]
        if tag == "equal" or (tag == "replace" and same_types):
            for before, after in zip(old[i1:i2], new[j1:j2], strict=True):
                after["id"] = before.get("id")
                if tag == "equal" and after.cell_type == "code":
                    after.outputs, after.execution_count = before.outputs, before.execution_count
