"""The notation page is kept: one meaning for each symbol, one symbol for each meaning, on every page.

Each rule is a form that the page does not use. A chapter that still uses one may be listed in KNOWN until it is mended.
"""

import json
import re

import pytest
from notebook_form import ROOT

from chapters import CHAPTERS

MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+)\$(?!\$)", re.S)
CODE = re.compile(r"^(`{3,}).*?^\1|`[^`\n]+`", re.S | re.M)
# rule -> (where, a form that the notation page does not use, what it uses)
RULES = {
    "indicator": ("math", r"\[\s*z_\{?n\}?\s*=", "z_{nk}, not [z_n = k]"),
    "transpose": ("math", r"\\mathsf\s*\{?T|\^\{?\s*(T\b|\\intercal|\\mathrm\s*\{?T)", r"^\top"),
    "sd": ("math", r"\\mathcal\s*\{?N\}?\s*\([^)]*(?<![A-Za-z\\])s\^2|/s\b|(?<![A-Za-z\\])s\s*\\sqrt", r"\sigma"),
    "expectation": ("math", r"(?<!\\mathbb )(?<![A-Za-z{])E(_\w)?\s*(\\[bB]igl?\s*)?\[", r"\mathbb{E}"),
    "logarithm": ("math", r"\\log\b", r"\ln"),
    "normal density": ("math", r"\\phi\b", r"\varphi"),
    "distance": ("math", r"(?<![A-Za-z\\])d_\{?n", r"\delta, since d counts dimensions"),
    "log-likelihood": ("math", r"\\ln\s*p\((\\mathbf\s*\{?)?X", r"\ell(\theta)"),
    "effective count": ("code", r"(?m)^\s*(?!N_k\b)\w+ = (\w*resp|gamma)\.sum\((axis=)?0\)", "N_k"),
}
# Chapters that are still being mended: page -> rules that it may break. Delete a line when its page is done.
KNOWN = {}
PAGES = sorted([*CHAPTERS.glob("*.ipynb"), *CHAPTERS.glob("*.md"), ROOT / "intro.md"])


def texts(path):
    """Pairs ("math" or "code", text) of a page. What the notation page quotes from others is not ours."""
    if path.suffix == ".md":
        cells = [("markdown", path.read_text(encoding="utf-8").split("\n## Crosswalk")[0])]
    else:
        stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in stored]
    for kind, source in cells:
        if kind == "code":
            yield "code", source
        else:
            yield from (("math", found[1] or found[2]) for found in MATH.finditer(CODE.sub("", source)))


def breaches(pairs, known=()):
    """One line for each form in `pairs` that the notation page does not use."""
    for kind, text in pairs:
        for rule, (where, form, ours) in RULES.items():
            if kind == where and rule not in known and re.search(form, text):
                yield f"{rule}: write {ours} in {' '.join(text.split())[:90]!r}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_keeps_to_the_notation_page(path):
    pairs = list(texts(path))
    if path.name == "notation.md":  # it names the forms it does not use, too
        pairs = [(kind, text) for kind, text in pairs if text not in ("[z_n = k]", r"\ln p(\mathbf{X} \mid \theta)")]
    found = list(breaches(pairs, KNOWN.get(path.stem, ())))
    assert not found, "\n".join(found)


def test_known_exceptions_are_pages_and_rules():
    assert set(KNOWN) <= {path.stem for path in PAGES}
    assert set().union(*KNOWN.values()) <= set(RULES)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("indicator", r"\prod_k \pi_k^{[z_n=k]}"),
        ("indicator", r"[z_{n} = k]"),
        ("transpose", r"\mathbf a^{\mathsf T}\mathbf b"),
        ("transpose", r"\mathbf A^T"),
        ("transpose", r"(\mathbf x - \boldsymbol\mu)^{T}"),
        ("sd", r"\mathcal N(m, s^2)"),
        ("sd", r"\Phi(m/s)"),
        ("sd", r"\pi_k/(s\sqrt{2\pi})"),
        ("expectation", r"E[z^2] = 1"),
        ("expectation", r"E\big[(x-\mu)^2\big]"),
        ("logarithm", r"\log p(x)"),
        ("normal density", r"2\phi(m)"),
        ("distance", r"\min_k d_{nk}^2"),
        ("log-likelihood", r"\ln p(\mathbf X \mid \theta)"),
        ("log-likelihood", r"\ln p(X\mid\theta)"),
        ("effective count", "counts = resp.sum(axis=0)"),
    ],
)
def test_every_rule_notices(rule, text):
    assert [line.partition(":")[0] for line in breaches([(RULES[rule][0], text)])] == [rule]


def test_the_page_s_own_forms_pass():
    ours = [
        r"N_k = \mathbb{E}\Big[\sum_n z_{nk}\Big], \quad \mathbb E[x \mid x > 0], \quad \operatorname{cov}[\mathbf x]",
        r"\mathbf A^\top \mathbf x_d, \quad \sigma^2, \quad \gamma = 1/(1 + e^{s(x - x^\ast)}), \quad h(s) = -c\,s",
        r"\ell(\theta) = \sum_n \ln p(\mathbf x_n), \quad \varphi(z), \quad \delta_{nk}, \quad \theta^{(t)}",
    ]
    code = [("code", "N_k = resp.sum(axis=0)"), ("code", "total = resp.sum(axis=1)")]
    assert list(breaches([*(("math", text) for text in ours), *code])) == []
    assert {rule for rule, (where, _, _) in RULES.items() if where not in ("math", "code")} == set()


def test_math_is_found_between_dollars_and_not_in_code(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Ten $\\log x$, `$\\phi$`\n\n$$\na^T\n$$ (eq-a)\n\n```\n$\\log$\n```\n\n## Crosswalk\n$\\log y$\n")
    assert list(texts(page)) == [("math", "\\log x"), ("math", "\na^T\n")]
