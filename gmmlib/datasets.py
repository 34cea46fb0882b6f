"""The course's data sets, each with its units and its source.

Every loader returns a fresh `Dataset`. The numbers live in the repository's folder `data/`,
and so do the words about them, in `catalogue.toml`; README.md there tells where each file
comes from. Nothing is downloaded. Every file is compared with its checksum whenever it is
read: FileNotFoundError or ValueError tell of one that is missing or altered.
"""

import csv
import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

__all__ = [
    "Dataset",
    "load_diabetes_reaven",
    "load_digits",
    "load_earthquakes",
    "load_enzyme",
    "load_galaxies",
    "load_hasselblad",
    "load_iris",
    "load_old_faithful",
    "load_penguins",
    "load_wine",
]

# In a clone the data stand beside the package, in a wheel inside it.
_BESIDE = Path(__file__).resolve().parent.parent / "data"
_INSIDE = Path(__file__).resolve().parent / "_data"
_HOME = _INSIDE if _INSIDE.is_dir() else _BESIDE
_RESTORE = "restore the course's folder data, in a clone with: git checkout -- data"


@dataclass(frozen=True, repr=False)
class Dataset:
    """A table of N measurements of D features, and what one needs to know about it.

    Attributes
    ----------
    name : str
        What the data set is called.
    X : ndarray of shape (N, D), float64
        The measurements; a fresh copy for each call of a loader.
    feature_names : tuple of D str
        One name per column of `X`.
    units : tuple of D str
        One unit per column of `X`; "1" stands for a plain number or a count, "?" for an unknown one.
    description : str
        What a row is and what to beware of.
    source : str
        Citation of the measurements.
    y : ndarray of shape (N,) of int, or None
        Known classes, coded 0, 1, ...; never used by a fit.
    target_names : tuple of str, or None
        The class that each code of `y` stands for.
    extra : dict of str to ndarray of shape (N,)
        Further columns that are no features, such as a year.
    """

    name: str
    X: np.ndarray
    feature_names: tuple
    units: tuple
    description: str
    source: str
    y: np.ndarray | None = None
    target_names: tuple | None = None
    extra: dict = field(default_factory=dict)

    def column(self, name):
        """One column by its name.

        Parameters
        ----------
        name : str
            One of `feature_names`, or a key of `extra`.

        Returns
        -------
        ndarray of shape (N,)
            A copy. Estimators want a table: give them `column[:, None]`.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        if name in self.feature_names:
            return self.X[:, self.feature_names.index(name)].copy()
        if name in self.extra:
            return self.extra[name].copy()
        known = ", ".join([*self.feature_names, *self.extra])
        raise KeyError(f"{self.name} has no column {name!r}; it has {known}")

    def __repr__(self):
        N, D = self.X.shape
        named = zip(self.feature_names, self.units, strict=True)
        columns = [name if unit == "1" else f"{name} ({unit})" for name, unit in named]
        shown = columns if D <= 6 else [*columns[:3], "...", columns[-1]]
        classes = "" if self.target_names is None else f"; classes: {', '.join(self.target_names)}"
        return f"<{self.name}: {N} x {D}; {', '.join(shown)}{classes}>"


def _content(name):
    """Bytes of a file of data/; Windows' line ends count as plain ones."""
    try:
        return (_HOME / name).read_bytes().replace(b"\r\n", b"\n")
    except FileNotFoundError:
        raise FileNotFoundError(f"{_HOME / name} is missing; {_RESTORE}") from None


def _read(name):
    """Text of a file of data/, once its checksum agrees."""
    content, sums = _content(name), _content("SHA256SUMS").decode(errors="replace")
    expected = {line[66:]: line[:64] for line in sums.splitlines()}.get(name)
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise ValueError(
            f"{_HOME / name} is not the file of the course: its sha256 should be {expected} and is {actual}; {_RESTORE}"
        )
    return content.decode()


def _load(entry, **choice):
    """A data set in the words of the catalogue, which explains its keys; `choice` is a loader's argument."""
    facts = tomllib.loads(_read("catalogue.toml"))[entry]
    for argument, value in choice.items():
        if value not in facts[argument]:
            values = " or ".join(f'"{known}"' for known in facts[argument])
            raise ValueError(f"{argument} must be {values}, not {value!r}")
        facts |= facts[argument][value]
        facts["description"] += " " + facts["note"]
    table = _from_csv(facts) if "file" in facts else _from_scikit_learn(entry)
    units = facts["units"]
    units = (units,) * table["X"].shape[1] if isinstance(units, str) else tuple(units)
    return Dataset(facts["name"], description=facts["description"], source=facts["source"], units=units, **table)


def _from_csv(facts):
    """What a CSV of the course holds, as arguments of `Dataset`."""
    header, *rows = csv.reader(_read(facts["file"]).splitlines())
    columns = dict(zip(header, np.array(rows).T, strict=True))
    names = tuple(facts["feature_names"])
    X = np.column_stack([columns[name].astype(float) for name in facts.get("columns", names)])
    if "repeat" in facts:
        X = X.repeat(columns[facts["repeat"]].astype(int), axis=0)
    table = {"X": X, "feature_names": names}
    table["extra"] = {name: columns[name].astype(kind) for name, kind in facts.get("extra", {}).items()}
    if "classes" in facts:
        table["target_names"] = order = tuple(facts["target_names"])
        table["y"] = np.array([order.index(label) for label in columns[facts["classes"]]])
    return table


def _from_scikit_learn(entry):
    """What scikit-learn's copy of a data set holds, as arguments of `Dataset`."""
    from sklearn import datasets  # heavy: only when asked for

    bunch = getattr(datasets, f"load_{entry}")()
    return {
        "X": bunch.data.astype(float),
        "feature_names": tuple(bunch.feature_names),
        "y": bunch.target.copy(),
        "target_names": tuple(str(name) for name in bunch.target_names),
    }


def load_old_faithful():
    """Old Faithful: 272 eruptions and the waits after them.

    `X` is (272, 2), in minutes: `eruptions`, how long the geyser blew, and `waiting`, the time until
    it blew again. Haerdle (1991); the same numbers as R's `faithful`. Durations are whole seconds,
    often multiples of five; waits are whole minutes. Other records of the geyser are about: Azzalini
    and Bowman (1990) have 299 rows, with the night's eruptions coded as 2, 3 or 4 minutes.
    """
    return _load("old_faithful")


def load_galaxies(row78="26.690"):
    """Speeds at which 82 galaxies recede, in the direction of Corona Borealis.

    `X` is (82, 1): `velocity` in 1000 km/s. Postman, Huchra and Geller (1986); as a mixture, Roeder
    (1990), who leaves out an 83rd galaxy at 5.607.

    Parameters
    ----------
    row78 : {"26.690", "26.960"}
        Which value galaxy 78 gets. R's MASS ships 26690 and says in its help that it should be
        26960; many published fits, and ours, use 26.690.
    """
    return _load("galaxies", row78=row78)


def load_penguins():
    """Palmer penguins: four measurements of 342 birds of three species.

    `X` is (342, 4): `bill_length`, `bill_depth` and `flipper_length` in mm, `body_mass` in g. `y`
    codes the species. `column("sex")` ("male", "female", or "" for the nine birds without record)
    and `column("island")` are strings. Gorman, Williams and Fraser (2014), CC0. Two of the 344 birds
    were not measured and are left out.
    """
    return _load("penguins")


def load_hasselblad():
    """Death notices of women of 80 and over in The Times, on 1096 days.

    `X` is (1096, 1): `deaths`, the number of notices on a day, sorted. Only the counts of days
    survive, not their order: `np.unique(X, return_counts=True)` gives the published table back.
    Hasselblad (1969). One Poisson fits badly, two fit well; in the usual explanation their rates
    belong to summer and winter.
    """
    return _load("hasselblad")


def load_earthquakes():
    """Major earthquakes in the world, year by year from 1900 to 2006.

    `X` is (107, 1): `count`, earthquakes of magnitude 7 or more in a year, in order of time.
    `column("year")` gives the years. U.S. Geological Survey; the numbers studied by Zucchini,
    MacDonald and Langrock (2016).
    """
    return _load("earthquakes")


def load_enzyme():
    """Activity of an enzyme that breaks down carcinogens, in 245 people.

    `X` is (245, 1): `activity`, a ratio of two metabolites, without unit. Bechtel et al. (1993); as a
    mixture, Richardson and Green (1997). Often called the activity "in the blood", though the title
    of the source says urine.
    """
    return _load("enzyme")


def load_diabetes_reaven(version="corrected"):
    """Diabetes: three blood measurements of 145 adults who are not obese.

    `X` is (145, 3): `fasting_glucose` in mg/100 ml, `glucose_area` in h mg/100 ml, `insulin_area` in
    h uU/ml. `y` codes the clinical classes. Reaven and Miller (1979) cluster glucose area, insulin
    area and steady-state plasma glucose. R's mclust labels its three columns `glucose`, `insulin` and
    `sspg` after those, but they hold what the names here say: fasting glucose came in, and
    steady-state glucose is absent. Not the diabetes data of scikit-learn.

    Parameters
    ----------
    version : {"corrected", "mclust"}
        Patient 104 (counted from 1) has a glucose area of 455. The copy in R's mclust says 45;
        "mclust" gives that one, to compare with published fits.
    """
    return _load("diabetes_reaven", version=version)


def load_iris():
    """Irises: four measurements of 150 flowers of three species.

    `X` is (150, 4), in cm: `sepal_length`, `sepal_width`, `petal_length` and `petal_width`. `y` codes
    the species. Fisher (1936), as in scikit-learn and R. The copy in the UCI repository differs from
    Fisher's paper, and from this one, in flowers 35 and 38.
    """
    return _load("iris")


def load_digits():
    """Handwritten digits, 8 x 8 pixels each, from scikit-learn.

    `X` is (1797, 64): ink per pixel, from 0 to 16, row by row. `y` is the digit. Alpaydin and Kaynak
    (1998), UCI Machine Learning Repository.
    """
    return _load("digits")


def load_wine():
    """Wines: thirteen chemical measurements of 178 wines, from scikit-learn.

    `X` is (178, 13) on very different scales. `y` codes three growers' cultivars. Aeberhard and Forina
    (1992), UCI Machine Learning Repository. The repository gives no units; scikit-learn's description
    names R. A. Fisher as creator, a slip.
    """
    return _load("wine")
