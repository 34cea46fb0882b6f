"""Parts of a page that are made from the sources when the book is built."""

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


def table(head, rows):
    """The lines of a Markdown table, and a blank one after it."""
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]


class Made(SphinxDirective):
    """A directive whose place is taken by Markdown that it makes; `sources` are what it is made from."""

    sources = ()
    headings = False

    def lines(self):
        """The Markdown, a list of lines."""
        raise NotImplementedError

    def run(self):
        for path in self.sources:
            self.env.note_dependency(str(path))
        holder = nodes.Element()
        holder.document = self.state.document
        made = StringList(self.lines(), self.name)
        self.state.nested_parse(made, self.content_offset, holder, match_titles=self.headings)
        return holder.children
