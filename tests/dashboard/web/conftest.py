"""A provider of an organisation at which people sign in."""

import pytest

from tests.helpers.provider import run_provider


@pytest.fixture(scope="module")
def running_provider():
    with run_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider):
    """Return the provider without any fault."""
    running_provider.__init__(running_provider.issuer)
    return running_provider
