"""Fixtures the library's tests share."""

import pytest

from gmmlib.families.gaussian.covariance import COVARIANCE_TYPES


@pytest.fixture(params=COVARIANCE_TYPES)
def kind(request):
    return request.param


# (N, D, K), all different, so that a wrong axis cannot hide
SIZES = [(140, 1, 3), (150, 2, 3), (160, 5, 2)]


@pytest.fixture(params=SIZES, ids=lambda s: "N{}-D{}-K{}".format(*s))
def size(request):
    return request.param
