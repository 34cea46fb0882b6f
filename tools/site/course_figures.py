"""Sphinx extension of the course: a cell's picture and the caption below it are one figure.

The notebook shows them as two outputs (gmmlib.plotting.show). The page says that they
belong together, gives the picture its size, so that nothing moves when it arrives,
and loads it when the reader comes near.
"""

import re

PICTURE = re.compile(
    r'<a class="reference internal image-reference" href="[^"]*"><img alt="(?P<alt>[^"]*)" src="(?P<src>[^"]*)" '
    r'style="width: (?P<width>\d+)px; height: (?P<height>\d+)px;" />\s*</a>\s*<p>(?P<caption>.*?)</p>',
    re.DOTALL,
)
FIGURE = (
    '<figure><img alt="{alt}" src="{src}" width="{width}" height="{height}" loading="lazy" decoding="async" />'
    "<figcaption>{caption}</figcaption></figure>"
)


def make_figures(app, pagename, templatename, context, doctree):
    if context.get("body"):
        context["body"] = PICTURE.sub(lambda found: FIGURE.format(**found.groupdict()), context["body"])


def setup(app):
    app.connect("html-page-context", make_figures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
