"""The numerical habits: what they promise, at the edges of what float64 can hold."""

import re
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmlib import numerics
from gmmlib.numerics import (
    Frame,
    as_numbers,
    as_points,
    as_weights,
    blas,
    blocks,
    check_kinds,
    log_normalise,
    rows_that_count,
    total_weight,
)

# ------------------------------------------------------------------------- arguments


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_real_numbers_are_taken_as_they_are(dtype):
    X = np.ones((3, 2), dtype)
    assert as_points(X) is X


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, object])
def test_other_numbers_become_real(dtype):
    X = as_points(np.ones((3, 2), dtype))
    assert X.dtype == float
    assert_array_equal(X, 1)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.ones(3), r"^X must have shape \(N, D\), got \(3,\): a single column is x\[:, None\]$"),
        (np.ones((3, 1, 1)), r"^X must have shape \(N, D\), got \(3, 1, 1\)$"),
        (np.ones((0, 2)), "^X has no rows$"),
        (np.ones((2, 0)), "^X has no columns$"),
        (np.ones((2, 2)) * 1j, "^X is complex"),
        (np.ma.masked_greater(np.arange(4.0).reshape(2, 2), 2), "^X has masked entries"),
    ],
)
def test_what_is_no_table_is_named(X, words):
    with pytest.raises(ValueError, match=words):
        as_points(X)
    with pytest.raises(ValueError, match=words.replace("X ", "centers ", 1)):
        as_points(X, "centers")


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("M8[D]", "dates: turn them into numbers first"),
        ("m8[s]", "durations: turn them into numbers first"),
        ("U3", "text: turn it into numbers first"),
        ("S3", "text: turn it into numbers first"),
        ([("a", float)], "records: pass their fields as columns"),
    ],
)
def test_other_kinds_are_named_with_a_way_out(dtype, words):
    values = np.empty((2, 1), dtype)
    table = SimpleNamespace(dtypes=[np.dtype(float), values.dtype])  # as a DataFrame says it
    column = SimpleNamespace(dtype=values.dtype)
    for one in (values, table, column):
        with pytest.raises(ValueError, match=f"^y holds {words}$"):
            check_kinds(one, "y")
    for fine in (np.ones(2), [1, 2], SimpleNamespace(dtypes=[np.dtype(int)]), SimpleNamespace(dtypes=np.dtype(int))):
        check_kinds(fine, "y")


def test_objects_become_numbers_where_they_can():
    assert_array_equal(as_numbers(np.array([[1, None], [2.5, True]], object), "y"), [[1, np.nan], [2.5, 1]])
    for value in ("1", b"1", [1]):
        entries = np.empty(2, object)
        entries[:] = 1.0, value
        with pytest.raises(ValueError, match=re.escape(f"y holds {value!r}: turn it into a number first")):
            as_numbers(entries, "y")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 50_000, 99_999])
def test_one_bad_number_among_many_is_found_wherever_it_is(bad, row):
    X = np.ones((100_000, 2))
    X[row, 1] = bad
    with pytest.raises(ValueError, match="X contains NaN or infinity"):
        as_points(X)


@pytest.mark.filterwarnings("error")
def test_a_sum_that_overflows_has_finite_terms():
    X = np.full((3, 2), 1.7e308)
    assert as_points(X) is X
    X[1, 1] *= -1
    assert as_points(X) is X
    X[2] = np.inf, -np.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        as_points(X)


def test_weights_are_shares():
    assert_array_equal(as_weights(None, 4), 0.25)
    assert_allclose(as_weights([1, 2, 5], 3), [0.125, 0.25, 0.625], rtol=1e-15)
    assert_allclose(as_weights(np.array([1, 2, 5]) * 3e307, 3), [0.125, 0.25, 0.625], rtol=1e-14)
    few_digits = as_weights(np.array([1, 2, 4], dtype=np.float16), 3)
    assert few_digits.dtype == float
    assert_allclose(few_digits, np.array([1, 2, 4]) / 7, rtol=1e-15)


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        ([1.0, 2.0], r"shape \(3,\), one weight a row, got \(2,\)"),
        ([[1.0], [2.0], [3.0]], r"got \(3, 1\)"),
        ([1.0, np.nan, 1.0], "finite and non-negative"),
        ([1.0, np.inf, 1.0], "finite and non-negative"),
        ([1.0, -1e-300, 1.0], "finite and non-negative"),
        ([0.0, 0.0, 0.0], "zero everywhere"),
        (["1", "2", "3"], "^sample_weight holds text"),
    ],
)
def test_unusable_weights_are_named(weight, words):
    with pytest.raises(ValueError, match=words):
        as_weights(weight, 3)


def test_a_total_is_a_plain_number_that_does_not_wrap_around():
    for total, expected in (
        (total_weight(None, 7), 7.0),
        (total_weight(np.array([200, 100], np.uint8), 2), 300.0),
        (total_weight([0.5, 0.25], 2), 0.75),
    ):
        assert type(total) is float
        assert total == expected
    with pytest.raises(ValueError, match=r"^sample_weight adds up .* divide it by a constant first$"):
        total_weight([1e308, 1e308], 2)


def test_rows_without_weight_are_left_out_and_all_rows_are_left_alone():
    share, X, y = np.array([0.5, 0.0, 0.5]), np.arange(6.0).reshape(3, 2), np.arange(3)
    got = rows_that_count(share, X, y)
    for one, all_rows in zip(got, (share, X, y), strict=True):
        assert_array_equal(one, all_rows[[0, 2]])
    for full in (None, np.full(3, 1 / 3)):
        assert all(a is b for a, b in zip(rows_that_count(full, X, y), (full, X, y), strict=True))


# ---------------------------------------------------------------------- normalising


def test_responsibilities_and_log_density_by_logaddexp(rng):
    log_joint = rng.normal(size=(3, 50)) * [1] + rng.normal(size=50) * 300
    expected = np.logaddexp.reduce(log_joint, axis=0)
    kept = log_joint.copy()
    resp, log_density = log_normalise(log_joint)
    assert_allclose(log_density, expected, rtol=1e-13)
    assert_allclose(resp, np.exp(kept - expected), rtol=1e-11)
    assert resp is log_joint  # the same memory


@pytest.mark.parametrize("height", [0.0, -1e6, 1e6])
def test_no_exponential_underflows_or_overflows(height):
    """Slow where it happens; a number that small changes no sum."""
    resp, log_density = log_normalise(np.array([[0.0, -5000.0], [-5000.0, 0.0], [-800.0, -1e300]]) + height)
    assert (resp >= np.finfo(float).tiny).all()
    assert_array_equal(resp.max(axis=0), 1)
    assert (np.sort(resp, axis=0)[:2] < 1e-200).all()
    assert_array_equal(log_density, height)


# --------------------------------------------------------------------------- blocks


@pytest.mark.parametrize("N", [1, 200, 201, 402, 30_000, 30_001, 100_000])
@pytest.mark.parametrize("width", [1, 2, 7, 299, 5000, 10**6])
def test_blocks_follow_each_other_and_fit_the_cache(N, width):
    slices = blocks(N, width)
    assert [slices[0].start, slices[-1].stop] == [0, N]
    assert all(a.stop == b.start for a, b in pairwise(slices))
    lengths = [s.stop - s.start for s in slices]
    assert len(set(lengths[:-1])) <= 1
    assert all(n % 2 for n in lengths[:-1])  # odd
    few = 201 if width <= 20_000 else 5  # 32 megabytes hold four rows of a million numbers
    assert max(lengths) * width <= numerics.BLOCK + width or max(lengths) <= few
    if len(lengths) > 1:
        assert lengths[0] >= min(few, 200)
        assert (lengths[0] + 2) * width > numerics.BLOCK or lengths[0] == few  # and fill it


@pytest.mark.parametrize(("width", "calls", "rows"), [(300, 3, 601), (10, 3, 16_001), (300, 20, 2333), (5000, 20, 201)])
def test_rows_that_calls_share_out_are_enough_for_each_if_they_fit(width, calls, rows):
    first = blocks(100_000, width, calls)[0]
    assert first.stop == rows  # 200 a call; what fills the cache; 700,000 numbers; 200 for all


# --------------------------------------------------------------------------- frames


def test_a_frame_has_scales_that_are_the_next_powers_of_two():
    origin, reach = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.3, 1.0, 5.0, 0.0])
    for isotropic, scale in ((False, [0.5, 1, 8, 1]), (True, [8, 8, 8, 8])):
        frame = Frame.around(origin, reach, isotropic)
        assert_array_equal(frame.scale, scale)
        assert_array_equal(frame.origin, origin)
        assert frame.scale.shape == (4,)


def test_a_frame_refuses_what_cannot_be_squared_and_nothing_else():
    origin = np.zeros(2)
    for reach in ([2.0**505, 1.0], [1.0, np.inf], [np.nan, 1.0], [1.0, 1e300]):
        with pytest.raises(ValueError, match="divide it by a constant"):
            Frame.around(origin, np.array(reach), False)
    for reach, scale in ((2.0**504, 2.0**504), (1.1 * 2.0**504, 2.0**505), (5e-324, 2.0**-505), (1e-200, 2.0**-505)):
        frame = Frame.around(origin, np.array([reach, 1.0]), False)
        assert_array_equal(frame.scale, [scale, 1.0])
        assert np.isfinite(frame.scale**2).all()
        assert np.isfinite(frame.scale**-2).all()


@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize("N", [3, 70_000])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_frame_of_points_is_centred_and_holds_them_all_closely(rng, isotropic, N, dtype):
    X = ((rng.normal(size=(N, 3)) + [2.0, 0.0, -9.0]) * [3.0, 0.01, 100.0]).astype(dtype)
    frame = Frame.of_points(X, isotropic)
    assert_allclose(frame.origin, X.mean(axis=0, dtype=float), rtol=1e-9)
    assert frame.origin.dtype == float
    reach = np.abs(X - frame.origin).max(axis=0)
    if isotropic:
        assert len(set(frame.scale)) == 1
        reach = reach.max()
    assert (reach <= frame.scale).all()
    assert (2 * reach > frame.scale).all()


@pytest.mark.parametrize("row", [0, 60_000, 119_999])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_single_far_point_is_held_wherever_it_is(row, sign):
    X = np.full((120_000, 2), [1.0, 9.0])  # more than one block
    X[row] += sign * np.array([1000.0, 3000.0])
    assert_array_equal(Frame.of_points(X).scale, [1024, 4096])


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_points_on_both_sides_of_zero_are_seen_from_zero(sign):
    frame = Frame.of_points(sign * np.array([[1.0], [-9.0], [7.0]]))
    assert_array_equal(frame.origin, 0)
    assert_array_equal(frame.scale, 16)


@pytest.mark.parametrize("place", [-1e100, 1e100])
def test_a_point_far_away_fits_even_in_units_of_a_tiny_reach(place):
    frame = Frame.around(np.array([place]), np.array([1e-200]), False)
    assert np.isfinite(frame.origin / frame.scale * 1e40)
    frame = Frame.around(np.array([1e6 * place]), np.array([1e-200]), False)
    assert 1e-251 < frame.scale / 1e106 < 1e-249


def test_columns_have_scales_of_their_own_unless_asked_otherwise(rng):
    X = rng.normal(size=(9, 2)) * [1.0, 1e6]
    assert len(set(Frame.of_points(X).scale)) == 2
    assert len(set(Frame.of_points(X, isotropic=True).scale)) == 1


@pytest.mark.filterwarnings("error")
def test_points_too_far_apart_for_a_frame_are_refused_in_silence():
    with pytest.raises(ValueError, match="divide it by a constant"):
        Frame.of_points(np.array([[1.7e308], [-1.7e308], [-1.7e308]]))


# ----------------------------------------------------------------------------- BLAS


def test_the_blas_is_found():
    assert {library.user_api for library in blas.__wrapped__()} == {"blas"}
