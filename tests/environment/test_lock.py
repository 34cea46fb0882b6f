"""requirements.txt is complete: only then may it be installed with --no-deps, and only then can it not rot.

A lock that leaves something open leaves it to the day of the install. `coverage` where pytest-cov
asks for `coverage[toml]` was such a hole: some versions of pip looked for the extra anew.
"""

import tomllib
from pathlib import Path

import lock
import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "requirements.txt").read_text()
PINS = lock.read(TEXT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = tuple(PROJECT["optional-dependencies"])
MACHINES = dict(lock.everywhere())
HASH = "--hash=sha256:" + 64 * "0"


@pytest.fixture(scope="module")
def packages():
    return lock.installed()


def test_every_line_is_one_version_with_hashes_and_names_no_place():
    assert len(PINS) > 100
    assert lock.not_a_pin(TEXT) == []


def test_what_is_installed_is_what_is_pinned(packages):
    assert lock.unlike(PINS, packages, lock.here()) == [], "make the environment anew: rm -r .venv, then make book"


def test_the_pins_are_complete_on_this_machine(packages):
    assert {"gmmlib", "pytest-cov", "jupyterlab"} <= packages.keys()
    assert lock.unmet(PINS, packages, lock.here(), root_extras=EXTRAS) == []


@pytest.mark.parametrize("machine", MACHINES)
def test_the_pins_are_complete_on_every_machine_of_the_readme(packages, machine):
    assert lock.unmet(PINS, packages, MACHINES[machine], root_extras=EXTRAS) == []


# --- the judges see what is broken ---------------------------------------------------------


def judged(text, packages, **more):
    return lock.unmet(lock.read(text), packages, lock.here(), **more)


PYTEST_COV = {"pytest-cov": ("7.1.0", ("coverage[toml]>=7.10.6", "six; extra == 'testing'"))}


def test_an_extra_without_a_pin_of_its_own_is_found():
    text = f"coverage{{}}==7.17.3 \\\n    {HASH}\n    # via pytest-cov\npytest-cov==7.1.0 \\\n    {HASH}\n"
    assert judged(text.format("[toml]"), PYTEST_COV) == []
    assert judged(text.format(""), PYTEST_COV) == [
        "pytest-cov requires coverage[toml]>=7.10.6, but coverage is pinned without [toml]"
    ]


def test_this_lock_without_its_extras_is_found_wanting(packages):
    stripped = TEXT.replace("coverage[toml]==", "coverage==")
    assert stripped != TEXT
    found = judged(stripped, packages, root_extras=EXTRAS)
    assert any("coverage is pinned without [toml]" in sentence for sentence in found), found


def test_what_an_extra_requires_must_be_pinned_too():
    packages = {"coverage": ("7.17.3", ("tomli; extra == 'toml'",))}
    assert judged(f"coverage==7.17.3 {HASH}", packages) == []
    assert judged(f"coverage[toml]==7.17.3 {HASH}", packages) == [
        'coverage requires tomli; extra == "toml", which is not pinned'
    ]


def test_a_pin_must_exist_and_satisfy():
    assert judged(f"pytest-cov==7.1.0 {HASH}", PYTEST_COV) == [
        "pytest-cov requires coverage[toml]>=7.10.6, which is not pinned"
    ]
    old = f"pytest-cov==7.1.0 {HASH}\ncoverage[toml]==7.0 {HASH}"
    assert judged(old, PYTEST_COV) == ["pytest-cov requires coverage[toml]>=7.10.6, but coverage is pinned to 7.0"]


def test_a_pin_for_another_machine_is_none():
    text = f"pytest-cov==7.1.0 {HASH}\ncoverage[toml]==7.17.3 ; sys_platform == 'win32' {HASH}"
    for machine, environment in MACHINES.items():
        found = lock.unmet(lock.read(text), PYTEST_COV, environment)
        assert bool(found) == (not machine.startswith("Windows")), machine


def test_what_gmmlib_itself_requires_must_be_pinned():
    packages = {"gmmlib": ("0.1.0", ("numpy>=2", "ruff; extra == 'test'"))}
    text = f"numpy==2.4.6 {HASH}"
    assert judged(text, packages) == []
    found = judged(text, packages, root_extras=("test",))
    assert found == ['gmmlib requires ruff; extra == "test", which is not pinned']


def test_a_stranger_in_the_environment_is_not_judged():
    assert judged(f"numpy==2.4.6 {HASH}", PYTEST_COV) == []


def test_another_version_than_the_pinned_one_is_found():
    pins = lock.read(f"numpy==2.4.6 {HASH}\nscipy==1.17.1 {HASH}\npywinpty==3.1.2 ; os_name == 'never' {HASH}")
    assert lock.unlike(pins, {"numpy": ("2.5.0", ())}, lock.here()) == [
        "numpy is pinned to 2.4.6 and 2.5.0 is installed",
        "scipy is pinned to 1.17.1 and nothing is installed",
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"numpy==2.4.6 {HASH}", None),
        ("numpy==2.4.6", "numpy==2.4.6 has no hash"),
        ("numpy==2.4.6 --hash=md5:0123", "numpy==2.4.6 has no hash"),
        (f"numpy>=2.4 {HASH}", "numpy>=2.4 is not pinned to one version"),
        (f"numpy==2.* {HASH}", "numpy==2.* is not pinned to one version"),
        ("--index-url https://example.org/simple", "--index-url names an index or an address, or is an option of pip"),
        ("-r more.txt", "-r names an index or an address, or is an option of pip"),
        (f"numpy @ https://example.org/numpy.whl {HASH}", "numpy names an index or an address, or is an option of pip"),
    ],
)
def test_a_line_that_pins_nothing_is_found(line, complaint):
    assert lock.not_a_pin(line) == ([complaint] if complaint else [])
