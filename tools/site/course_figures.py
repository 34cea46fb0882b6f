"""Sphinx extension of the course: a page's figures are loaded when the reader comes near them.

Their width and height stand in the page already (the notebook's outputs carry them),
so that nothing moves when they arrive.
"""

import re

FIGURE = re.compile(r'<img(?=[^>]*\ssrc="[^"]*_images/)(?![^>]*\sloading=)')


def load_late(app, pagename, templatename, context, doctree):
    """Mark the images of cells; the first one of a page may be in view at once."""
    body = context.get("body")
    if body:
        first = FIGURE.search(body)
        if first:
            context["body"] = body[: first.end()] + FIGURE.sub('<img loading="lazy"', body[first.end() :])


def setup(app):
    app.connect("html-page-context", load_late)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
