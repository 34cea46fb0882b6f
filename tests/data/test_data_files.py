"""The files of data/: made by their script, checksummed, described."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from inspect import signature
from pathlib import Path

import pytest

from gmmlib import datasets

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
CSVS = sorted(path.name for path in DATA.glob("*.csv"))
CATALOGUE = tomllib.loads((DATA / "catalogue.toml").read_text())
LOADERS = sorted(name for name in datasets.__all__ if name.startswith("load_"))


def checksums():
    lines = (DATA / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def section(name):
    """The part of data/README.md about one file."""
    parts = re.split(r"^## (.+)$", (DATA / "README.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(name, "")


def test_the_eight_tables_are_there():
    assert len(CSVS) == 8


@pytest.mark.parametrize("name", [*CSVS, "catalogue.toml"])
def test_a_file_has_the_checksum_on_record(name):
    content = (DATA / name).read_bytes()
    assert checksums().get(name) == hashlib.sha256(content).hexdigest()


def test_no_checksum_is_left_of_a_file_that_went():
    assert sorted(checksums()) == sorted([*CSVS, "catalogue.toml"])


def test_the_script_makes_the_same_bytes_again(tmp_path):
    subprocess.run([sys.executable, DATA / "make_data.py", tmp_path], check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(made) == sorted([*CSVS, "catalogue.toml", "SHA256SUMS"])
    for name, content in made.items():
        assert content == (DATA / name).read_bytes(), name


def test_the_catalogue_has_one_entry_a_loader_and_one_a_file():
    assert sorted(f"load_{entry}" for entry in CATALOGUE) == LOADERS
    assert sorted(facts["file"] for facts in CATALOGUE.values() if "file" in facts) == CSVS


@pytest.mark.parametrize("entry", [entry for entry, facts in CATALOGUE.items() if "file" in facts])
def test_the_catalogue_accounts_for_every_column_of_a_file(entry):
    facts = CATALOGUE[entry]
    with (DATA / facts["file"]).open() as file:
        header = file.readline().rstrip("\n").split(",")
    versions = [version for value in facts.values() if isinstance(value, dict) for version in value.values()]
    used = {*facts["feature_names"], *facts.get("extra", {}), facts.get("classes"), facts.get("repeat")}
    used.update(*(version["columns"] for version in versions if "columns" in version))
    assert used - {None} == set(header)


def test_the_catalogue_uses_only_keys_that_it_explains():
    explained = re.findall(r"^#   ([\w, ]+?)  ", (DATA / "catalogue.toml").read_text(), flags=re.MULTILINE)
    arguments = {name for loader in LOADERS for name in signature(getattr(datasets, loader)).parameters}
    for entry, facts in CATALOGUE.items():
        assert set(facts) <= {*", ".join(explained).split(", "), *arguments}, entry


@pytest.mark.parametrize("name", CSVS)
@pytest.mark.parametrize(
    "entry", ["What", "Size", "Units", "Source", "Licence", "Made by", "Checked", "Known errors", "sha256"]
)
def test_the_readme_tells_where_a_file_comes_from(name, entry):
    assert re.search(rf"^- \*\*{entry}\*\*: \S", section(name), flags=re.MULTILINE)


@pytest.mark.parametrize("name", CSVS)
def test_the_readme_has_the_checksum_too(name):
    assert f"`{checksums()[name]}`" in section(name)


@pytest.mark.parametrize("name", CSVS)
def test_the_appendix_for_readers_lists_a_file(name):
    assert f"`{name}`" in (ROOT / "chapters" / "data.md").read_text()


@pytest.mark.parametrize("path", sorted((DATA / "raw").iterdir()), ids=lambda path: path.name)
def test_every_transcription_is_used(path):
    assert f'raw("{path.name}")' in (DATA / "make_data.py").read_text()


def test_a_wheel_carries_the_data(tmp_path):
    copy, wheels, site = tmp_path / "copy", tmp_path / "wheels", tmp_path / "site"
    for folder in ["gmmlib", "data"]:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name in ["README.md", "LICENSE"]:
        (copy / name).write_text("stand-in")
    wheels.mkdir()
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, wheels], cwd=copy, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    load = "import gmmlib; from gmmlib import datasets; print(gmmlib.__file__, datasets.load_iris().X.shape)"
    done = subprocess.run(
        [sys.executable, "-c", load],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split(maxsplit=1) == [str(site / "gmmlib" / "__init__.py"), "(150, 4)\n"]
