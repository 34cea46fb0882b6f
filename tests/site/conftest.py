import pytest
from visit import Visitor


@pytest.fixture(scope="session")
def visitor(chromium, serve):
    """visitor(folder) -> a Visitor of the site in that folder."""
    return lambda folder: Visitor(chromium, serve(folder))
