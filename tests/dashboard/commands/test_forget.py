"""Forgetting by the command line: nothing personal in arguments, answers or files, and no record returns."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pytest
import typer

from data.restricted import drafts
from data.restricted.drafts import Draft
from data.restricted.vault import open_vault
from data.workspace import Workspace
from tests.helpers.small_policy import write_small_policy

pytestmark = pytest.mark.usefixtures("few_worlds")

PASSPHRASE = "katër fjalë të rastit"
ROW = {
    "date": "2008-03-04",
    "municipality": "Tiranë",
    "stage": "identified",
    "pathway": "internal",
    "form": "begging",
    "axis": "protection",
    "found": "discovered",
    "partner": "ARSIS",
    "programme_number": "",
}
KETI = "KETI-4711"


@pytest.fixture
def practice(tact, copied, tmp_path: Path) -> Path:
    rows = [
        ROW | {"child_id": f"K-{n // 2}", "record_number": f"R-{n}", "date": f"2008-02-{n + 1:02}"} for n in range(10)
    ]
    rows += [ROW | {"child_id": KETI, "record_number": "K1"}]
    rows += [ROW | {"child_id": KETI, "record_number": "K2", "programme_number": "P-118"}]

    def fill(folder: Path) -> None:
        assert tact("--workspace", folder, "init", "--practice").code == 0
        assert take(tact, folder, tmp_path / "march.csv", rows)["accepted"] == 12

    return copied("with Keti", fill, tmp_path / "practice")


def take(tact, folder: Path, path: Path, rows: list[dict[str, str]]):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return tact("--workspace", folder, "import", path, "--json").json


def forget(tact, folder: Path, monkeypatch, text: str, *words: str):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return tact("--workspace", folder, "forget", *words, "--json")


@pytest.mark.slow
def test_a_child_is_forgotten_and_its_rows_are_sent_back(tact, practice, tmp_path, monkeypatch) -> None:
    answer = forget(tact, practice, monkeypatch, f"{KETI}\nP-118\n", "--partner", "ARSIS")
    assert answer.json == {"forgotten": 2, "known": True}
    again = take(
        tact,
        practice,
        tmp_path / "april.csv",
        [
            ROW | {"child_id": f" {KETI.lower()} ", "record_number": "K3"},
            ROW | {"child_id": KETI, "record_number": "K4", "programme_number": "P-999"},
            ROW | {"child_id": "", "record_number": "K5", "programme_number": "p-118"},
            ROW | {"child_id": KETI, "record_number": "K6", "partner": "BKTF"},
        ],
    )
    assert (again["accepted"], again["rejected"]) == (1, 3)
    (reason,) = again["files"][0]["reasons"]
    assert (reason["reason"], reason["lines"]) == ("forgotten", [2, 3, 4])
    assert KETI.casefold() not in str(again).casefold()
    text = "".join(p.read_text("utf-8-sig") for p in practice.glob("rejects/*/*"))
    assert KETI.casefold() not in text.casefold()
    assert "118" not in answer.out + answer.err


def test_an_identifier_alone_or_from_a_file_or_a_shared_number(tact, practice, tmp_path, monkeypatch) -> None:
    assert forget(tact, practice, monkeypatch, "P-118\n").json == {"forgotten": 1, "known": True}
    source = tmp_path / "who.txt"
    source.write_text(f"\ufeff{KETI}\r\n", encoding="utf-8")
    answer = forget(tact, practice, monkeypatch, "", "--partner", "arsis", "--from", str(source))
    assert answer.json == {"forgotten": 1, "known": True}
    assert forget(tact, practice, monkeypatch, "P-118\n", "--from", "-").json == {"forgotten": 0, "known": False}


@pytest.mark.slow
def test_an_unknown_child_is_kept_out_once_it_is_confirmed(tact, practice, tmp_path, monkeypatch) -> None:
    log, late = practice / "vault.forgotten", [ROW | {"child_id": "K-77", "record_number": "L"}]
    before = log.read_bytes()
    refused = forget(tact, practice, monkeypatch, "K-77", "--partner", "ARSIS")
    assert (refused.code, refused.json["error"]) == (2, "InputError")
    message = refused.json["message"]
    assert all(words in message for words in ("No record", "ARSIS", "cannot be undone"))
    assert message.endswith("tact forget --partner ARSIS --even-if-unknown")
    spaced = forget(tact, practice, monkeypatch, "K-77", "--partner", "A Partner").json["message"]
    assert spaced.endswith("tact forget --partner 'A Partner' --even-if-unknown")
    assert "K-77" not in refused.out + refused.err
    assert log.read_bytes() == before
    noted = forget(tact, practice, monkeypatch, "K-77", "--partner", "ARSIS", "--even-if-unknown")
    assert (noted.code, noted.json) == (0, {"forgotten": 0, "known": False})
    assert take(tact, practice, tmp_path / "late.csv", late)["rejected"] == 1
    # Once it is noted, noting it again is no question.
    assert forget(tact, practice, monkeypatch, "K-77", "--partner", "ARSIS").code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("cheap_backups")
def test_a_backup_from_before_a_wrong_entry_is_without_it_in_a_folder_of_its_own(
    tact, practice, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("TACT_BACKUP_PASSPHRASE", PASSPHRASE)
    assert tact("--workspace", practice, "backup", tmp_path / "older.backup").code == 0
    forget(tact, practice, monkeypatch, "K-77", "--partner", "ARSIS", "--even-if-unknown")
    restored = tact("--workspace", tmp_path / "new", "restore", tmp_path / "older.backup")
    assert restored.code == 0
    assert "If you forgot a child after this backup was written" in restored.out
    rows = [ROW | {"child_id": "K-77", "record_number": "L"}]
    assert take(tact, practice, tmp_path / "late.csv", rows)["accepted"] == 0
    assert take(tact, tmp_path / "new", tmp_path / "late.csv", rows)["accepted"] == 1


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("Yes ", 0), ("", 2), ("y", 2), ("no", 2)])
def test_on_a_terminal_an_unknown_child_is_asked_about(tact, practice, terminal, answer, code) -> None:
    terminal("K-77", "", answer)
    before = (practice / "vault.forgotten").read_bytes()
    result = tact("--workspace", practice, "forget", "--partner", "ARSIS")
    assert result.code == code
    assert "No record has this identifier" in result.err
    assert ((practice / "vault.forgotten").read_bytes() != before) == (code == 0)
    assert "K-77" not in result.out + result.err


def test_a_known_child_with_an_unknown_number_is_asked_about(tact, practice, monkeypatch) -> None:
    before = (practice / "vault.forgotten").read_bytes()
    refused = forget(tact, practice, monkeypatch, f"{KETI}\nP-811", "--partner", "ARSIS")
    assert refused.code == 2
    assert "programme number" in refused.json["message"]
    assert (practice / "vault.forgotten").read_bytes() == before
    options = ("--partner", "ARSIS", "--even-if-unknown")
    assert forget(tact, practice, monkeypatch, f"{KETI}\nP-811", *options).json["forgotten"] == 1


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that simulates a person at a terminal who gives these answers, also hidden ones."""

    def sit(*answers: str) -> list[str]:
        asked, left = [], iter(answers)

        def prompt(text, **_how):
            asked.append(text)
            return next(left)

        monkeypatch.setattr(typer, "prompt", prompt)
        monkeypatch.setattr(sys, "stdin", type("Terminal", (io.StringIO,), {"isatty": lambda _: True})())
        return asked

    return sit


@pytest.mark.parametrize("text", ["", "\n", "K-1\nK-2\nK-3"])
def test_nothing_and_too_much_are_refused(tact, practice, monkeypatch, text) -> None:
    answer = forget(tact, practice, monkeypatch, text, "--partner", "ARSIS")
    assert (answer.code, answer.json["error"]) == (2, "InputError")
    assert "K-1" not in answer.out + answer.err


def test_on_a_terminal_it_is_asked_without_echo(tact, practice, monkeypatch) -> None:
    asked = []

    def prompt(text, **how):
        asked.append((text, how["hide_input"]))
        return KETI if len(asked) == 1 else ""

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr(sys, "stdin", type("Terminal", (io.StringIO,), {"isatty": lambda _: True})())
    assert tact("--workspace", practice, "forget", "--partner", "ARSIS", "--json").json["forgotten"] == 1
    assert [hidden for _, hidden in asked] == [True, True]


@pytest.mark.slow
@pytest.mark.usefixtures("cheap_backups")
def test_a_restored_backup_does_not_bring_the_child_back(tact, practice, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TACT_BACKUP_PASSPHRASE", PASSPHRASE)
    older = tmp_path / "older.backup"
    assert tact("--workspace", practice, "backup", older).code == 0
    forget(tact, practice, monkeypatch, f"{KETI}\nP-118", "--partner", "ARSIS")
    assert tact("--workspace", practice, "restore", older, "--replace").code == 0
    assert forget(tact, practice, monkeypatch, f"{KETI}\nP-118", "--partner", "ARSIS").json["known"] is False
    assert tact("--workspace", practice, "doctor", "--json").json["healthy"]
    answer = forget(tact, practice, monkeypatch, "K-0", "--partner", "ARSIS")
    assert answer.json["forgotten"] == 2


@pytest.mark.slow
def test_forgetting_after_a_release_keeps_its_numbers(tact, practice, monkeypatch) -> None:
    from data.release import Release

    write_small_policy(practice)
    tact("--workspace", practice, "release")
    forget(tact, practice, monkeypatch, f"{KETI}\nP-118", "--partner", "ARSIS")
    assert tact("--workspace", practice, "release").code == 0
    names = [row["release"] for row in tact("--workspace", practice, "releases", "--json").json]
    new, old = (Release.open(practice / "releases", "partner", name) for name in names)
    for table in old.tables:
        assert new.table(table).equals(old.table(table)), table


def test_a_partner_withdraws(tact, practice) -> None:
    assert tact("--workspace", practice, "withdraw", "--partner", "Nobody", "--json").code == 2
    answer = tact("--workspace", practice, "withdraw", "--partner", "arsis", "--yes", "--json")
    assert answer.json == {"withdrawn": 12}
    assert tact("--workspace", practice, "doctor", "--json").json["healthy"]


def test_what_only_a_draft_has_is_forgotten_and_withdrawn(tact, practice, monkeypatch) -> None:
    workspace = Workspace.open(practice)
    with open_vault(workspace) as vault:
        drafts.write_draft(vault, Draft("encounter", "Nova", ({"child_id": "N-1"}, {"child_id": "N-2"})))
    assert forget(tact, practice, monkeypatch, "n-1\n", "--partner", "Nova").json == {"forgotten": 0, "known": False}
    with open_vault(workspace) as vault:
        assert drafts.read_draft(vault, "encounter").rows == ({"child_id": "N-2"},)
    answer = tact("--workspace", practice, "withdraw", "--partner", "nova", "--yes", "--json")
    assert answer.json == {"withdrawn": 0}
    with open_vault(workspace) as vault:
        assert drafts.read_draft(vault, "encounter").rows == ()


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_partner_is_not_withdrawn_where_nobody_can_be_asked(tact, practice, monkeypatch, words) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("arsis\n"))
    refused = tact("--workspace", practice, "withdraw", "--partner", "arsis", *words)
    message = refused.json["message"] if words else refused.err
    assert refused.code == 2
    assert "12 records of ARSIS" in message
    assert "--yes" in message
    assert tact("--workspace", practice, "withdraw", "--partner", "arsis", "--yes", "--json").code == 0


def test_a_partner_is_withdrawn_when_its_name_is_typed_again(tact, practice, terminal) -> None:
    withdraw = ("--workspace", practice, "withdraw", "--partner", "arsis")
    terminal("yes")
    refused = tact(*withdraw)
    assert (refused.code, refused.out) == (2, "")
    assert "12 records of ARSIS" in refused.err
    asked = terminal("Arsis")
    done = tact(*withdraw)
    assert (done.code, len(asked)) == (0, 1)
    assert "12 records of ARSIS were deleted" in done.out


@pytest.mark.slow
def test_an_unknown_partner_is_told_with_few_names_and_the_message_last(tact, practice, tmp_path) -> None:
    service = {"municipality": "Tiranë", "duty_bearer": "ngo", "axis": "protection", "valid_from": "2008-01-01"}
    services = [service | {"operator": f"Operator {n}"} for n in range(30)]
    assert take(tact, practice, tmp_path / "services.csv", services)["accepted"] == 30
    for name, meant in (("ARSSIS", "ARSIS"), ("Operater 7", "Operator 7"), ("zzz", "ARSIS")):
        refused = tact("--workspace", practice, "withdraw", "--partner", name, "--yes", "--json")
        *listed, last = refused.json["message"].splitlines()
        assert meant in " ".join(listed)
        assert " ".join(listed).count(",") < 10
        assert last.startswith(f"No partner '{name}' has records here")
