"""Formulas of the feedback, drawn as the site draws its own: TeX becomes MathML, which asks nobody for a script.

Only formulas of the page are drawn: what a student types stays as it was typed. Where the site was never built
(node_modules is missing) all stay TeX.
"""

import html
import re

from .course import ROOT

FORMULA = re.compile(r"(\$\$?)(.+?)\1", re.S)
known = {}  # (TeX, whether on a line of its own) -> MathML, or None where it cannot be read


def learn(sources):
    """Draw the formulas of these Markdown texts, all that are new at once."""
    asked = {(tex.strip(), mark == "$$") for source in sources for mark, tex in FORMULA.findall(source)} - known.keys()
    if not asked or not (ROOT / "node_modules/temml").is_dir():
        return
    from docutils import nodes

    from tools.site import mathml

    asked = sorted(asked)
    as_on_site = [mathml.formula((nodes.math_block if display else nodes.math)(tex, tex)) for tex, display in asked]
    for key, answer in zip(asked, mathml.render(as_on_site), strict=True):
        known[key] = None if "error" in answer else mathml.element(answer)


def drawn(page):
    """A piece of HTML with the formulas that are known in place of their TeX."""

    def one(found):
        return known.get((html.unescape(found[2]).strip(), found[1] == "$$")) or found[0]

    return FORMULA.sub(one, page)
