"""The shipped catalogue, loaded once."""

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.loader import load, shipped_dir


@pytest.fixture(scope="session")
def shipped() -> Catalogue:
    return load([shipped_dir()])
