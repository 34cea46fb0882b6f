"""The concept questions leave the book whole: read back from what Moodle and Canvas get."""

import html
import re
import zipfile
from xml.etree import ElementTree

import course_map
import pytest
import questions

QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
TAG = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder with a file of each kind for every chapter."""
    folder = tmp_path_factory.mktemp("questions")
    questions.main([str(folder)])
    return folder


COURSE = {c.file: {q.name: (q.right, q.options) for q in c.questions} for c in course_map.chapters()}


def letters(text):
    """What survives any markup: the letters and digits outside formulas."""
    text = re.sub(r"\$[^$]*\$|\\\(.*?\\\)|<img[^>]*>", "", text)
    return re.sub(r"[^a-z0-9]", "", html.unescape(TAG.sub("", text)).lower())


def test_moodle_gets_every_question_with_its_one_right_answer(exported):
    assert len(list(exported.glob("*.xml"))) == len(COURSE) > 10
    for file, asked in COURSE.items():
        quiz = ElementTree.parse(exported / f"{file}.xml").getroot()
        found = quiz.findall("question[@type='multichoice']")
        assert [q.findtext("name/text") for q in found] == list(asked)
        for q in found:
            right, options = asked[q.findtext("name/text")]
            answers = q.findall("answer")
            assert [a.get("fraction") for a in answers] == ["100" if i == right else "0" for i in range(len(options))]
            assert [letters(a.findtext("text")) for a in answers] == [letters(o) for o in options]
            for text in (q.findtext("questiontext/text"), q.findtext("generalfeedback/text")):
                assert text.strip()
                assert "$" not in text, f"a formula is not in Moodle's form: {text}"
                assert "{eq}" not in text
                assert "](" not in text


def test_canvas_gets_every_question_with_its_one_right_answer(exported):
    for file, asked in COURSE.items():
        with zipfile.ZipFile(exported / f"{file}.zip") as archive:
            (quiz,) = [n for n in archive.namelist() if re.search(r"/text2qti_assessment_\w+\.xml$", n)]
            root = ElementTree.fromstring(archive.read(quiz))
        items = root.findall(f".//{QTI}item")
        assert [item.get("title") for item in items] == list(asked)
        for item in items:
            right, options = asked[item.get("title")]
            labels = item.findall(f".//{QTI}response_label")
            assert [letters("".join(label.itertext())) for label in labels] == [letters(o) for o in options]
            full = [
                c.findtext(f"{QTI}conditionvar/{QTI}varequal")
                for c in item.findall(f".//{QTI}respcondition")
                if c.findtext(f"{QTI}setvar") == "100"
            ]
            assert full == [labels[right].get("ident")]
