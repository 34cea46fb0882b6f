"""Sphinx extension: which section defines which word, for the search page.

The course sets a word in bold where it defines it. The first chapter that does so is
where a search for the word should lead; `_static/definitions.js` tells the search page
(static/search.js). An abbreviation that nobody sets in bold is found where it first stands.
"""

import json
import re
from pathlib import Path

from docutils import nodes
from head import full_name

CHAPTER = re.compile(r"chapters/\d\d_.*(?<!_exercises)")
# A word or a few: no sentence, no number, no label of a paragraph such as "Next."
TERM = re.compile(r"[A-Za-z][\w'’+-]*(?: [\w'’+-]+){0,3}")
LABELS = {"you need", "time", "sources", "next", "next question", "where these results are tested"}
ABBREVIATION = re.compile(r"\b[A-Z]{3,}\b")


def place(app, docname, node):
    """Anchor and title of the section around a node; the page itself has no anchor."""
    while not isinstance(node, nodes.section):
        node = node.parent
    page = full_name(app, docname)
    if isinstance(node.parent, nodes.document):
        return docname, "", page
    return docname, "#" + node["ids"][0], f"{page} › {node[0].astext()}"


def in_a_section(node):
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node is not None


def words_of(document):
    """Pairs (word, node): what the page sets in bold, and an abbreviation in brackets behind it."""
    for node in document.findall(nodes.strong):
        text = node.astext().strip()
        if TERM.fullmatch(text) and text.lower() not in LABELS and in_a_section(node):
            yield text, node
            behind = node.next_node(nodes.Text, descend=False, siblings=True)
            if behind is not None and (short := re.match(r" \(([A-Z]{2,})\)", behind)):
                yield short[1], node


def abbreviations_of(document):
    for node in document.findall(nodes.Text):
        if not isinstance(node.parent, nodes.literal_block | nodes.math | nodes.math_block) and in_a_section(node):
            for short in ABBREVIATION.findall(node):
                yield short, node


def collect(app, env):
    """word -> (docname, anchor, title), in the order of the chapters."""
    chapters = sorted(name for name in env.found_docs if CHAPTER.fullmatch(name))
    found = {}
    for find, names in [(words_of, chapters), (abbreviations_of, [*chapters, "chapters/notation"])]:
        for docname in names:
            for word, node in find(env.get_doctree(docname)):
                found.setdefault(word.lower(), place(app, docname, node))
    app.definitions = found


def write(app, exception):
    if exception is None and app.builder.name == "html":
        names = {docname: full_name(app, docname) for docname in app.page_names if full_name(app, docname)}
        script = f"const DEFINITIONS = {json.dumps(app.definitions, ensure_ascii=False, sort_keys=True)};\n"
        script += f"const PAGE_NAMES = {json.dumps(names, ensure_ascii=False, sort_keys=True)};\n"
        (Path(app.outdir) / "_static" / "definitions.js").write_text(script, encoding="utf-8")


def setup(app):
    app.connect("env-updated", collect)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
