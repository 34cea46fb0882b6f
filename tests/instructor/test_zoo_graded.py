"""The zoo of every page through the whole kit, and a class of thirty: long, so `make verify` runs them."""

import os
import subprocess
import time
import tomllib

import pytest
from notebook_form import ROOT
from submissions import answered, moodle, roster, solutions, text, the_page

PAGES = [path.stem.removesuffix("_exercises") for path in sorted((ROOT / "chapters").glob("*_exercises.ipynb"))]


def animals(name):
    """(submissions, expected): each submission holds one wrong or another right answer to every exercise."""
    page = the_page(name)
    zoo = tomllib.loads((ROOT / f"tests/exercises/zoo/{name}.toml").read_text(encoding="utf-8"))
    items = {item.name: item for item in page.items if item.kind == "code"}
    answers = {item: [] for item in items}
    for kind in ("wrong", "right"):
        for animal in zoo.get(kind, []):
            points = animal.get("points", 0 if kind == "wrong" else items[animal["exercise"]].points)
            answers[animal["exercise"]].append((animal["code"], points))
    made, expected = {}, {}
    for number in range(max(map(len, answers.values()))):
        who, given = f"zoo-{number}", {}
        expected[who] = {}
        for item, found in answers.items():
            if number < len(found):
                given[items[item].answer_id], expected[who][item] = found[number]
        made[who] = text(answered(page, given))
    return made, expected


@pytest.mark.sweep
@pytest.mark.parametrize("name", PAGES)
def test_every_wrong_answer_gets_its_declared_points(make_kit, name):
    kit, (made, expected) = make_kit(), animals(name)
    kit.ok("assign", name)
    done = kit.collect(name, moodle({who: ("a.ipynb", content) for who, content in made.items()}), roster(made))
    assert done.returncode == 0, done.stderr
    kit.ok("grade", name)
    table = [
        (who, item, points, row[item] or row[f"{item} status"])
        for who, row in kit.grades(name).items()
        for item, points in expected[who].items()
    ]
    assert len(table) > 15
    wrong = [line for line in table if line[3] not in (f"{line[2]:g}", "not attempted" if not line[2] else "")]
    assert not wrong, wrong


@pytest.mark.sweep
@pytest.mark.parametrize("name", PAGES)
def test_a_full_solution_is_full(make_kit, name):
    kit, page = make_kit(), the_page(name)
    kit.ok("assign", name)
    kit.collect(name, moodle({"ada": ("a.ipynb", text(answered(page, solutions(page))))}), roster(["ada"]))
    kit.ok("grade", name)
    row = kit.grades(name)["ada"]
    for item in page.items:
        expected = (f"{item.points:g}", "ok") if item.kind == "code" else ("", "check by hand")
        assert (row[item.name], row[f"{item.name} status"]) == expected, item.name


@pytest.mark.sweep
def test_thirty_submissions_in_five_minutes(make_kit):
    kit, page = make_kit(), the_page("09")
    kit.ok("assign", "09")
    who = [f"s{number}" for number in range(30)]
    full = text(answered(page, solutions(page)))
    kit.collect("09", moodle(dict.fromkeys(who, ("a.ipynb", full))), roster(who))
    start = time.monotonic()
    said = kit.ok("grade", "09")
    seconds = time.monotonic() - start
    assert "running  [##############################] 30/30" in said
    first = (kit.folder / "course/grades" / page.assignment / "grades.csv").read_bytes()
    assert seconds < 300, f"{seconds:.0f} s"
    kit.ok("grade", "09")
    assert (kit.folder / "course/grades" / page.assignment / "grades.csv").read_bytes() == first


def test_without_a_sandbox_there_is_a_warning_and_the_same_grades(make_kit):
    """No network, no files and no rights are what is missing then; a hang, a crash and a bomb are held all the same."""
    kit, page = make_kit(), the_page("09")
    kit.ok("assign", "09")
    ended = {"ex2a-solution": solutions(page)["ex2a-solution"], "ex1-solution": "import os\nos._exit(3)"}
    kit.collect("09", moodle({"ada": ("a.ipynb", text(answered(page, ended)))}), roster(["ada"]))
    done = kit.run("grade", "09", KIT_SANDBOX="none")
    if "root's limits hold nobody" in done.stderr:  # refused, in one sentence, where it would be reckless
        assert (os.getuid(), done.returncode, done.stderr.count("\n")) == (0, 1, 1)
        return
    assert done.stdout.startswith("WARNING: no sandbox."), done.stderr
    row = kit.grades(page.assignment)["ada"]
    assert (row["ex2a"], row["ex1 status"]) == ("1", "crashed")


def test_inside_the_sandbox_there_is_no_network_and_no_file_of_ours(make_kit, tmp_path):
    from instructor.kit import sandbox

    if not sandbox.bubblewrap():
        pytest.skip("no bubblewrap that works here; the run above covers what is left")
    look = f"""
import os, socket
seen = [path for path in ({str(ROOT / "chapters")!r}, {str(ROOT / "tests")!r}, {str(tmp_path)!r}, '/root/.ssh', '/home')
        if os.path.exists(path)]
try:
    socket.create_connection(("1.1.1.1", 53), timeout=2)
    seen.append("network")
except OSError:
    pass
for path in ({str(ROOT / "gmmlib")!r}, {str(ROOT / "data")!r}, '/usr', '/run'):
    try:
        open(path + "/x", "w")
        seen.append("wrote " + path)
    except OSError:
        pass
seen += [name for name in os.environ if "TOKEN" in name or "KEY" in name or name == "SECRET_OF_THE_COURSE"]
seen += ["root"] if os.getuid() == 0 and sorted(os.listdir("/proc/1/")) and os.access("/etc", os.W_OK) else []
print(seen)
"""
    cells = [{"number": 0, "kind": "answer", "source": look}]
    os.environ["SECRET_OF_THE_COURSE"] = "x"
    found = sandbox.run([{"item": "a", "cells": cells}], str(tmp_path / "fonts"))
    assert found["a"]["cells"]["0"]["outputs"][0]["text"] == "[]\n"
    assert subprocess.run(["ls", ROOT / "chapters"], capture_output=True).returncode == 0  # outside it is there
