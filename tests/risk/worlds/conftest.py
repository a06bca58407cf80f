"""The default invented world, made once for all tests of this folder."""

import pytest

from tests.helpers.invented_worlds import make_world


@pytest.fixture(scope="session")
def default():
    return make_world()
