"""MyST as plain Markdown, which every notebook program shows: JupyterLab, VS Code, Colab, GitHub.

The chapters are written in MyST, which the site understands. Their Markdown uses few of its
means, and each has a plain form here: admonitions become quotations, or `<details>` where they
are folded; an equation label becomes the number that the site gives it, as `\\tag`; references
and citations become the words that the site shows. What has no plain form is an error, not
a guess: `leftovers` finds it.
"""

import re
from functools import cache
from pathlib import Path

from notebook_form import ROOT, ChapterError

CHAPTERS = ROOT / "chapters"
LABELLED = re.compile(r"\$\$(.+?)\$\$[ \t]*\((eq-[\w-]+)\)", re.S)
DISPLAY = re.compile(r"\$\$.+?\$\$", re.S)
ROLE = re.compile(r"\{(eq|cite:t|cite:p)\}`([^`]+)`")
FENCE = re.compile(r"^(:{3,})\{admonition\}[ \t]*(.*)$")
CODE = re.compile(r"^(`{3,})[^`\n]*\n.*?^\1[ \t]*$|(?<!\})`[^`\n]+`", re.S | re.M)
# What MyST would have understood and plain Markdown shows as it stands.
RAW = re.compile(r"^:{3,}.*|\{[a-z][\w:+-]*\}`|^\([\w-]+\)=[ \t]*$|\$\$[ \t]*\([\w-]+\)|^\+\+\+", re.M)


def plain(text, stem):
    """The Markdown `text` of the page `stem`, without MyST."""
    text = LABELLED.sub(lambda m: f"$${m[1].rstrip()} \\tag{{{number(m[2])[1]}}}\n$$", text)
    text = ROLE.sub(lambda m: reference(m[2], stem) if m[1] == "eq" else citation(m[1], m[2]), text)
    return admonitions(text.splitlines())


def leftovers(text):
    """What of `text` is still MyST, outside code."""
    return RAW.findall(CODE.sub("", text))


# --- admonitions ----------------------------------------------------------------------------


def admonitions(lines):
    """Quotations and folded details for `:::{admonition}`, also for one inside another."""
    out, lines = [], list(lines)
    while lines:
        line = lines.pop(0)
        opened = FENCE.match(line)
        if not opened:
            out.append(line)
            continue
        body = []
        while lines and lines[0].rstrip() != opened[1]:
            body.append(lines.pop(0))
        if not lines:
            raise ChapterError(f"the admonition {opened[2]!r} is not closed with {opened[1]}")
        lines.pop(0)
        classes = ""
        while body and (option := re.match(r":([\w-]+):[ \t]*(.*)$", body[0])):
            classes += option[2] if option[1] == "class" else ""
            body.pop(0)
        inner = admonitions(body).strip()
        out += folded(opened[2], inner) if "dropdown" in classes else quoted(opened[2], inner)
    return "\n".join(out)


def folded(title, body):
    return ["<details>", f"<summary>{in_html(title)}</summary>", "", *body.splitlines(), "", "</details>"]


def quoted(title, body):
    # A formula of several lines would take the quotation's marks for its own.
    body = DISPLAY.sub(lambda m: " ".join(m[0].split()), body)
    return [f"> **{title}**", ">", *(f"> {line}".rstrip() for line in body.splitlines())]


def in_html(title):
    """A title as HTML: Markdown is not read inside `<summary>`."""
    title = title.replace("&", "&amp;").replace("<", "&lt;")
    title = re.sub(r"`([^`]+)`", r"<code>\1</code>", title)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", title)


# --- numbers and names -------------------------------------------------------------------


def number(label):
    """The page that holds the equation `label`, and the number it has there and on the site."""
    try:
        return numbers()[label]
    except KeyError:
        raise ChapterError(f"no equation has the label {label}") from None


@cache
def numbers():
    """Every labelled equation: label -> (page, number): 6.1 in chapter 6, 6.E1 in its exercises, A.1 in an appendix."""
    import json

    found = {}
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        first = path.stem.partition("_")[0]
        chapter, part = int(first) if first.isdigit() else "A", "E" if path.stem.endswith("_exercises") else ""
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        for count, equation in enumerate(LABELLED.finditer(text), 1):
            found[equation[2]] = path.stem, f"{chapter}.{part}{count}"
    return found


def reference(label, stem):
    page, value = number(label)
    return f"({value})" if page == stem else f"[({value})]({page}.ipynb)"


def citation(role, keys):
    """`Bishop (2006)` for cite:t, `(Bishop, 2006)` for cite:p."""
    works = [bibliography()[key.strip()] for key in keys.split(",")]
    if role == "cite:t":
        return ", ".join(f"{names} ({year})" for names, year in works)
    return "(" + "; ".join(f"{names}, {year}" for names, year in works) + ")"


@cache
def bibliography():
    """Key -> (names, year) of every work in references.bib."""
    from pybtex.database import parse_file

    works = {}
    for key, entry in parse_file(Path(ROOT) / "references.bib").entries.items():
        people = entry.persons.get("author") or entry.persons.get("editor", [])
        names = [" ".join(map(str, person.rich_prelast_names + person.rich_last_names)) for person in people]
        names = names[0] + " et al." if len(names) > 2 else " and ".join(names)
        works[key] = names or entry.fields.get("title", key), entry.fields.get("year", "n.d.")
    return works
