"""Sphinx extension of the course: what the site serves itself, and where it appears.

Everything a page needs comes from this machine's build: fonts from npm (locked
in package-lock.json), the explorers from gmmlib. Both are copied below
`_build/vendor` by `build.py`; this extension hands that folder to Sphinx. It must
not be called `_static`: Jupyter Book loads every script it finds there on every page.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import student

EXPLORER = re.compile(r"<[^>]+\sdata-explorer\b")
INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={start}.html">
<link rel="canonical" href="{start}.html">
</head>
<body><main><h1>{title}</h1><p><a href="{start}.html">Start here</a></p></main></body>
</html>
"""


def configure(app, config):
    """Serve the vendored files; offer launch buttons where the repository is known."""
    vendor = Path(app.srcdir) / "_build" / "vendor"
    config.html_static_path.append(str(vendor))

    url, branch = student.repository()
    if url:
        config.html_theme_options |= {
            "repository_url": url,
            "repository_branch": branch,
            "use_repository_button": True,
            "use_issues_button": True,
            "launch_buttons": {
                "notebook_interface": "jupyterlab",
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
            },
        }


def mount_explorers(app, pagename, templatename, context, doctree):
    """Load the explorers' module on the pages that hold one, and on no other."""
    if EXPLORER.search(context.get("body") or ""):
        app.add_js_file("explorers/mount.js", type="module")


def write_index(app, exception):
    """Send a visitor of the bare address to the start page."""
    if exception is None and app.builder.name == "html":
        page = INDEX.format(title=app.config.html_title, start=app.config.root_doc)
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


# The theme and docutils write these; each is a barrier for a screen reader.
REPAIRS = [
    # A button that folds a chapter's pages, with an icon and no name.
    (re.compile(r"<summary>(?=\s*<span class=\"toctree-toggle\")"), '<summary aria-label="Pages of this chapter">'),
    # "Search Ctrl+K" is what is seen; a voice user who reads out a label that says less gets nowhere.
    (re.compile(r'(<button class="btn search-button-field [^"]*") title="Search" aria-label="Search"'), r"\1"),
    (re.compile(r'(<span class="search-button__kbd-shortcut")>'), r'\1 aria-hidden="true">'),
    # What a folded cell's line says is its name.
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # All of a page belongs to some landmark.
    (re.compile(r'(<div id="pst-primary-sidebar")(?! role)'), r'\1 role="complementary" aria-label="Course"'),
    # An index in columns is laid out by a table and is none.
    (re.compile(r'<table( style="[^"]*")? class="indextable'), r'<table\1 role="presentation" class="indextable'),
    # The entries of a list are list items; "doc-biblioentry" is deprecated.
    (re.compile(r' role="doc-biblioentry"'), ' role="listitem"'),
    # A list inside a list belongs to an item of it.
    (re.compile(r"</li>\n<ul>(<li>.*?</li>)\n</ul>", re.DOTALL), r"<ul>\1</ul></li>\n"),
]


def repair_pages(app, exception):
    """Mend in the finished pages what no template or option reaches."""
    if exception is not None or app.builder.name != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = whole = page.read_text(encoding="utf-8")
        for pattern, mended in REPAIRS:
            text = pattern.sub(mended, text)
        if text != whole:
            page.write_text(text, encoding="utf-8")


def setup(app):
    app.add_js_file("course.js", loading_method="defer")
    # Jupyter Book sets this for sphinx_comments, which the course leaves out.
    app.add_config_value("comments_config", {}, "html")
    app.connect("config-inited", configure, priority=10)
    app.connect("html-page-context", mount_explorers)
    app.connect("build-finished", write_index)
    app.connect("build-finished", repair_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
