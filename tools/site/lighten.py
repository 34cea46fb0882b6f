"""Take from a built site what no reader needs, and mend what its makers could not know: `lighten(folder)`.

The theme ships 2,000 icons three times over, of which the course shows twenty; its
stylesheets and scripts come with maps for their authors; its scripts hold up the page;
pictures are fetched before anybody is near them, and the text jumps when they arrive.
"""

import html
import re
import struct
from functools import cache
from pathlib import Path
from urllib.parse import unquote

ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"\\[0-9a-f]+"\}')
ICON_FACE = re.compile(r'src:url\(([^)]*?/)(fa-[\w-]+)\.woff2\) format\("woff2"\),url\([^)]*\.ttf\) format\("truetype"\)')
MAP = re.compile(r"\n?(//# sourceMappingURL=.*|/\*# sourceMappingURL=.*?\*/)\s*$")
FONTAWESOME = re.compile(r"\s*<!-- So that users can add custom icons -->\s*<script[^>]*fontawesome\.js[^>]*></script>")
BLOCKING = re.compile(r"<script (?![^>]*(?:defer|async|module))(?=[^>]*src=)")
CELL = re.compile(r"<(t[dh])\b([^>]*)>(.*?)</\1>", re.DOTALL)
SHORT = 12
# They need a script that no longer comes before them; a module waits for its turn behind it.
INLINE = re.compile(r"<script>(?=DOCUMENTATION_OPTIONS)")
PICTURE = re.compile(r"<img (?=[^>]*src=\"([^\"]+\.png)\")(?![^>]*\bwidth=)")


def used_icons(texts):
    return {name for text in texts for name in re.findall(r"\bfa-[a-z0-9-]+", text)}


def without_unused(stylesheet, icons):
    """The stylesheet without the rules of icons that no page shows."""

    def keep(rule):
        return rule[0] if any(name in icons for name in re.findall(r"fa-[a-z0-9-]+", rule[1])) else ""

    return ICON_RULE.sub(keep, stylesheet)


def cut_icons(site):
    """Rules and fonts of the icons in use, and of no other."""
    from fontTools import subset

    static = site / "_static"
    scripts = [p for p in static.rglob("*.js") if p.name != "fontawesome.js"]
    icons = used_icons(p.read_text(encoding="utf-8") for p in [*site.rglob("*.html"), *scripts])
    sheets = {p: p.read_text(encoding="utf-8") for p in static.rglob("*.css")}
    sheets = {path: without_unused(text, icons) for path, text in sheets.items()}
    codes = {int(code, 16) for text in sheets.values() for code in re.findall(r'"\\(f[0-9a-f]{3}|e[0-9a-f]{3})"', text)}
    for path, text in sheets.items():
        path.write_text(ICON_FACE.sub(r'src:url(\1\2.woff) format("woff")', text), encoding="utf-8")
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


def lighten_page(page):
    def sized(tag):
        width, height = png_size((page.parent / unquote(html.unescape(tag[1]))).resolve())
        return f'<img loading="lazy" width="{width}" height="{height}" '

    text = page.read_text(encoding="utf-8")
    text = BLOCKING.sub("<script defer ", FONTAWESOME.sub("", text))
    text = INLINE.sub('<script type="module">', text)
    text = CELL.sub(mark_short, PICTURE.sub(sized, text))
    page.write_text(text, encoding="utf-8")


def lighten(site):
    site = Path(site)
    cut_icons(site)
    for page in site.rglob("*.html"):
        if "_static" not in page.relative_to(site).parts:
            lighten_page(page)
    for path in (site / "_static").rglob("*"):
        if path.suffix == ".map" or path.name.startswith("fontawesome.js"):
            path.unlink()
        elif path.suffix in {".js", ".css"}:
            path.write_text(MAP.sub("\n", path.read_text(encoding="utf-8")), encoding="utf-8")
