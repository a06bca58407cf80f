"""A file of accounts in a folder of its own, and its clock."""

import pytest

from tests.helpers.accounts import hash_cheaply, make_accounts


@pytest.fixture
def now(monkeypatch):
    hash_cheaply(monkeypatch)
    return [1_700_000_000.0]


@pytest.fixture
def accounts(tmp_path, now):
    return make_accounts(tmp_path, now)
