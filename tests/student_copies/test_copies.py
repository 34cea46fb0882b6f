"""A student's folder: filled, brought up to date, and never written over."""

import json

import pytest
from notebook_form import ChapterError

import student
from student import RECORD, copy_to, main


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two small notebooks; `course(name, text)` changes one."""
    folder = tmp_path / "student"
    folder.mkdir()
    monkeypatch.setattr(student, "STUDENT", folder)

    def publish(name, text):
        (folder / name).write_text(text)

    publish("01_a.ipynb", "one")
    publish("02_b.ipynb", "two")
    return publish


@pytest.fixture
def mine(course, tmp_path):
    folder = tmp_path / "my-course"
    assert copy_to(folder) == ["new      my-course/01_a.ipynb", "new      my-course/02_b.ipynb"]
    return folder


def test_a_second_copy_says_and_changes_nothing(mine):
    (mine / "01_a.ipynb").write_text("my work")
    assert copy_to(mine) == []
    assert (mine / "01_a.ipynb").read_text() == "my work"


def test_an_untouched_notebook_follows_the_course(course, mine):
    course("01_a.ipynb", "one, better")
    assert copy_to(mine) == ["updated  my-course/01_a.ipynb, which you had not changed"]
    assert (mine / "01_a.ipynb").read_text() == "one, better"
    assert copy_to(mine) == []


def test_work_is_kept_when_the_course_changes_and_the_student_is_told(course, mine):
    (mine / "01_a.ipynb").write_text("my work")
    course("01_a.ipynb", "one, better")
    said = copy_to(mine)
    assert said == ["kept     my-course/01_a.ipynb, your work; the course's version is student/01_a.ipynb"]
    assert (mine / "01_a.ipynb").read_text() == "my work"


def test_a_notebook_of_the_students_own_by_that_name_is_kept(course, mine):
    (mine / "03_c.ipynb").write_text("mine, before the course had one")
    course("03_c.ipynb", "three")
    assert "kept" in copy_to(mine)[0]
    assert (mine / "03_c.ipynb").read_text() == "mine, before the course had one"


def test_a_removed_notebook_comes_back_fresh(mine):
    (mine / "02_b.ipynb").unlink()
    assert copy_to(mine) == ["new      my-course/02_b.ipynb"]


@pytest.mark.parametrize("record", [None, "{", ""])
def test_without_a_record_everything_there_is_the_students(course, mine, record):
    (mine / RECORD).unlink()
    if record is not None:
        (mine / RECORD).write_text(record)
    course("01_a.ipynb", "one, better")
    assert "kept" in copy_to(mine)[0]
    assert (mine / "01_a.ipynb").read_text() == "one"
    assert json.loads((mine / RECORD).read_text())


def test_a_file_in_the_way_is_named(course, tmp_path, capsys):
    (tmp_path / "my-course").write_text("notes")
    with pytest.raises(ChapterError, match="my-course is a file"):
        copy_to(tmp_path / "my-course")
    assert main(["copy", "--to", str(tmp_path / "my-course")]) == 1
    assert "move it" in capsys.readouterr().err
    assert (tmp_path / "my-course").read_text() == "notes"


def test_the_command_says_where_the_notebooks_are(course, tmp_path, capsys):
    assert main(["copy", "--to", str(tmp_path / "here")]) == 0
    said = capsys.readouterr().out
    assert said.endswith("Your notebooks are in here/. They are yours: nothing there is overwritten.\n")
    with pytest.raises(SystemExit) as stop:
        main(["copy", "--port=1"])
    assert stop.value.code == 2
