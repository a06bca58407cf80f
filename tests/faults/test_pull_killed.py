"""kill -9 of `tact pull` at drawn moments, while new submissions arrive: none is lost or doubled, none lies open.

Each round sends about ten submissions, kills a pull, and every few rounds a pull runs to its end; what it says may be
deleted is then deleted on the server, as an officer does. Ten kills always, 150 and 10,000 submissions with
`make long`.
"""

import signal
import tempfile
import time

import numpy as np
import pytest

from data.restricted.forms.key import read_or_create_key
from data.restricted.forms.servers import FormServer, write_server
from data.restricted.vault import open_vault
from data.workspace import Workspace
from tests.helpers.form_server import encrypt, serve_forms
from tests.helpers.partner_files import ROW
from tests.helpers.prepared import start
from tests.helpers.repetitions import vary

KEYS = {"TACT_VAULT_KEY": "a1" * 32, "TACT_IDENTIFIER_KEY": "b2" * 32}
LOGIN, PLACE = "o@x:a password", "/v1/projects/1/forms/tact_encounter"
MARK = "QZXVKWJYPB"  # begins each child's code; too long to stand in ciphertext by chance
PROGRAM = "from dashboard.cli import main; main()"
ANSWERS = ROW | {"municipality": "10944420", "programme_number": ""}

pytestmark = [
    pytest.mark.slow(seconds=15),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system"),
]


@pytest.fixture
def workspace(tact, tmp_path, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert tact("--workspace", tmp_path / "w", "init", "--practice").code == 0
    return Workspace.open(tmp_path / "w")


def send(public, first, count):
    return [
        encrypt(
            public,
            "tact_encounter",
            ANSWERS | {"child_id": f"{MARK}-{n}", "date": f"20{7 + n // 28 % 3:02}-{n % 12 + 1:02}-{n % 28 + 1:02}"},
        )
        for n in range(first, first + count)
    ]


def know(workspace, address):
    with open_vault(workspace) as vault:
        write_server(vault, FormServer(address + PLACE, LOGIN))
        return read_or_create_key(vault).public_key()


def check(workspace, folder, submissions, sent):
    """Check that each submission is stored once, and that nothing opened lies anywhere as bytes."""
    with open_vault(workspace) as vault:
        stored = [n for batch in vault.read("encounter", ["record_number"]) for n in batch["record_number"].to_pylist()]
        assert vault.check() == []
    assert sorted(stored) == sorted(number.removeprefix("uuid:") for number in sent)
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    for content in [*written, *(part for _, envelope, file in submissions for part in (envelope, file))]:
        assert not any(text.encode(code) in content for text in (MARK, MARK.lower()) for code in ("utf-8", "utf-16-le"))


@pytest.mark.timeout(1800)
@vary("kills", [10, 150], 10)
def test_a_pull_that_is_killed_again_and_again_loses_and_doubles_nothing(tact, workspace, tmp_path, kills):
    rng, sent, killed, rounds, submissions = np.random.default_rng(30), [], 0, 0, []
    with serve_forms(submissions, LOGIN) as address:
        public, longest = know(workspace, address), 1.0
        while killed < kills:
            new = send(public, len(sent), int(rng.integers(8, 13)))
            sent += [name for name, _, _ in new]
            submissions += new
            process = start("-c", PROGRAM, "--workspace", workspace.path, "pull", "--json")
            time.sleep(rng.uniform(0, longest))
            process.kill()
            process.communicate()
            was_killed = process.returncode == -signal.SIGKILL
            longest *= 1.1 if was_killed else 0.8  # most moments are before the end, on any machine
            killed, rounds = killed + was_killed, rounds + 1
            if rounds % 5 == 0 or killed == kills:
                (result,) = tact("--workspace", workspace.path, "pull", "--json").json
                assert (result["rejected"], result["changed"], result["problems"]) == (0, 0, {})
                assert len(result["delete"]) == len(submissions)
                check(workspace, tmp_path, submissions, sent)
                submissions[:] = [s for s in submissions if s[0].removeprefix("uuid:") not in result["delete"]]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_thousand_submissions_go_in_by_one_pull(tact, workspace, tmp_path):
    submissions = []
    with serve_forms(submissions, LOGIN) as address:
        submissions += send(know(workspace, address), 0, 10_000)
        (result,) = tact("--workspace", workspace.path, "pull", "--json").json
    assert (result["accepted"], result["rejected"], result["problems"]) == (10_000, 0, {})
    check(workspace, tmp_path, submissions, [number for number, _, _ in submissions])
