"""What every test may ask for."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    """A generator that starts anew, and the same, in each test."""
    return np.random.default_rng(0)
