"""The course's data sets, each with its units and its source.

The numbers live in the repository's folder `data/`, whose README.md tells where
each file comes from. Nothing is downloaded, and every file is compared with its
checksum whenever it is read.
"""

import csv
import hashlib
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
        One unit per column of `X`; "1" stands for a plain number or a count,
        "?" for a unit that the source does not give.
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
        columns = [
            name if unit == "1" else f"{name} ({unit})"
            for name, unit in zip(self.feature_names, self.units, strict=True)
        ]
        shown = columns if D <= 6 else [*columns[:3], "...", columns[-1]]
        classes = "" if self.target_names is None else f"; classes: {', '.join(self.target_names)}"
        return f"<{self.name}: {N} x {D}; {', '.join(shown)}{classes}>"


def _read(file_name):
    """Columns of one CSV as arrays of str, once its checksum agrees."""
    content = _content(_HOME / file_name)
    lines = _content(_HOME / "SHA256SUMS").decode(errors="replace").splitlines()
    expected = {line[66:]: line[:64] for line in lines}.get(file_name)
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise ValueError(
            f"{_HOME / file_name} is not the file of the course: its sha256 should be {expected} "
            f"and is {actual}; {_RESTORE}"
        )
    header, *rows = csv.reader(content.decode().splitlines())
    return dict(zip(header, np.array(rows).T, strict=True))


def _content(path):
    """Bytes of a file; Windows' line ends count as plain ones."""
    try:
        return path.read_bytes().replace(b"\r\n", b"\n")
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing; {_RESTORE}") from None


def _table(columns, names):
    """The named columns as one float table (N, D)."""
    return np.column_stack([columns[name].astype(float) for name in names])


def _codes(labels, order):
    """Position of each label in `order`, as an int array (N,)."""
    return np.array([order.index(label) for label in labels])


def load_old_faithful():
    """Old Faithful: 272 eruptions and the waits after them.

    Returns
    -------
    Dataset
        `X` is (272, 2): `eruptions`, how long the geyser blew, and `waiting`, the
        time until it blew again, both in minutes.

    Notes
    -----
    Haerdle (1991); the same numbers as R's `faithful`. Durations are whole seconds,
    often multiples of five; waits are whole minutes. Other records of the geyser
    are about: Azzalini and Bowman (1990) have 299 rows, with the night's eruptions
    coded as 2, 3 or 4 minutes.
    """
    names = ("eruptions", "waiting")
    return Dataset(
        name="Old Faithful",
        X=_table(_read("old_faithful.csv"), names),
        feature_names=names,
        units=("min", "min"),
        description=(
            "One row per eruption of the geyser Old Faithful in Yellowstone National Park: "
            "its duration and the waiting time to the next eruption."
        ),
        source=(
            "W. Haerdle (1991), Smoothing Techniques with Implementation in S, Springer; "
            "numbers as in R's datasets::faithful."
        ),
    )


def load_galaxies(row78="26.690"):
    """Speeds at which 82 galaxies recede, in the direction of Corona Borealis.

    Parameters
    ----------
    row78 : {"26.690", "26.960"}
        Which value galaxy 78 gets. R's MASS ships 26690 and says in its help that
        it should be 26960; many published fits, and ours, use 26.690.

    Returns
    -------
    Dataset
        `X` is (82, 1): `velocity` in 1000 km/s.

    Notes
    -----
    Postman, Huchra and Geller (1986); as a mixture, Roeder (1990), who leaves out
    an 83rd galaxy at 5.607.
    """
    versions = {"26.690": "velocity", "26.960": "velocity_26960"}
    if row78 not in versions:
        raise ValueError(f'row78 must be "26.690" or "26.960", not {row78!r}')
    return Dataset(
        name="Galaxies",
        X=_table(_read("galaxies.csv"), [versions[row78]]),
        feature_names=("velocity",),
        units=("1000 km/s",),
        description=(
            "One row per galaxy in six cones through the Corona Borealis region: "
            f"the speed at which it recedes. Row 78 is {row78}; the other reading is "
            f"{'26.960' if row78 == '26.690' else '26.690'}."
        ),
        source=(
            "M. Postman, J. P. Huchra and M. J. Geller (1986), Astronomical Journal 92; "
            "K. Roeder (1990), JASA 85; numbers as in R's MASS::galaxies."
        ),
    )


def load_penguins():
    """Palmer penguins: four measurements of 342 birds of three species.

    Returns
    -------
    Dataset
        `X` is (342, 4): `bill_length`, `bill_depth` and `flipper_length` in mm,
        `body_mass` in g. `y` codes the species. `column("sex")` ("male", "female",
        or "" for the nine birds without record) and `column("island")` are strings.

    Notes
    -----
    Gorman, Williams and Fraser (2014), CC0. Two of the 344 birds were not
    measured and are left out.
    """
    names = ("bill_length", "bill_depth", "flipper_length", "body_mass")
    species = ("Adelie", "Chinstrap", "Gentoo")
    columns = _read("penguins.csv")
    return Dataset(
        name="Palmer penguins",
        X=_table(columns, names),
        feature_names=names,
        units=("mm", "mm", "mm", "g"),
        description=(
            "One row per penguin near Palmer Station, Antarctica, 2007-2009: size of bill "
            "and flipper, and body mass. The two birds without measurements are left out."
        ),
        source=(
            "K. B. Gorman, T. D. Williams and W. R. Fraser (2014), PLOS ONE 9(3) e90081; "
            "from the package palmerpenguins, CC0."
        ),
        y=_codes(columns["species"], species),
        target_names=species,
        extra={"sex": columns["sex"], "island": columns["island"]},
    )


def load_hasselblad():
    """Death notices of women of 80 and over in The Times, on 1096 days.

    Returns
    -------
    Dataset
        `X` is (1096, 1): `deaths`, the number of notices on a day, sorted. Only
        the counts of days survive, not their order:
        `np.unique(X, return_counts=True)` gives the published table back.

    Notes
    -----
    Hasselblad (1969). One Poisson fits badly, two fit well; in the usual
    explanation their rates belong to summer and winter.
    """
    columns = _read("hasselblad_deaths.csv")
    deaths = np.repeat(columns["deaths"].astype(float), columns["days"].astype(int))
    return Dataset(
        name="Hasselblad deaths",
        X=deaths[:, None],
        feature_names=("deaths",),
        units=("1",),
        description=(
            "One row per day of three years: death notices for women aged 80 and over in "
            "The Times of London. The order of the days is not recorded; rows are sorted."
        ),
        source="V. Hasselblad (1969), JASA 64, 1459-1471.",
    )


def load_earthquakes():
    """Major earthquakes in the world, year by year from 1900 to 2006.

    Returns
    -------
    Dataset
        `X` is (107, 1): `count`, earthquakes of magnitude 7 or more in a year, in
        order of time. `column("year")` gives the years.

    Notes
    -----
    U.S. Geological Survey; the numbers studied by Zucchini, MacDonald and
    Langrock (2016).
    """
    columns = _read("earthquakes.csv")
    return Dataset(
        name="Earthquakes",
        X=_table(columns, ["count"]),
        feature_names=("count",),
        units=("1",),
        description="One row per year, 1900-2006: earthquakes of magnitude 7 or more, worldwide.",
        source=(
            "U.S. Geological Survey; as in W. Zucchini, I. L. MacDonald and R. Langrock "
            "(2016), Hidden Markov Models for Time Series, 2nd ed."
        ),
        extra={"year": columns["year"].astype(int)},
    )


def load_enzyme():
    """Activity of an enzyme that breaks down carcinogens, in 245 people.

    Returns
    -------
    Dataset
        `X` is (245, 1): `activity`, a ratio of two metabolites, without unit.

    Notes
    -----
    Bechtel et al. (1993); as a mixture, Richardson and Green (1997). Often called
    the activity "in the blood", though the title of the source says urine.
    """
    return Dataset(
        name="Enzyme",
        X=_table(_read("enzyme.csv"), ["activity"]),
        feature_names=("activity",),
        units=("1",),
        description=(
            "One row per person: activity of N-acetyltransferase, measured after a dose of "
            "caffeine as the ratio of two metabolites (AFMU to 1X) in the urine. Slow and fast "
            "metabolisers differ by their genes."
        ),
        source=(
            "Y. C. Bechtel et al. (1993), Clinical Pharmacology and Therapeutics 54, 134-141; "
            "numbers as in the R packages mixAK and multimode."
        ),
    )


def load_diabetes_reaven(version="corrected"):
    """Diabetes: three blood measurements of 145 adults who are not obese.

    Parameters
    ----------
    version : {"corrected", "mclust"}
        Patient 104 (counted from 1) has a glucose area of 455. The copy in R's
        mclust says 45; "mclust" gives that one, to compare with published fits.

    Returns
    -------
    Dataset
        `X` is (145, 3): `fasting_glucose` in mg/100 ml, `glucose_area` in
        h mg/100 ml, `insulin_area` in h uU/ml. `y` codes the clinical classes.

    Notes
    -----
    Reaven and Miller (1979) cluster glucose area, insulin area and steady-state
    plasma glucose. R's mclust labels its three columns `glucose`, `insulin` and
    `sspg` after those, but they hold what the names here say: fasting glucose came
    in, and steady-state glucose is absent. Not the diabetes data of scikit-learn.
    """
    versions = {"corrected": "glucose_area", "mclust": "glucose_area_mclust"}
    if version not in versions:
        raise ValueError(f'version must be "corrected" or "mclust", not {version!r}')
    columns = _read("diabetes_reaven_miller.csv")
    classes = ("Normal", "Chemical", "Overt")
    return Dataset(
        name="Diabetes (Reaven and Miller)",
        X=_table(columns, ["fasting_glucose", versions[version], "insulin_area"]),
        feature_names=("fasting_glucose", "glucose_area", "insulin_area"),
        units=("mg/100 ml", "h mg/100 ml", "h uU/ml"),
        description=(
            "One row per adult: fasting plasma glucose, and the areas under the curves of "
            "plasma glucose and plasma insulin in the three hours after drinking glucose. "
            f"Patient 104's glucose area is {'455' if version == 'corrected' else '45, a slip for 455'}."
        ),
        source=(
            "G. M. Reaven and R. G. Miller (1979), Diabetologia 16, 17-24; "
            "numbers as in R's mclust, with one value corrected."
        ),
        y=_codes(columns["group"], classes),
        target_names=classes,
    )


def load_iris():
    """Irises: four measurements of 150 flowers of three species.

    Returns
    -------
    Dataset
        `X` is (150, 4): `sepal_length`, `sepal_width`, `petal_length` and
        `petal_width` in cm. `y` codes the species.

    Notes
    -----
    Fisher (1936), as in scikit-learn and R. The copy in the UCI repository
    differs from Fisher's paper, and from this one, in flowers 35 and 38.
    """
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    species = ("setosa", "versicolor", "virginica")
    columns = _read("iris.csv")
    return Dataset(
        name="Iris",
        X=_table(columns, names),
        feature_names=names,
        units=("cm",) * 4,
        description="One row per flower: length and width of its sepals and petals.",
        source="R. A. Fisher (1936), Annals of Eugenics 7; numbers as in scikit-learn and R.",
        y=_codes(columns["species"], species),
        target_names=species,
    )


def load_digits():
    """Handwritten digits, 8 x 8 pixels each, from scikit-learn.

    Returns
    -------
    Dataset
        `X` is (1797, 64): ink per pixel, from 0 to 16, row by row. `y` is the digit.

    Notes
    -----
    Alpaydin and Kaynak (1998), UCI Machine Learning Repository.
    """
    from sklearn.datasets import load_digits as load  # heavy: only when asked for

    bunch = load()
    return Dataset(
        name="Digits",
        X=bunch.data.astype(float),
        feature_names=tuple(bunch.feature_names),
        units=("1",) * 64,
        description="One row per handwritten digit: ink in each of 8 x 8 pixels, 0 to 16.",
        source=(
            "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, "
            "UCI Machine Learning Repository; the copy in scikit-learn."
        ),
        y=bunch.target.copy(),
        target_names=tuple(str(digit) for digit in bunch.target_names),
    )


def load_wine():
    """Wines: thirteen chemical measurements of 178 wines, from scikit-learn.

    Returns
    -------
    Dataset
        `X` is (178, 13) on very different scales. `y` codes three growers' cultivars.

    Notes
    -----
    Aeberhard and Forina (1992), UCI Machine Learning Repository. The repository
    gives no units; scikit-learn's description names R. A. Fisher as creator, a slip.
    """
    from sklearn.datasets import load_wine as load  # heavy: only when asked for

    bunch = load()
    return Dataset(
        name="Wine",
        X=bunch.data.astype(float),
        feature_names=tuple(bunch.feature_names),
        units=("?",) * 13,
        description="One row per wine from one region of Italy: results of a chemical analysis.",
        source=("S. Aeberhard and M. Forina (1992), Wine, UCI Machine Learning Repository; the copy in scikit-learn."),
        y=bunch.target.copy(),
        target_names=tuple(str(name) for name in bunch.target_names),
    )
