"""Sphinx extension: what the world sees of a page before it opens it.

A title with number and topic, a description (descriptions.toml), the line above the
question, an icon, a card for links in messages; and beside the pages sitemap.xml,
robots.txt and 404.html. Addresses are written only where the site knows its own:
SITE_URL, which publishing sets.
"""

import html
import os
import re
import tomllib
from pathlib import Path

import yaml
from sphinx.util import logging

HERE = Path(__file__).resolve().parent
LONGEST_TITLE = 70
DESCRIPTION = range(70, 161)  # characters that search engines show
UNLISTED = {"search", "genindex"}
OF_EXERCISES = (
    "Exercises to {name}: by pencil and in code, with checks that say which law broke, hints, and solutions to unfold."
)
OF_SOURCE = "The source of {name}, a module of the small library behind the course, with the equations it cites."
NOT_FOUND = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Page not found – {site}</title>
<meta name="description" content="There is no page at this address of the course on Gaussian mixtures and EM: \
start at its first page, or search it.">
<meta name="robots" content="noindex">{base}
<link rel="icon" href="_static/favicon.svg" type="image/svg+xml">
<style>
:root {{ color-scheme: light dark; --ink: #222832; --ground: #fff; --link: #0a5c80; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e6e8ee; --ground: #14181e; --link: #7cc4e8; }} }}
body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1.5rem;
  color: var(--ink); background: var(--ground); }}
a {{ color: var(--link); }}
</style>
</head>
<body><main>
<h1>Page not found</h1>
<p>There is no page at this address: it may have moved, or the link has a slip.
<a href="intro.html">Start at the first page</a> or <a href="search.html">search the course</a>.</p>
</main></body>
</html>
"""

logger = logging.getLogger(__name__)


def address():
    """Where the site will stand, with a slash at the end; empty where nobody said."""
    url = os.environ.get("SITE_URL", "").rstrip("/")
    return url and url + "/"


def read_names(toc):
    """docname -> "6 · Responsibilities", and for what lies below a page its name after that of the page."""
    names = {}

    def walk(entries, above):
        for entry in entries:
            names[entry["file"]] = (*above, entry.get("title", ""))
            walk(entry.get("sections", []), names[entry["file"]])

    for part in toc["parts"]:
        walk(part["chapters"], ())
    return names


def configure(app, config):
    config.html_baseurl = address()
    config.html_favicon = str((HERE / "static" / "favicon.svg").relative_to(app.srcdir))
    app.page_names = read_names(yaml.safe_load((Path(app.srcdir) / "_toc.yml").read_text(encoding="utf-8")))
    app.descriptions = tomllib.loads((HERE / "descriptions.toml").read_text(encoding="utf-8"))


def full_name(app, pagename):
    """ "Chapter 6 · Responsibilities", or for its exercises "Chapter 6 · Responsibilities · Exercises"."""
    names = app.page_names.get(pagename, ())
    return " · ".join(f"Chapter {name}" if name[0].isdigit() else name for name in names)


def title_of(app, pagename, heading):
    """Unique, and told apart in the first words, which is what a row of tabs shows."""
    site = app.config.html_title
    name = full_name(app, pagename) or heading
    return name if name == site or len(f"{name} – {site}") > LONGEST_TITLE else f"{name} – {site}"


def description_of(app, pagename):
    """From descriptions.toml; what every exercises page and every module has to say is said once."""
    text = app.descriptions.get(pagename, "")
    if not text and pagename.endswith("_exercises"):
        text = OF_EXERCISES.format(name=full_name(app, pagename).rpartition(" · ")[0].replace("Chapter", "chapter"))
    elif not text and pagename.startswith("_modules/"):
        text = OF_SOURCE.format(name=pagename.removeprefix("_modules/").replace("/", "."))
    if len(text) not in DESCRIPTION:
        logger.warning(
            "the description of %s has %d characters: give it %d to %d in tools/site/descriptions.toml",
            *(pagename, len(text), DESCRIPTION.start, DESCRIPTION.stop - 1),
        )
    return text


def write_head(app, pagename, templatename, context, doctree):
    """Fill the page's head, and put "Chapter 6 · Responsibilities" above its question."""
    heading = re.sub(r"<[^>]+>", "", context.get("title") or "")
    if pagename in UNLISTED:
        heading = {"search": "Search", "genindex": "Index"}[pagename]
    title = title_of(app, pagename, html.unescape(heading))
    context["page_title"] = html.escape(title)
    card = {"og:type": "article", "og:site_name": app.config.html_title, "og:title": title}
    lines = []
    if text := description_of(app, pagename):
        lines.append(f'<meta name="description" content="{html.escape(text)}">')
        card["og:description"] = text
    if app.config.html_baseurl:
        card |= {"og:url": context["pageurl"], "og:image": f"{app.config.html_baseurl}_static/card.png"}
        card |= {"og:image:alt": "Two bells and the sum of both, with the title of the course"}
        lines.append('<meta name="twitter:card" content="summary_large_image">')
    lines += [f'<meta property="{name}" content="{html.escape(said)}">' for name, said in card.items()]
    if font := context.get("preloaded_font"):
        where = context["pathto"](f"_static/{font}", 1)
        lines.append(f'<link rel="preload" href="{where}" as="font" type="font/woff" crossorigin>')
    # docutils repeats what the theme has said.
    context["metatags"] = re.sub(r'<meta [^>]*name="viewport"[^>]*>\s*', "", context.get("metatags") or "")
    context["page_head"] = "\n    ".join(lines)
    if app.page_names.get(pagename, ("",))[0][:1].isdigit():
        mark = f'<p class="chapter-mark">{html.escape(full_name(app, pagename))}</p>\n<h1>'
        context["body"] = context["body"].replace("<h1>", mark, 1)


def write_files(app, exception):
    """404.html and robots.txt; sitemap.xml where the site knows its address."""
    if exception is not None or app.builder.name != "html":
        return
    out, url = Path(app.outdir), app.config.html_baseurl
    base = f'\n<base href="{url}">' if url else ""
    (out / "404.html").write_text(NOT_FOUND.format(site=app.config.html_title, base=base), encoding="utf-8")
    robots = "User-agent: *\nAllow: /\n"
    if url:
        robots += f"Sitemap: {url}sitemap.xml\n"
        pages = "".join(f"<url><loc>{url}{name}.html</loc></url>\n" for name in sorted(app.env.found_docs))
        (out / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{pages}</urlset>\n',
            encoding="utf-8",
        )
    (out / "robots.txt").write_text(robots, encoding="utf-8")


def setup(app):
    app.connect("config-inited", configure, priority=20)
    # After the extension that says which font a page needs.
    app.connect("html-page-context", write_head, priority=900)
    app.connect("build-finished", write_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
