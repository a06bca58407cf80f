"""`tact pull` brings ciphertext, opens it in memory and imports it; again it changes nothing."""

import io
import sys
from base64 import b64decode

import openpyxl
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from data.restricted.forms.key import format_public, read_keys, restore_escrow, seal_escrow
from data.restricted.vault import open_vault
from data.workspace import Workspace
from tests.helpers.form_server import encrypt, serve_forms
from tests.helpers.partner_files import ROW

pytestmark = pytest.mark.slow
ANSWERS = ROW | {"child_id": "K-12{n}", "date": "2007-05-1{n}", "municipality": "10944420"}
FORMS = {"central": ("/v1/projects/1/forms/tact_encounter", "o@x:pass"), "kobo": ("/#/forms/aXY", "token of Kobo")}


@pytest.fixture
def practice(tact, tmp_path):
    folder = tmp_path / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    answer = tact(
        "--workspace", folder, "templates", "--kobo", "--to", tmp_path / "forms", "--submission-url", "https://x"
    )
    assert answer.code == 0, answer.err
    settings = openpyxl.load_workbook(tmp_path / "forms" / "tact-encounter-kobo.xlsx")["settings"]
    names, values = settings.iter_rows(values_only=True)
    settings = dict(zip(names, values, strict=True))
    assert settings["submission_url"] == "https://x"
    return Workspace.open(folder), settings["public_key"]


def send(public, count):
    key = load_der_public_key(b64decode(public))
    rows = [{name: text.format(n=n) for name, text in ANSWERS.items()} for n in range(count)]
    return [encrypt(key, "tact_encounter", row) for row in rows]


@pytest.mark.parametrize("server", FORMS)
def test_submissions_go_in_once_and_may_then_be_deleted(tact, practice, monkeypatch, tmp_path, server):
    workspace, public = practice
    place, login = FORMS[server]
    submissions = send(public, 4)
    readable = ("uuid:r", b"<data id='tact_encounter'><child_id>K-9</child_id></data>", None)
    unfinished = (*send(public, 1)[0][:2], None)
    with serve_forms([*submissions, readable, unfinished], login) as address:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{login}\n"))
        (first,) = tact("--workspace", workspace.path, "pull", "--form", address + place, "--json").json
        (again,) = tact("--workspace", workspace.path, "pull", "--json").json
        last = tact("--workspace", workspace.path, "pull")
    assert not first.get("refused"), first
    assert (first["accepted"], first["rejected"], first["problems"]) == (4, 0, {"readable": 1, "incomplete": 1})
    assert (again["accepted"], again["changed"], again["already_known"]) == (0, 0, 4)
    assert first["delete"] == again["delete"] == [number.removeprefix("uuid:") for number, _, _ in submissions]
    assert "NOT encrypted" in last.out
    assert "may be deleted" in last.out
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"K-12" not in written
    assert login.encode() not in written


def test_a_forgotten_child_never_comes_back_and_its_submission_is_to_be_deleted(tact, practice, monkeypatch, tmp_path):
    workspace, public = practice
    place, login = FORMS["central"]
    submissions = send(public, 3)
    numbers = [number.removeprefix("uuid:") for number, _, _ in submissions]
    with serve_forms(submissions, login) as address:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{login}\n"))
        assert tact("--workspace", workspace.path, "pull", "--form", address + place).code == 0
        monkeypatch.setattr(sys, "stdin", io.StringIO("K-121\n"))
        forgotten = tact("--workspace", workspace.path, "forget", "--partner", ROW["partner"], "--from", "-")
        assert forgotten.code == 0, forgotten.err
        for _ in range(2):
            (result,) = tact("--workspace", workspace.path, "pull", "--json").json
            assert (result["accepted"], result["already_known"], result["rejected"]) == (0, 2, 1)
            assert (result["forgotten"], result["delete"]) == ([numbers[1]], [numbers[0], numbers[2]])
        printed = tact("--workspace", workspace.path, "pull").out
    assert "Delete them on the server" in printed
    assert printed.rstrip().endswith(numbers[1])
    with open_vault(workspace) as vault:
        assert vault.count("encounter") == 2


def test_a_wrong_login_and_an_address_that_is_no_form_are_told(tact, practice, monkeypatch):
    workspace, _ = practice
    with serve_forms([], "right") as address:
        for form, reason in (
            (f"{address}/#/forms/aXY", "login"),
            ("https://x.org", "no form"),
            ("http://x.org/#/forms/a", ""),
        ):
            monkeypatch.setattr(sys, "stdin", io.StringIO("wrong\n"))
            answer = tact("--workspace", workspace.path, "pull", "--form", form)
            assert answer.code == 2
            assert reason in answer.err


def test_submissions_of_a_lost_key_wait_for_the_escrow(tact, practice, monkeypatch, tmp_path):
    workspace, public = practice
    with open_vault(workspace) as vault:
        (key,) = read_keys(vault)
        escrow = seal_escrow(key, "a long passphrase of hers")
        vault.write_note("form keys", "")
    assert format_public(key) == public
    (tmp_path / "form-key.escrow").write_bytes(escrow)
    place, login = FORMS["kobo"]
    with serve_forms(send(public, 3), login) as address:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{login}\n"))
        lost = tact("--workspace", workspace.path, "pull", "--form", address + place)
        assert "there is no way to them" in " ".join(lost.out.split())
        monkeypatch.setattr(sys, "stdin", io.StringIO("another passphrase\n"))
        assert tact("--workspace", workspace.path, "restore", tmp_path / "form-key.escrow").code == 2
        monkeypatch.setattr(sys, "stdin", io.StringIO("a long passphrase of hers\n"))
        assert tact("--workspace", workspace.path, "restore", tmp_path / "form-key.escrow").code == 0
        assert tact("--workspace", workspace.path, "pull", "--json").json[0]["accepted"] == 3
    with open_vault(workspace) as vault:
        assert not restore_escrow(vault, escrow, "a long passphrase of hers")
