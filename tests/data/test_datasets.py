"""What the loaders return, against other people's copies of the same data."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from gmmlib import datasets

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COPIES = json.loads((HERE / "copies_in_r.json").read_text())["copies"]
R_FITS = json.loads((ROOT / "tests" / "gmmlib" / "reference_values.json").read_text())["fits"]
LOADERS = [getattr(datasets, name) for name in datasets.__all__ if name.startswith("load_")]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def loader(request):
    return request.param


def same_as(copy, table):
    """Same column sums, and same sums weighted by row number, as R's copy."""
    rows = np.arange(1, len(table) + 1)
    assert len(table) == copy["N"]
    assert_allclose(table.sum(axis=0), copy["sum"], rtol=1e-13)
    assert_allclose(rows @ table, copy["sum_by_row"], rtol=1e-13)


# ---- numbers -----------------------------------------------------------------


def test_old_faithful_is_the_one_in_r():
    same_as(COPIES["old_faithful"], datasets.load_old_faithful().X)


def test_old_faithful_has_the_mean_and_covariance_that_mclust_fits():
    X, fit = datasets.load_old_faithful().X, R_FITS["old_faithful_full_1"]
    assert_allclose(X.mean(axis=0), fit["means"][0], rtol=1e-12)
    assert_allclose(np.cov(X.T, bias=True), fit["covariances"][0], rtol=1e-10)


def test_old_faithful_durations_are_whole_seconds():
    seconds = 60 * datasets.load_old_faithful().column("eruptions")
    assert np.abs(seconds - seconds.round()).max() < 0.05


def test_a_third_of_old_faithfuls_durations_are_multiples_of_five_seconds():
    seconds = (60 * datasets.load_old_faithful().column("eruptions")).round()
    assert 0.30 < (seconds % 5 == 0).mean() < 0.35


def test_galaxies_are_those_in_r():
    same_as(COPIES["galaxies"], datasets.load_galaxies().X)


def test_the_two_versions_of_the_galaxies_differ_in_row_78_only():
    usual, other = datasets.load_galaxies().X[:, 0], datasets.load_galaxies(row78="26.960").X[:, 0]
    assert_array_equal(np.flatnonzero(usual != other), [77])
    assert (usual[77], other[77]) == (26.690, 26.960)


def test_penguins_are_those_in_r():
    penguins = datasets.load_penguins()
    same_as(COPIES["penguins"], np.column_stack([penguins.X, penguins.y]))


def test_nine_penguins_have_no_recorded_sex():
    sex = datasets.load_penguins().column("sex")
    counts = [int((sex == value).sum()) for value in ["female", "male", ""]]
    assert counts == [COPIES["penguins"]["female"], COPIES["penguins"]["male"], 9]


def test_iris_is_the_one_in_r():
    iris = datasets.load_iris()
    same_as(COPIES["iris"], np.column_stack([iris.X, iris.y]))


def test_iris_flowers_35_and_38_are_as_in_fishers_paper():
    assert_array_equal(datasets.load_iris().X[[34, 37]], [[4.9, 3.1, 1.5, 0.2], [4.9, 3.6, 1.4, 0.1]])


def test_corrected_diabetes_is_the_one_in_rrcov():
    diabetes = datasets.load_diabetes_reaven()
    same_as(COPIES["diabetes"], np.column_stack([diabetes.X, diabetes.y]))


def test_diabetes_as_in_mclust():
    same_as(COPIES["diabetes_mclust"], datasets.load_diabetes_reaven(version="mclust").X)


def test_the_two_versions_of_diabetes_differ_in_one_glucose_area():
    corrected, mclust = datasets.load_diabetes_reaven().X, datasets.load_diabetes_reaven(version="mclust").X
    assert_array_equal(np.argwhere(corrected != mclust), [[103, 1]])
    assert (corrected[103, 1], mclust[103, 1]) == (455, 45)


def test_enzyme_is_the_one_in_mixak():
    # The 245 values that the R package mixAK lists, added up in the same two ways.
    same_as({"N": 245, "sum": [152.452], "sum_by_row": [18606.331]}, datasets.load_enzyme().X)


def test_two_gammas_on_enzyme_reach_the_published_log_likelihood():
    x, fit = datasets.load_enzyme().X[:, 0], R_FITS["enzyme_gamma_2"]
    parts = zip(fit["weights"], fit["shapes"], fit["rates"], strict=True)
    density = sum(w * stats.gamma(a, scale=1 / rate).pdf(x) for w, a, rate in parts)
    assert round(np.log(density).sum(), 4) == -46.2146


def test_hasselblad_counts_three_years_one_of_them_leap():
    assert len(datasets.load_hasselblad().X) == 365 + 366 + 365


def test_one_poisson_on_hasselblad_reaches_the_published_log_likelihood():
    x = datasets.load_hasselblad().X[:, 0]
    assert round(stats.poisson(x.mean()).logpmf(x).sum(), 6) == -2001.397847


def test_two_poissons_on_hasselblad_reach_the_published_log_likelihood():
    # Rates and weight as the papers on accelerated EM print them.
    x = datasets.load_hasselblad().X[:, 0]
    density = 0.359885 * stats.poisson(1.256095).pmf(x) + 0.640115 * stats.poisson(2.663404).pmf(x)
    assert round(np.log(density).sum(), 5) == -1989.94586


@pytest.mark.parametrize(("K", "published"), [(1, -391.9189), (2, -360.3690), (3, -356.8489), (4, -356.7337)])
def test_poissons_on_earthquakes_reach_the_published_log_likelihoods(K, published):
    x, fit = datasets.load_earthquakes().X[:, 0], R_FITS[f"earthquakes_poisson_{K}"]
    weights, rates = np.atleast_1d(fit["weights"]), np.atleast_1d(fit["rates"])
    density = stats.poisson(rates).pmf(x[:, None]) @ weights
    assert round(np.log(density).sum(), 4) == published


def test_earthquakes_come_year_by_year():
    earthquakes = datasets.load_earthquakes()
    assert_array_equal(earthquakes.column("year"), np.arange(1900, 2007))
    quietest = earthquakes.column("year")[earthquakes.X[:, 0].argmin()]
    assert (quietest, earthquakes.X.min()) == (1986, 6)


# ---- what every data set promises ------------------------------------------------


def test_a_data_set_says_what_its_columns_are(loader):
    data = loader()
    N, D = data.X.shape
    assert data.X.dtype == np.float64
    assert np.isfinite(data.X).all()
    assert len(data.feature_names) == len(data.units) == D
    assert len(set(data.feature_names)) == D
    assert all(data.units)
    assert all([data.name, data.description, data.source])
    assert all(len(column) == N for column in data.extra.values())


def test_known_classes_are_codes_into_their_names(loader):
    data = loader()
    if data.y is None:
        assert data.target_names is None
    else:
        assert data.y.shape == (len(data.X),)
        assert_array_equal(np.unique(data.y), np.arange(len(data.target_names)))


def test_what_one_caller_does_to_the_data_the_next_does_not_see(loader):
    first = loader()
    first.X[:] = 0
    assert loader().X.any()


def test_a_column_is_the_column_of_that_name(loader):
    data = loader()
    for d, name in enumerate(data.feature_names):
        assert_array_equal(data.column(name), data.X[:, d])


def test_a_column_is_a_copy(loader):
    data = loader()
    data.column(data.feature_names[-1])[:] = -1
    assert (data.X[:, -1] != -1).any()


def test_a_column_that_is_not_there_says_which_are():
    with pytest.raises(KeyError, match="has no column 'wait'; it has eruptions, waiting"):
        datasets.load_old_faithful().column("wait")


def test_the_repr_is_one_short_line(loader):
    assert len(repr(loader())) < 180
    assert "\n" not in repr(loader())


def test_the_repr_gives_size_and_units():
    assert repr(datasets.load_old_faithful()) == "<Old Faithful: 272 x 2; eruptions (min), waiting (min)>"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: datasets.load_galaxies(row78=26.69), 'row78 must be "26.690" or "26.960", not 26.69'),
        (lambda: datasets.load_diabetes_reaven(version="raw"), 'version must be "corrected" or "mclust", not \'raw\''),
    ],
)
def test_a_version_that_does_not_exist_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- files that went wrong -------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A copy of data/ for the loaders, to be damaged."""
    home = tmp_path / "data"
    shutil.copytree(ROOT / "data", home)
    monkeypatch.setattr(datasets, "_HOME", home)
    return home


def test_an_altered_file_is_refused(home):
    path = home / "old_faithful.csv"
    path.write_text(path.read_text().replace("3.6,79", "3.6,97", 1))
    with pytest.raises(ValueError, match=r"old_faithful\.csv is not the file of the course: its sha256 should be") as e:
        datasets.load_old_faithful()
    assert "git checkout -- data" in str(e.value)
    assert len(set(re_hashes(str(e.value)))) == 2
    datasets.load_galaxies()


def re_hashes(text):
    return [word.strip(";") for word in text.split() if len(word.strip(";")) == 64]


def test_a_missing_file_is_named_with_the_way_to_get_it_back(home):
    (home / "iris.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"iris\.csv is missing; restore .* git checkout -- data"):
        datasets.load_iris()


def test_words_are_guarded_like_numbers(home):
    path = home / "catalogue.toml"
    path.write_text(path.read_text().replace("Fisher (1936)", "Fischer (1936)"))
    with pytest.raises(ValueError, match=r"catalogue\.toml is not the file of the course: its sha256 should be"):
        datasets.load_iris()
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"catalogue\.toml is missing; restore .* git checkout -- data"):
        datasets.load_iris()


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"\xff nonsense\n")])
def test_checksums_that_are_missing_or_spoilt_stop_the_loader(home, spoil):
    spoil(home / "SHA256SUMS")
    with pytest.raises((FileNotFoundError, ValueError), match="git checkout -- data"):
        datasets.load_enzyme()


def test_a_checkout_with_windows_line_ends_reads_the_same(home):
    expected = datasets.load_penguins()
    for path in [*home.glob("*.csv"), home / "catalogue.toml"]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    found = datasets.load_penguins()
    assert_array_equal(found.X, expected.X)
    assert_array_equal(found.column("sex"), expected.column("sex"))
    assert found.description == expected.description


# ---- lightness --------------------------------------------------------------------


def test_reading_a_file_loads_no_heavy_library():
    code = (
        "import sys; from gmmlib import datasets; datasets.load_penguins(); "
        "print(sorted({'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
