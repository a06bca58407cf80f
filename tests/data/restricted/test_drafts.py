"""Records entered by hand: kept in the vault, read again, and gone with the child or the partner."""

import pytest

from data.errors import InputError, VaultBusy
from data.restricted import backup, drafts, forgetting, intake, keys
from data.restricted.backup.encrypted_file import open_backup
from data.restricted.drafts import Draft
from data.restricted.intake import read_file
from data.restricted.vault import Vault, tables
from data.workspace import Workspace
from tests.helpers.partner_files import ROW, Hasher, Resolver
from tests.helpers.records import frame

ROWS = tuple({k: v for k, v in {**ROW, "child_id": child, "partner": ""}.items() if v} for child in ("K-1", "K-2"))


@pytest.fixture
def opened(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "invented")
    secrets = keys.create(workspace.key_id)
    with Vault.create(workspace.vault, secrets) as vault:
        yield workspace, vault, secrets


def test_a_draft_survives_a_restart_encrypted(opened):
    workspace, vault, secrets = opened
    drafts.write_draft(vault, Draft("encounter", "ARSIS", ROWS))
    vault.close()
    stored = b"".join(path.read_bytes() for path in workspace.path.rglob("*") if path.is_file())
    assert b'"K-1"' not in stored
    assert b"ARSIS" not in stored
    with Vault.open(workspace.vault, secrets) as again:
        assert drafts.read_draft(again, "encounter") == Draft("encounter", "ARSIS", ROWS)
        assert drafts.read_draft(again, "effort") == Draft("effort")
        drafts.write_draft(again, Draft("encounter", "ARSIS"))
        assert drafts.read_draft(again, "encounter") == Draft("encounter")


@pytest.mark.usefixtures("cheap_backups")
@pytest.mark.parametrize("early", [False, True])
def test_no_backup_brings_a_draft_back(opened, tmp_path, monkeypatch, early):
    workspace, vault, secrets = opened
    drafts.write_draft(vault, Draft("encounter", "ARSIS", ROWS))
    vault.write_note("second person", "kept")
    passphrase = "tri fjalë të rastit 'këtu'"
    with monkeypatch.context() as patch:
        if early:  # a version that kept drafts in its backups
            patch.setattr(tables, "_copied", lambda name: f"main.{name}")
        backup.write_backup(workspace, secrets, tmp_path / "b", passphrase)
    with open_backup(tmp_path / "b", passphrase) as (connection, _manifest):
        values = [str(value) for (value,) in connection.execute("SELECT value FROM meta")]
    assert any("K-1" in value for value in values) is early
    restored = backup.restore_backup(tmp_path / "b", tmp_path / "new", passphrase).workspace
    with Vault.open(restored.vault, secrets) as again:
        assert drafts.read_draft(again, "encounter") == Draft("encounter")
        assert again.read_note("second person") == "kept"


def test_a_row_is_added_to_what_is_stored_and_never_to_another_partner(opened):
    workspace, vault, secrets = opened
    drafts.add_row(vault, "encounter", "ARSIS", ROWS[0])
    with Vault.open(workspace.vault, secrets) as other:
        drafts.add_row(other, "encounter", "arsis", ROWS[1])
        with vault.writing(), pytest.raises(VaultBusy):
            drafts.add_row(other, "encounter", "ARSIS", ROWS[0])
    with pytest.raises(InputError, match="draft for ARSIS"):
        drafts.add_row(vault, "encounter", "BKTF", ROWS[0])
    assert drafts.read_draft(vault, "encounter") == Draft("encounter", "ARSIS", ROWS)


def test_what_is_not_in_the_draft_is_not_taken_out(opened):
    _workspace, vault, _secrets = opened
    drafts.write_draft(vault, Draft("encounter", "ARSIS", ROWS))
    drafts.take_out(vault, Draft("encounter", "ARSIS", ROWS[:1]))
    for partner, rows in (("ARSIS", ROWS[:1]), ("BKTF", ROWS[1:])):
        with pytest.raises(InputError, match="changed meanwhile"):
            drafts.take_out(vault, Draft("encounter", partner, rows))
    assert drafts.read_draft(vault, "encounter") == Draft("encounter", "ARSIS", ROWS[1:])


def test_it_is_checked_like_any_file():
    file = drafts.make_file("encounter", [*ROWS, {**ROWS[0], "sex": "neither"}])
    read = read_file(file, "encounter", resolve=Resolver(), hash_identifier=Hasher(), partner="ARSIS")
    assert (read.accepted_rows, read.rejected_rows) == (2, 1)
    assert read.rejects["column"].tolist() == ["sex"]


def test_who_is_forgotten_leaves_the_draft(opened):
    workspace, vault, secrets = opened
    drafts.write_draft(vault, Draft("encounter", "ARSIS", ROWS))
    children = forgetting.hash_child(secrets, intake.child_names("ARSIS", "K-1", ""))
    forgetting.forget_child(workspace, vault, secrets, children)
    assert drafts.read_draft(vault, "encounter").rows == ROWS[1:]


def test_a_partner_who_withdraws_takes_the_draft_along(opened):
    _workspace, vault, _secrets = opened
    drafts.write_draft(vault, Draft("encounter", "BKTF", ROWS))
    drafts.remove_partner(vault, "ARSIS")
    assert drafts.read_draft(vault, "encounter").rows == ROWS
    drafts.remove_partner(vault, "bktf ")
    assert drafts.read_draft(vault, "encounter") == Draft("encounter")


def test_a_child_who_is_only_in_a_draft_is_known(opened):
    _workspace, vault, secrets = opened
    drafts.write_draft(vault, Draft("encounter", "ARSIS", ({**ROWS[0], "programme_number": "P-1"},)))

    def find(partner, child, number=""):
        names = intake.child_names(partner, child, number)
        return forgetting.find_unknown(vault, secrets, names, forgetting.hash_child(secrets, names))

    assert find("arsis", "k-1") == find("", "", "p-1") == find("ARSIS", "K-1", "P-1") == ""
    assert find("ARSIS", "K-2") == find("BKTF", "K-1") == "child"
    assert find("ARSIS", "K-1", "P-2") == "number"


@pytest.mark.parametrize("position", [0, 1], ids=["the identifier", "the programme number"])
def test_whom_a_draft_links_is_forgotten_by_either_identifier(opened, position):
    workspace, vault, secrets = opened
    by_both = {**ROWS[0], "programme_number": "P-1"}
    by_number = {**by_both, "child_id": "", "date": "2007-06-01"}
    hashes = forgetting.hash_child(secrets, intake.child_names("ARSIS", "K-1", "P-1"))
    # An import stores a child that has a programme number by it alone.
    read = read_file(
        drafts.make_file("encounter", [by_both]),
        "encounter",
        resolve=Resolver(),
        hash_identifier=lambda names: forgetting.hash_child(secrets, names),
        partner="ARSIS",
    )
    assert read.accepted["child"].tolist() == read.accepted["programme_child"].tolist() == hashes[1:]
    vault.add("encounter", frame("encounter", 1).assign(child=hashes[1], programme_child=hashes[1]), "a.csv")
    drafts.write_draft(vault, Draft("encounter", "ARSIS", (by_both, by_number, ROWS[1])))
    assert forgetting.forget_child(workspace, vault, secrets, [hashes[position]])[0] == 1
    assert drafts.read_draft(vault, "encounter").rows == ROWS[1:]
    assert vault.forgotten_children() == set(hashes)


def test_a_draft_without_rows_leaves_no_note(opened):
    _workspace, vault, _secrets = opened
    before = list(vault._connection.execute("SELECT name FROM meta"))
    drafts.write_draft(vault, Draft("encounter", "ARSIS", ROWS))
    drafts.take_out(vault, Draft("encounter", "ARSIS", ROWS))
    assert list(vault._connection.execute("SELECT name FROM meta")) == before


def test_a_partner_with_nothing_but_a_draft_withdraws(opened):
    workspace, vault, _secrets = opened
    drafts.write_draft(vault, Draft("encounter", "BKTF", ROWS))
    assert forgetting.find_partner(vault, "bktf ") == "BKTF"
    assert forgetting.withdraw_partner(workspace, vault, "bktf") == (0, False)
    assert drafts.read_draft(vault, "encounter") == Draft("encounter")
    with pytest.raises(InputError, match="No partner 'BKTF'"):
        forgetting.withdraw_partner(workspace, vault, "BKTF")
