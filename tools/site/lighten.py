"""Take from a built site what no reader needs, and mend what its makers could not know: `lighten(folder)`.

The theme ships 2,000 icons three times over, of which the course shows twenty; its
stylesheets and scripts come with maps for their authors; its scripts hold up the page;
pictures are fetched before anybody is near them, and the text jumps when they arrive.
"""

import hashlib
import html
import re
import struct
from functools import cache
from pathlib import Path
from urllib.parse import unquote

SELECTOR = re.compile(r",(?![^(\[]*[)\]])")
CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
NEGATED = re.compile(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)")
SHEETS = re.compile(r'(\s*<link (?=[^>]*rel="stylesheet")[^>]*href="((?:\.\./)*)_static/[^>]*>)+')
ICON_FACE = re.compile(r'src:url\(([^)]*?/)(fa-[\w-]+)\.woff2\) format\("woff2"\),url\([^)]*\.ttf\) format\("[^"]*"\)')
MAP = re.compile(r"\n?(//# sourceMappingURL=.*|/\*# sourceMappingURL=.*?\*/)\s*$")
FONTAWESOME = re.compile(r"\s*<!-- So that users can add custom icons -->\s*<script[^>]*fontawesome\.js[^>]*></script>")
BLOCKING = re.compile(r"<script (?![^>]*(?:defer|async|module))(?=[^>]*src=)")
CELL = re.compile(r"<(t[dh])\b([^>]*)>(.*?)</\1>", re.DOTALL)
SHORT = 12
# They need a script that no longer comes before them; a module waits for its turn behind it.
IMPORT = re.compile(r'@import "([^"]+)";')
URL = re.compile(r"url\([\"']?([^)\"':]+)[\"']?\)")
PRELOADED = re.compile(r'\s*<link rel="preload" as="script"[^>]*>')
INLINE = re.compile(r"<script>(?=DOCUMENTATION_OPTIONS)")
PICTURE = re.compile(r"<img (?=[^>]*src=\"([^\"]+\.png)\")(?![^>]*\bwidth=)")


def used_classes(site):
    """Every word that may be a class: those of the pages, and whatever a script mentions."""
    used = set()
    for page in site.rglob("*.html"):
        for value in re.findall(r'\bclass="([^"]*)"', page.read_text(encoding="utf-8")):
            used.update(value.split())
    for script in (site / "_static").rglob("*.js"):
        if script.name != "fontawesome.js":
            used.update(re.findall(r"[\w-]+", script.read_text(encoding="utf-8")))
    return used


def without_unused(rules, used):
    """The rules of a stylesheet that may apply somewhere, as text."""
    import tinycss2

    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = SELECTOR.split(tinycss2.serialize(rule.prelude).strip())
            met = [s for s in selectors if used.issuperset(CLASS.findall(NEGATED.sub("", s).replace("\\", "")))]
            if met:
                kept.append(f"{','.join(met)}{{{tinycss2.serialize(rule.content)}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in {"media", "supports"}:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if text := without_unused(inner, used):
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{text}}}")
        else:
            kept.append(rule.serialize())
    return "\n".join(kept)


def read_stylesheet(path, static):
    """A stylesheet with those it imports in their places, and every address as seen from `_static`."""

    def moved(url):
        target = (path.parent / url[1]).resolve()
        return f"url({target.relative_to(static).as_posix()})" if target.exists() else url[0]

    def imported(rule):
        return read_stylesheet((path.parent / rule[1]).resolve(), static)

    text = ICON_FACE.sub(r'src:url(\1\2.woff2) format("woff")', path.read_text(encoding="utf-8"))
    return IMPORT.sub(imported, URL.sub(moved, text))


def merge_stylesheets(site):
    """One stylesheet for all pages, of the rules that some page uses: the browser waits for one file, not ten."""
    import tinycss2

    static, used = (site / "_static").resolve(), used_classes(site)
    start = (site / "intro.html").read_text(encoding="utf-8")
    names = re.findall(r'<link [^>]*href="_static/([^"?]+\.css)', start)
    text = "\n".join(read_stylesheet(static / name, static) for name in names)
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    sheet = without_unused(rules, used).replace('.woff2) format("woff")', '.woff) format("woff")')
    (static / "site.css").write_text(sheet, encoding="utf-8")
    return sheet


def cut_icons(site, sheet):
    """The fonts of the icons that the stylesheet still names."""
    from fontTools import subset

    static = site / "_static"
    codes = {ord(character) for character in re.findall("[\ue000-\uf8ff]", sheet)}
    for font in static.rglob("fa-*.ttf"):
        options = subset.Options(flavor="woff", layout_features=[])
        whole = subset.load_font(str(font), options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=sorted(codes))
        cutter.subset(whole)
        subset.save_font(whole, str(font.with_suffix(".woff")), options)
        font.unlink()
        font.with_suffix(".woff2").unlink()


@cache
def png_size(path):
    with path.open("rb") as file:
        return struct.unpack(">II", file.read(24)[16:])


def mark_short(cell):
    """A cell of a dozen characters stays on one line."""
    if len(html.unescape(re.sub(r"<[^>]+>", "", cell[3])).strip()) > SHORT or " short" in cell[2]:
        return cell[0]
    attributes = cell[2].replace('class="', 'class="short ') if "class=" in cell[2] else f'{cell[2]} class="short"'
    return f"<{cell[1]}{attributes}>{cell[3]}</{cell[1]}>"


def lighten_page(page, version):
    def sized(tag):
        width, height = png_size((page.parent / unquote(html.unescape(tag[1]))).resolve())
        return f'<img loading="lazy" width="{width}" height="{height}" '

    text = page.read_text(encoding="utf-8")
    text = BLOCKING.sub("<script defer ", FONTAWESOME.sub("", text))
    text = PRELOADED.sub("", text)
    text = SHEETS.sub(rf'\n    <link rel="stylesheet" href="\2_static/site.css?v={version}">', text)
    text = INLINE.sub('<script type="module">', text)
    text = CELL.sub(mark_short, PICTURE.sub(sized, text))
    page.write_text(text, encoding="utf-8")


def lighten(site):
    site = Path(site)
    sheet = merge_stylesheets(site)
    cut_icons(site, sheet)
    version = hashlib.sha256(sheet.encode()).hexdigest()[:8]
    for page in site.rglob("*.html"):
        if "_static" not in page.relative_to(site).parts:
            lighten_page(page, version)
    for path in (site / "_static").rglob("*"):
        if path.suffix == ".map" or path.name.startswith("fontawesome.js"):
            path.unlink()
        elif path.suffix in {".js", ".css"}:
            path.write_text(MAP.sub("\n", path.read_text(encoding="utf-8")), encoding="utf-8")
