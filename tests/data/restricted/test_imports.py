"""An import whose list of rejected rows is hard to write."""

import pytest

from data.errors import DiskFull
from data.restricted import imports, keys
from data.restricted.imports import Importer
from data.restricted.vault import Vault
from data.workspace import Workspace
from geo.places import Places
from tests.helpers.partner_files import AREAS, ROW, text_of, write


@pytest.fixture
def importer(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "invented")
    secrets = keys.create(workspace.id)
    with Vault.create(workspace.vault, secrets) as vault:
        yield Importer(workspace, vault, secrets, Places(AREAS).resolve)


def take(importer, folder, name):
    """Import a file with a right row and a wrong one."""
    rows = [ROW, ROW | {"record_number": "R-2", "date": "never"}]
    return importer.import_file(write(folder, text_of(rows), name))


def test_a_name_that_is_long_in_bytes_has_its_own_list(importer, tmp_path):
    first, second = (take(importer, tmp_path, f"{'παιδιά ' * 18}{end}.csv") for end in ("α", "β"))
    assert first.rejects.exists()
    assert second.rejects.exists()
    assert first.rejects != second.rejects
    assert take(importer, tmp_path, "short.csv").rejects.name == "short.csv.rejected.csv"


def test_the_list_of_imports_says_how_many_rows_were_rejected_until_it_is_undone(importer, tmp_path):
    vault = importer.vault
    take(importer, tmp_path, "a.csv")
    importer.import_file(write(tmp_path, text_of([ROW | {"record_number": "R-3"}]), "b.csv"))
    assert [entry["rejected"] for entry in vault.list_imports()] == [1, 0]
    notes = [vault.read_note(f"rejected {number}") for number in (1, 2)]
    vault.undo(1)
    assert [entry["rejected"] for entry in vault.list_imports()] == [0]
    assert (notes, vault.read_note("rejected 1")) == (["1", "0"], None)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), DiskFull("The disk is full.")])
def test_a_list_that_cannot_be_written_is_a_note_of_an_import_that_is_stored(importer, tmp_path, monkeypatch, error):
    def fail(*_given):
        raise error

    monkeypatch.setattr(imports.intake, "write_rejects", fail)
    imported = take(importer, tmp_path, "a.csv")
    assert (imported.accepted, imported.rejected, imported.rejects) == (1, 1, None)
    assert imported.list_failed
    assert imports.NO_LIST in imported.notes
    assert [entry["number"] for entry in importer.vault.list_imports()] == [imported.number]
