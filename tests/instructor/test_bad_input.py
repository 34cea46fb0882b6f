"""Bad input: one clear sentence, nothing half-written, nothing lost."""

import errno
import io
import zipfile

import pytest
from submissions import CHAPTER, answered, moodle, roster, solutions, text, the_page

from instructor.kit import collect, course, rebuild
from instructor.kit.course import Course, KitError

PAGE = the_page()
NAME = PAGE.assignment


@pytest.fixture
def handed_out(tmp_path):
    """A course whose chapter was handed out, as far as collecting knows."""
    (tmp_path / "course/source" / NAME).mkdir(parents=True)
    return tmp_path


def zipped(files, damage=None):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    data = packed.getvalue()
    return damage(data) if damage else data


def collected(folder, data, people="id,name\n1001,Ada Lovelace\n1002,Bo Li\n", encoding="utf-8", chapter=CHAPTER):
    (folder / "x.zip").write_bytes(data)
    (folder / "roster.csv").write_text(people, encoding=encoding)
    return collect.collect(Course(folder / "course"), chapter, [folder / "x.zip"], folder / "roster.csv")


def received(folder):
    there = folder / "course/received" / NAME
    return sorted(str(path.relative_to(there)) for path in there.rglob("*") if path.is_file())


NOTEBOOK = text(PAGE.student())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not a zip that can be opened"),
        (b"hello", "not a zip that can be opened"),
        (zipped({}), "is an empty zip"),
        (zipped({"1001_a.ipynb": NOTEBOOK})[:200], "not a zip that can be opened"),
        (zipped({"1001_a.ipynb": NOTEBOOK}, lambda d: d[:300] + b"\x00" * 200 + d[500:]), "damaged|cannot|not a zip"),
        (zipped({"../../1001_a.ipynb": NOTEBOOK}), "leads out of it, '../../1001_a.ipynb'; nothing was unpacked"),
        (zipped({"/etc/1001_a.ipynb": NOTEBOOK}), "leads out of it"),
        (zipped({"1001_ok.ipynb": NOTEBOOK, "C:\\1001_a.ipynb": NOTEBOOK}), "leads out of it"),
    ],
    ids=["nothing", "text", "no files", "cut off", "damaged", "up", "root", "drive"],  # a zip has its hour in it
)
def test_a_zip_that_is_none_is_refused_whole(handed_out, data, told):
    collected(handed_out, zipped({"1001_a.ipynb": NOTEBOOK}))
    before = received(handed_out)
    with pytest.raises(KitError, match=told) as caught:
        collected(handed_out, data)
    assert "\n" not in str(caught.value)
    assert received(handed_out) == before
    assert not list(handed_out.parent.glob("1001*"))


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ("id,name\n1001,Ada\n1001,Bo\n", "line 3 of the roster: the id 1001 stands there twice"),
        ("id,name\nab,Ada\nAB,Bo\n", "the id AB stands there twice"),
        ("first,second\n1,2\n", "has no column of ids"),
        ("", "is empty"),
        ("id,name\n", "names nobody"),
        ("id,name\n../../etc,Ada\n", "has more than letters"),
    ],
)
def test_a_roster_that_is_none(handed_out, people, told):
    with pytest.raises(KitError, match=told):
        collected(handed_out, zipped({"1001_a.ipynb": NOTEBOOK}), people)
    assert not (handed_out / "course/received").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_a_roster_in_any_usual_encoding(handed_out, encoding, comma):
    people = "ID number,First name,Surname\n1001,Zoë,Müller\n1002,Bo,Li\n".replace(",", comma)
    collected(handed_out, zipped({"Zoe Muller_77_assignsubmission_file_/a.ipynb": NOTEBOOK}), people, encoding)
    assert received(handed_out) == ["1001.ipynb", "roster.csv"]
    assert "Zoë Müller" in (handed_out / "course/received" / NAME / "roster.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace_4711_assignsubmission_file_/mine (2).ipynb",  # Moodle, in folders; the number is Moodle's
        "Ada Lovelace_4711_assignsubmission_file_mine.ipynb",  # Moodle, flat
        "Participant_1001_assignsubmission_file_/mine.ipynb",  # Moodle, names hidden
        "lovelaceada_1001_998877_09_em_gaussian_mixtures_exercises-1.ipynb",  # Canvas
        "lovelaceada_LATE_1001_998877_final.ipynb",  # Canvas, late
        "lovelaceada_5_998877_final.ipynb",  # Canvas, its id not on the roster
        "1001.ipynb",
        "any/folder/1001/notebook.json",
    ],
)
def test_a_file_finds_its_student(handed_out, name):
    collected(handed_out, zipped({name: NOTEBOOK}))
    assert received(handed_out) == ["1001.ipynb", "roster.csv"]


def test_a_zip_in_the_zip_is_opened_and_the_newest_counts(handed_out):
    files = {
        "1001_first.ipynb": NOTEBOOK.replace("Exercises", "Exercises "),
        "1001_all.zip": zipped({"x.ipynb": NOTEBOOK}),
    }
    said = collected(handed_out, zipped(files))
    assert (handed_out / "course/received" / NAME / "1001.ipynb").exists()
    assert any("another of theirs counts" in line for line in said)
    assert len(received(handed_out)) == 3


def test_a_submission_for_another_chapter_is_put_aside(handed_out):
    other = text(answered(of := the_page("01"), solutions(of)))
    said = collected(handed_out, zipped({"1001_a.ipynb": other, "1002_b.ipynb": NOTEBOOK, "stranger.ipynb": NOTEBOOK}))
    assert "aside: 1001_a.ipynb of 1001, a submission for chapter 01_one_gaussian" in said
    assert "aside: stranger.ipynb, nobody's on the roster" in said
    assert received(handed_out)[0] == "1002.ipynb"
    assert len(received(handed_out)) == 4


def test_a_second_download_adds_and_loses_nothing(handed_out):
    collected(handed_out, zipped({"1001_a.ipynb": NOTEBOOK}))
    collected(handed_out, zipped({"1002_a.ipynb": NOTEBOOK}))
    assert received(handed_out) == ["1001.ipynb", "1002.ipynb", "roster.csv"]


def test_an_unknown_chapter_and_one_that_was_not_handed_out(tmp_path):
    with pytest.raises(KitError, match="there is no chapter '77' with exercises; there are: 01, 02"):
        collected(tmp_path, zipped({"1001_a.ipynb": NOTEBOOK}), chapter="77")
    with pytest.raises(KitError, match=r"was not handed out; run `make assign CH=09` first"):
        collected(tmp_path, zipped({"1001_a.ipynb": NOTEBOOK}))


def test_a_full_disk_leaves_what_was_there(handed_out, monkeypatch):
    collected(handed_out, zipped({"1001_a.ipynb": NOTEBOOK}))
    kept = (handed_out / "course/received" / NAME / "1001.ipynb").read_bytes()
    written, real = [], course.os.replace

    def full(source, target):
        written.append(target)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(course.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        collected(handed_out, zipped({"1001_a.ipynb": NOTEBOOK.replace("Exercises", "E"), "1002_b.ipynb": NOTEBOOK}))
    assert received(handed_out) == ["1001.ipynb", "roster.csv"]
    assert (handed_out / "course/received" / NAME / "1001.ipynb").read_bytes() == kept
    assert sorted(path.name for path in (handed_out / "course/received").iterdir()) == [NAME]


def test_a_full_disk_is_one_sentence(handed_out, monkeypatch, capsys):
    from instructor.kit import __main__

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(course, "new_folder", full)
    monkeypatch.setattr(collect, "new_folder", full)
    (handed_out / "x.zip").write_bytes(moodle({"1001": ("a.ipynb", NOTEBOOK)}))
    (handed_out / "r.csv").write_text(roster(["1001"]))
    arguments = ["--course", str(handed_out / "course"), "collect", CHAPTER, "--zip", str(handed_out / "x.zip")]
    assert __main__.main([*arguments, "--roster", str(handed_out / "r.csv")]) == 1
    assert capsys.readouterr().err == "collect: the disk is full; make room and run it again, nothing is lost\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"cells": 3}',
        b'{"cells": [3]}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"cells": [{"source": 4}]}',
    ],
)
def test_what_is_not_a_notebook_is_unreadable(data):
    with pytest.raises(rebuild.Unreadable, match="not a notebook"):
        rebuild.parse(data)


def test_a_byte_order_mark_and_utf_16_are_read():
    for encoding in ("utf-8-sig", "utf-16"):
        assert rebuild.likeness(rebuild.parse(NOTEBOOK.encode(encoding)), PAGE) > 5


def dated(entries):
    """A zip of (name, year, content)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name, year, content in entries:
            made.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), content)
    return packed.getvalue()


def test_a_second_download_loses_nothing_whichever_is_newer(handed_out):
    """The newest notebook of all downloads counts; every other one is put aside, once."""
    versions = [text(PAGE.student()).replace("NotImplementedError", f"NotImplementedError  # {n}") for n in range(3)]
    there = handed_out / "course/received" / NAME
    for name, content in [("a", versions[1]), ("b", versions[0]), ("c", versions[2]), ("c", versions[2])]:
        year = 2020 + versions.index(content)
        collected(handed_out, dated([(f"1001_{name}.ipynb", year, content), ("nobody.txt", 2020, b"?")]))
        newest = versions[1] if name in "ab" else versions[2]
        assert (there / "1001.ipynb").read_text(encoding="utf-8") == newest
    aside = {path.name: path.read_text(encoding="utf-8") for path in (there / "aside").iterdir()}
    assert sorted(aside.values()) == sorted(["?", versions[0], versions[1]])
    assert sorted(name[:3] for name in aside) == ["000", "001", "002"]


def test_a_path_that_leads_out_of_a_zip_in_the_zip_is_refused_whole(handed_out):
    inner = zipped({"../../1001_a.ipynb": NOTEBOOK})
    with pytest.raises(KitError, match="leads out of it"):
        collected(handed_out, zipped({"1001_work.zip": inner}))
    assert received(handed_out) == []
