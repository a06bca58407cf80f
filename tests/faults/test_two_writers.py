"""Two writers: the second is told at once who is writing; readers never have to wait."""

import json
import signal

import pytest

from data.errors import VaultBusy
from data.restricted.keys import Secret
from data.restricted.vault import Counts, Vault
from tests.helpers.prepared import start
from tests.helpers.records import frame

pytestmark = pytest.mark.slow
starts = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")

KEY = Secret(bytes(range(32)))

HOLDER = """
import sys, time
from pathlib import Path
from data.restricted.vault import Vault
from tests.helpers.records import frame
with Vault.open(Path(sys.argv[1]), bytes(range(32))) as vault:
    with vault.importing("encounter", "first.csv") as batch:
        batch.add(frame("encounter", 100))
        batch.flush()
        print("holds", flush=True)
        while not Path(sys.argv[2]).exists():
            time.sleep(0.01)
"""


@pytest.fixture
def folder(tmp_path):
    with Vault.create(tmp_path / "vault", KEY) as vault:
        vault.add("encounter", frame("encounter", 50, first=1000), "earlier.csv")
    return tmp_path / "vault"


@pytest.fixture
def first(folder):
    """Start another process that stops in the middle of an import."""
    process = start("-c", HOLDER, folder, folder.with_name("go on"))
    assert process.stdout.readline() == b"holds\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def count(vault):
    return sum(len(batch) for batch in vault.read("encounter", ["stage"]))


@starts
def test_the_second_is_told_who_writes_and_changes_nothing(folder, first):
    with Vault.open(folder, KEY) as vault:
        for write in (
            lambda: vault.add("encounter", frame("encounter", 10, first=500), "second.csv"),
            lambda: vault.stage_publication("r1", {"a": b"1"}),
            lambda: vault.confirm_publication("r1"),
        ):
            with pytest.raises(VaultBusy, match=f"process {first.pid}, since 20") as busy:
                write()
        assert "Nothing was changed" in str(busy.value)
        assert count(vault) == 50
        assert vault.check() == []
        folder.with_name("go on").touch()
        assert first.wait() == 0
        assert count(vault) == 150
        assert vault.add("encounter", frame("encounter", 10, first=500), "second.csv") == Counts(10, 0, 0)


@starts
def test_a_killed_writer_leaves_no_lock(folder, first):
    first.kill()
    first.wait()
    note = folder.with_name("vault.writer")
    assert json.loads(note.read_text())["process"] == first.pid
    with Vault.open(folder, KEY) as vault:
        assert count(vault) == 50
        assert vault.add("encounter", frame("encounter", 100), "first.csv") == Counts(100, 0, 0)
    assert not note.exists()


def test_a_release_keeps_importers_out_from_counting_to_confirming(folder):
    with Vault.open(folder, KEY) as release, Vault.open(folder, KEY) as other:
        with release.writing():
            release.stage_publication("r1", {"a": b"1"})
            with pytest.raises(VaultBusy):
                other.add("encounter", frame("encounter", 10), "a.csv")
            release.confirm_publication("r1")
            with pytest.raises(VaultBusy):
                other.add("encounter", frame("encounter", 10), "a.csv")
        assert other.add("encounter", frame("encounter", 10), "a.csv") == Counts(10, 0, 0)


@starts
def test_without_a_note_the_second_is_still_refused(folder, first):
    folder.with_name("vault.writer").write_text("{")
    with Vault.open(folder, KEY) as vault, pytest.raises(VaultBusy, match="another process"):
        vault.add("encounter", frame("encounter", 10), "a.csv")
