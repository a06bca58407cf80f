"""`tact keys` says where the keys lie, asks before it changes the vault key, and shows no key."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.commands import asking
from data.restricted import keys
from data.workspace import Workspace
from tests.helpers.partner_files import ROW, text_of, write

pytestmark = pytest.mark.slow


@pytest.fixture
def practice(tact, tmp_path: Path) -> Workspace:
    folder = tmp_path / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    assert tact("--workspace", folder, "import", write(tmp_path, text_of([ROW]))).code == 0
    return Workspace.open(folder)


def test_each_key_is_shown_with_its_place_and_what_it_protects_but_not_itself(tact, practice) -> None:
    answer = tact("--workspace", practice.path, "keys", "show")
    folder, both = keys.key_folder(practice.key_id), keys.load(practice.key_id)
    assert answer.code == 0
    assert str(folder / "vault.key") in answer.out
    assert str(folder / "identifier.key") in answer.out
    assert "opens the records" in answer.out
    assert both.vault.reveal().hex() not in answer.out
    assert [row["key"] for row in tact("--workspace", practice.path, "keys", "show", "--json").json] == [
        "vault", "identifier",
    ]  # fmt: skip


def test_the_key_is_changed_after_a_yes_and_a_backup_is_asked_for(tact, practice, monkeypatch) -> None:
    old, asked = keys.load(practice.key_id), []
    monkeypatch.setattr(asking, "can_ask", lambda: True)
    monkeypatch.setattr(asking, "ask", lambda question: asked.append(question) or "no")
    refused = tact("--workspace", practice.path, "keys", "rotate")
    assert (refused.code, keys.load(practice.key_id)) == (2, old)
    assert "old key is removed" in refused.err
    monkeypatch.setattr(asking, "ask", lambda question: asked.append(question) or "Yes")
    answer = tact("--workspace", practice.path, "keys", "rotate")
    new = keys.load(practice.key_id)
    assert (answer.code, len(asked)) == (0, 2)
    assert new.vault != old.vault
    assert "tact backup FILE" in answer.out
    for both in (old, new):
        assert both.vault.reveal().hex() not in refused.err + answer.out + answer.err
    assert tact("--workspace", practice.path, "doctor", "--json").json == {"healthy": True, "problems": []}
    (entry,) = tact("--workspace", practice.path, "imports", "--json").json
    assert entry["accepted"] == 1


@pytest.mark.always("words0")
@pytest.mark.parametrize("words", [["--json"], []])
def test_without_somebody_to_ask_it_needs_the_option(tact, practice, words) -> None:
    old = keys.load(practice.key_id)
    answer = tact("--workspace", practice.path, "keys", "rotate", *words)
    assert (answer.code, keys.load(practice.key_id)) == (2, old)
    assert "--yes" in answer.err + answer.out


def test_a_vault_from_before_a_restore_is_named(tact, practice) -> None:
    earlier = practice.path / "vault.before-20080101T000000000000"
    earlier.mkdir()
    answer = tact("--workspace", practice.path, "keys", "rotate", "--yes", "--json")
    assert answer.json["rotated"] == "vault"
    assert answer.json["place"] == f"file {keys.key_folder(practice.key_id) / 'vault.key'}"
    assert f"rm -r '{earlier}'" in tact("--workspace", practice.path, "keys", "rotate", "--yes").out


def test_doctor_says_what_the_environment_still_needs(tact, practice, monkeypatch) -> None:
    monkeypatch.setenv("TACT_VAULT_KEY", keys.load(practice.key_id).vault.reveal().hex())
    missing = tact("--workspace", practice.path, "keys", "rotate", "--yes")
    assert (missing.code, "Set TACT_NEW_VAULT_KEY" in missing.err) == (2, True)
    monkeypatch.setenv("TACT_NEW_VAULT_KEY", "c3" * 32)
    answer = tact("--workspace", practice.path, "keys", "rotate", "--yes")
    assert "Now give TACT_VAULT_KEY the value of TACT_NEW_VAULT_KEY" in answer.out
    assert "c3c3" not in answer.out + answer.err
    doctor = tact("--workspace", practice.path, "doctor", "--json")
    assert doctor.json["problems"] == ["Give TACT_VAULT_KEY the value of TACT_NEW_VAULT_KEY, and remove "
                                       "TACT_NEW_VAULT_KEY."]  # fmt: skip
    assert tact("--workspace", practice.path, "imports", "--json").json[0]["accepted"] == 1
