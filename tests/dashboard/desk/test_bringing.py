"""The button of the page Files that brings submissions from a form server: as a file, in memory, and what may go."""

from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from dashboard.desk.hand import read_hand
from dashboard.site.text import speak
from data.errors import InputError
from data.restricted.forgetting import forget_child, hash_child
from data.restricted.forms.key import format_public, read_keys, read_or_create_key, seal_escrow
from data.restricted.forms.servers import FormServer, write_server
from data.restricted.intake import child_names
from data.restricted.vault import open_vault
from tests.dashboard.desk.test_pages import press, words_on
from tests.helpers.desk import make_desk, open_section
from tests.helpers.form_server import encrypt, serve_forms
from tests.helpers.partner_files import ROW

pytestmark = pytest.mark.slow
LOGIN, PLACE = "a token of the server", "/#/forms/aXY"
ANSWERS = ROW | {"child_id": "K-12{n}", "date": "2007-05-1{n}", "municipality": "10944420"}
PASSPHRASE = "four words she alone knows"


@pytest.fixture
def desk(tmp_path):
    return make_desk(tmp_path)[0]


def send(desk, count):
    with open_vault(desk.workspace) as vault:
        public = load_der_public_key(b64decode(format_public(read_or_create_key(vault))))
    rows = [{name: text.format(n=n) for name, text in ANSWERS.items()} for n in range(count)]
    return [encrypt(public, "tact_encounter", row) for row in rows]


def know(desk, address, login=LOGIN):
    with open_vault(desk.workspace) as vault:
        write_server(vault, FormServer(address + PLACE, login))


def press_bring(page):
    (button,) = (button for button in page.button if (button.key or "").startswith("bring-"))
    button.click()
    return page.run()


def count_records(desk):
    with open_vault(desk.workspace) as vault:
        return vault.count("encounter")


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_submissions_come_as_a_file_and_the_stored_ones_may_go(desk, tmp_path, language):
    with speak(language):  # the fields of a page under test are worded outside it too
        walk_through(desk, tmp_path, language)


def walk_through(desk, tmp_path, language):
    submissions = send(desk, 4)
    assert not [button for button in open_section(desk).button if "bring" in (button.key or "")]
    with serve_forms([*submissions, (*send(desk, 1)[0][:2], None)], LOGIN) as address:
        know(desk, address)
        page = press_bring(open_section(desk, language=language))
        assert not page.exception
        assert count_records(desk) == 0
        if language == "en":
            assert "An import would do this: 4 rows are new" in words_on(page).replace("<b>", "").replace("</b>", "")
            assert "1 submissions are not there with all their files yet" in words_on(page)
        page.button(key="import-1").click().run()
        assert not page.exception
        assert count_records(desk) == 4
        (listed,) = (code.value for code in page.code if "-" in code.value)
        assert listed.split() == [number.removeprefix("uuid:") for number, _, _ in submissions]
        press_bring(page)
        page.button(key="import-2").click().run()
    assert count_records(desk) == 4
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"K-12" not in written
    assert LOGIN.encode() not in written


def test_each_fault_is_said_with_its_remedy_and_brings_nothing(desk):
    submissions = send(desk, 2)
    with serve_forms(submissions, LOGIN) as address:
        know(desk, address, "an old token")
        shown = words_on(press_bring(open_section(desk)))
        assert "does not accept the login" in shown
        assert "tact pull --form" in shown
        know(desk, address)
        with open_vault(desk.workspace) as vault:
            vault.write_note("form keys", "")
        shown = words_on(press_bring(open_section(desk)))
        assert "2 submissions are encrypted for a key that this workspace does not have" in shown
        assert "Restore a backup" in shown
        assert "Without either there is no way to them" in shown
    shown = words_on(press_bring(open_section(desk)))
    assert "cannot be reached" in shown
    assert "on line" in shown
    assert not read_hand(desk).files


def test_a_pull_that_is_stopped_brings_nothing_and_the_next_brings_all(desk, monkeypatch):
    class Stop(BaseException):
        """What Streamlit raises in a page whose button was pressed."""

    def stop(done, _total):
        if done == 2:
            raise Stop

    with serve_forms(send(desk, 4), LOGIN) as address:
        know(desk, address)
        hand, server = read_hand(desk), FormServer(address + PLACE, LOGIN)
        with pytest.raises(Stop):
            hand.bring(server, stop)
        assert not hand.files
        seen = []
        hand.bring(server, lambda *step: seen.append(step))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [len(entry.submissions) for entry in hand.files.values()] == [4]


def test_the_escrow_of_a_lost_key_is_restored_at_the_desk_and_the_old_submissions_open(desk, tmp_path):
    submissions, escrow = send(desk, 3), tmp_path / "form-key.escrow"
    with open_vault(desk.workspace) as vault:
        escrow.write_bytes(seal_escrow(read_keys(vault)[-1], PASSPHRASE))
        vault.write_note("form keys", "")
    with serve_forms(submissions, LOGIN) as address:
        know(desk, address)
        assert "no way to them" in words_on(press_bring(open_section(desk)))
        assert "is not the passphrase" in words_on(restore(desk, escrow, "another long passphrase"))
        assert "The key of the forms came back" in words_on(restore(desk, escrow, PASSPHRASE))
        assert "3 rows are new" in words_on(press_bring(open_section(desk)))


def restore(desk, file: Path, passphrase):
    page = open_section(desk, "release")
    next(field for field in page.text_input if field.label == "Backup to read, on this machine").set_value(str(file))
    fields = [field for field in page.text_input if field.label == "Passphrase of the backup"]
    fields[-1].set_value(passphrase)
    return press(page, "Restore it")


def test_a_form_that_is_gone_is_said(desk):
    hand = read_hand(desk)
    with serve_forms([], LOGIN) as address, pytest.raises(InputError, match="--forget"):
        hand.bring(FormServer(f"{address}/#/forms/aXYgone", LOGIN), lambda *_: None)


def test_a_submission_about_a_forgotten_child_is_to_be_deleted_and_stays_out(desk):
    submissions = send(desk, 2)
    with serve_forms(submissions, LOGIN) as address:
        know(desk, address)
        with desk.open_vault() as (vault, secrets):
            names = child_names(ROW["partner"], "K-121", "")
            forget_child(desk.workspace, vault, secrets, hash_child(secrets, names, vault))
        page = press_bring(open_section(desk))
        page.button(key="import-1").click().run()
    assert not page.exception
    assert count_records(desk) == 1
    assert "These submissions are about forgotten children" in words_on(page)
    listed = [code.value for code in page.code if "-" in code.value]
    assert listed == [number.removeprefix("uuid:") for number, _, _ in reversed(submissions)]
