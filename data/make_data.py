"""Make every CSV of this folder, and SHA256SUMS, from its recorded source.

    python data/make_data.py             # into data/
    python data/make_data.py OTHER_DIR   # somewhere else, to compare

The sources are the transcriptions in data/raw/ and two packages pinned in
requirements.txt: palmerpenguins (the penguins) and scikit-learn (the irises).
README.md says where each transcription comes from and what was checked.
catalogue.toml is written by hand; here it gets its checksum.
"""

import csv
import hashlib
import io
import sys
from importlib.resources import files
from pathlib import Path

HERE = Path(__file__).resolve().parent


def raw(name):
    """Rows of a transcription as strings, without the header."""
    with open(HERE / "raw" / name, newline="", encoding="utf-8") as f:
        return list(csv.reader(f))[1:]


def old_faithful():
    return [["eruptions", "waiting"], *raw("old_faithful.csv")]


def galaxies():
    """The speeds twice: with 26.690 and with 26.960 in row 78."""
    rows = [[v, v] for (v,) in raw("galaxies.csv")]
    assert rows[77] == ["26.69", "26.69"], rows[77]
    rows[77] = ["26.69", "26.96"]
    return [["velocity", "velocity_26960"], *rows]


def penguins():
    """The 342 birds that were measured; nine of them have no recorded sex."""
    text = files("palmerpenguins").joinpath("data", "penguins.csv").read_text(encoding="utf-8")
    table = list(csv.DictReader(io.StringIO(text)))
    measured = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    rows = [
        [row["species"], row["island"], "" if row["sex"] == "NA" else row["sex"]] + [row[name] for name in measured]
        for row in table
        if "NA" not in [row[name] for name in measured]
    ]
    return [
        ["species", "island", "sex", "bill_length", "bill_depth", "flipper_length", "body_mass"],
        *rows,
    ]


def hasselblad_deaths():
    return [["deaths", "days"], *raw("hasselblad_deaths.csv")]


def earthquakes():
    return [["year", "count"], *raw("earthquakes.csv")]


def enzyme():
    return [["activity"], *raw("enzyme.csv")]


def diabetes_reaven_miller():
    """Patient 104 has a glucose area of 455; the copy in mclust says 45."""
    rows = [
        [group, fasting, area, area, insulin] for group, fasting, area, insulin in raw("diabetes_reaven_miller.csv")
    ]
    assert rows[103][:3] == ["Chemical", "75", "45"], rows[103]
    rows[103][2] = "455"
    return [
        ["group", "fasting_glucose", "glucose_area", "glucose_area_mclust", "insulin_area"],
        *rows,
    ]


def iris():
    """scikit-learn's irises; flowers 35 and 38 are as in Fisher's paper there."""
    from sklearn.datasets import load_iris

    bunch = load_iris()
    rows = [
        [str(bunch.target_names[label]), *(f"{value:.1f}" for value in row)]
        for row, label in zip(bunch.data, bunch.target, strict=True)
    ]
    return [["species", "sepal_length", "sepal_width", "petal_length", "petal_width"], *rows]


MAKERS = [
    diabetes_reaven_miller,
    earthquakes,
    enzyme,
    galaxies,
    hasselblad_deaths,
    iris,
    old_faithful,
    penguins,
]


def main(folder):
    """Write every CSV, the catalogue and SHA256SUMS into `folder`."""
    contents = {"catalogue.toml": (HERE / "catalogue.toml").read_bytes().replace(b"\r\n", b"\n")}
    for make in MAKERS:
        contents[f"{make.__name__}.csv"] = "".join(",".join(row) + "\n" for row in make()).encode("ascii")
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())
    for name, content in {**contents, "SHA256SUMS": sums.encode("ascii")}.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
