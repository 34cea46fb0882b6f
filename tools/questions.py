"""The chapters' concept questions for Moodle and Canvas.

    python tools/questions.py [FOLDER]      into _build/questions, unless another folder is named

For each chapter `NN_name.xml`, which Moodle imports ("Moodle XML format"), and `NN_name.zip`, QTI as Canvas imports
it, made by text2qti from `NN_name.txt` where that program is installed (`make questions` has it). Formulas stay
TeX: Moodle's MathJax filter and Canvas's equations show them. The order of the alternatives stays, too, since the
explanations name them by their letters.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import course_map as cm
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from plain import plain

TEXT2QTI = cm.ROOT / ".venv-grading" / "bin" / "text2qti"
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def words(text, chapter):
    """Markdown without what only the book understands: roles become numbers, links their words."""
    return LINK.sub(r"\1", plain(text, chapter.file)).strip()


def html_of(text):
    r"""Markdown as HTML, formulas as \( ... \)."""

    def formula(content, options):
        return rf"\[{content}\]" if options["display_mode"] else rf"\({content}\)"

    markdown = MarkdownIt("commonmark").use(dollarmath_plugin, renderer=formula, allow_blank_lines=False)
    made = markdown.render(text).strip().replace("\n", " ")
    return made.removeprefix("<p>").removesuffix("</p>") if made.count("<p>") == 1 else made


def moodle(chapter):
    """A chapter's questions as Moodle XML."""

    def add(parent, tag, text, **attributes):
        element = ElementTree.SubElement(parent, tag, attributes)
        ElementTree.SubElement(element, "text").text = text
        return element

    def rich(parent, tag, text, **attributes):
        return add(parent, tag, html_of(words(text, chapter)), format="html", **attributes)

    quiz = ElementTree.Element("quiz")
    where = ElementTree.SubElement(quiz, "question", type="category")
    add(where, "category", f"$course$/top/Gaussian mixtures/{chapter.number:02d} {chapter.title}")
    for q in chapter.questions:
        question = ElementTree.SubElement(quiz, "question", type="multichoice")
        add(question, "name", q.name)
        rich(question, "questiontext", q.stem)
        rich(question, "generalfeedback", q.why)
        settings = {"defaultgrade": "1", "single": "true", "shuffleanswers": "0", "answernumbering": "abc"}
        for tag, value in settings.items():
            ElementTree.SubElement(question, tag).text = value
        for i, option in enumerate(q.options):
            rich(question, "answer", option, fraction="100" if i == q.right else "0")
    ElementTree.indent(quiz)
    return ElementTree.tostring(quiz, encoding="unicode", xml_declaration=True) + "\n"


def text_for_qti(chapter):
    """The same in the format that text2qti reads: Markdown, a star at the right alternative."""

    def indented(text, by):
        return words(text, chapter).replace("\n", "\n" + " " * by)

    blocks = [f"Quiz title: {chapter.number} · {chapter.title}"]
    for number, q in enumerate(chapter.questions, 1):
        lead = f"{number}. "
        lines = [f"Title: {q.name}", "Points: 1", lead + indented(q.stem, len(lead)), f"... {indented(q.why, 4)}"]
        lines += [f"{'*' if i == q.right else ''}{'abcde'[i]}) {indented(o, 4)}" for i, o in enumerate(q.options)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def export(folder):
    """Write the files of all chapters; which, and whether QTI could be made."""
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in cm.chapters():
        (folder / f"{chapter.file}.xml").write_text(moodle(chapter), encoding="utf-8")
        source = folder / f"{chapter.file}.txt"
        source.write_text(text_for_qti(chapter), encoding="utf-8")
        if TEXT2QTI.exists():
            said = subprocess.run(
                [TEXT2QTI, source.name],
                cwd=folder,
                env=os.environ | {"PYTHONUTF8": "1"},
                capture_output=True,
                text=True,
            )
            if said.returncode:
                sys.exit(f"text2qti refuses {source}:\n{said.stdout}{said.stderr}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=cm.ROOT / "_build" / "questions")
    folder = parser.parse_args(arguments).folder
    export(folder)
    n = sum(len(c.questions) for c in cm.chapters())
    canvas = " and Canvas (.zip)" if TEXT2QTI.exists() else ""
    print(f"{n} questions for Moodle (.xml){canvas}, a file a chapter, are in {folder}.")


if __name__ == "__main__":
    main()
