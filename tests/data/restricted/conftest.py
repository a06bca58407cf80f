"""The importer of an empty vault, for tests of what an import does."""

import pytest

from data.restricted import keys
from data.restricted.imports import Importer
from data.restricted.vault import Vault
from data.workspace import Workspace
from geo.places import Places
from tests.helpers.partner_files import AREAS


@pytest.fixture(scope="session")
def places():
    return Places(AREAS)


@pytest.fixture
def importer(tmp_path, places):
    workspace = Workspace.create(tmp_path / "w", "invented")
    secrets = keys.create(workspace.key_id)
    with Vault.create(workspace.vault, secrets) as vault:
        yield Importer(workspace, vault, secrets, places.resolve)
