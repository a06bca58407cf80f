"""Retention by the command line: a wrong clock and a mistyped number delete nothing until a person names the number."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from data.restricted import keys
from data.restricted.governance import INVENTED
from data.restricted.vault import forget_log, open_vault
from data.workspace import Workspace

pytestmark = pytest.mark.slow

TODAY = dt.datetime.now(dt.UTC).date()
ENCOUNTER = {
    "municipality": "Tiranë",
    "stage": "identified",
    "pathway": "internal",
    "form": "begging",
    "axis": "protection",
    "found": "discovered",
    "partner": "ARSIS",
}


def write_encounters(path: Path, days_ago: list[int]) -> Path:
    """Write an encounter of a child of its own for each number of days."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*ENCOUNTER, "child_id", "record_number", "date"])
        writer.writeheader()
        for number, days in enumerate(days_ago):
            day = TODAY - dt.timedelta(days=days)
            names = {"child_id": f"K-{number}", "record_number": f"R-{number}", "date": day.isoformat()}
            writer.writerow(ENCOUNTER | names)
    return path


def keep(folder: Path, months: int) -> None:
    text = INVENTED.replace("months = 1200", f"months = {months}")
    (folder / "governance.toml").write_text(text, encoding="utf-8")


def count(folder: Path) -> int:
    workspace = Workspace.open(folder)
    with open_vault(workspace, keys.load(workspace.key_id)) as vault:
        return vault.count("encounter")


def count_history(folder: Path) -> int:
    """Count what the history says of children whom no record names."""
    workspace = Workspace.open(folder)
    with open_vault(workspace, keys.load(workspace.key_id)) as vault:
        rows = "SELECT count(*) FROM encounter_history WHERE child NOT IN (SELECT child FROM encounter)"
        return int(vault._connection.execute(rows).fetchone()[0])


@pytest.fixture
def practice(tact, copied, tmp_path: Path) -> Path:
    """A workspace with 38 children met in the last weeks and two met three years ago, kept for ten years."""
    file = write_encounters(tmp_path / "e.csv", [40] * 38 + [1100] * 2)

    def fill(folder: Path) -> None:
        assert tact("--workspace", folder, "init", "--practice").code == 0
        keep(folder, 120)
        assert tact("--workspace", folder, "import", file, "--json").json["accepted"] == 40

    return copied("kept for ten years", fill, tmp_path / "practice")


@pytest.fixture
def set_clock(monkeypatch):
    """Return a function that sets the clock of the machine."""
    return lambda day: monkeypatch.setattr(forget_log, "today", lambda: str(day))


def more(tact, folder: Path, tmp_path: Path, *words: object):
    return tact("--workspace", folder, "import", tmp_path / "e.csv", *words, "--json")


def test_a_few_records_are_deleted_without_a_question(tact, practice, tmp_path) -> None:
    keep(practice, 24)
    answer = more(tact, practice, write_encounters(tmp_path / "e.csv", [40] * 38).parent)
    assert (answer.code, count(practice)) == (0, 38)
    assert "2 records" in answer.err


def test_a_child_that_only_the_history_names_goes_too(tact, practice, tmp_path) -> None:
    lines = (tmp_path / "e.csv").read_text(encoding="utf-8").splitlines()
    recent = lines[1].split(",")[-1]
    corrected = [lines[0], *(f"{line.rsplit(',', 3)[0]},K-0,{line.split(',')[-2]},{recent}" for line in lines[-2:])]
    (tmp_path / "e.csv").write_text("\n".join(corrected), encoding="utf-8")
    answers = [word for answer in ("numbers=correct", "period=adds", "changes=right") for word in ("--answer", answer)]
    assert more(tact, practice, tmp_path, *answers).json["changed"] == 2
    assert count_history(practice) == 2
    keep(practice, 24)
    assert (more(tact, practice, tmp_path, *answers).code, count(practice), count_history(practice)) == (0, 40, 0)


@pytest.mark.parametrize("command", ["import", "release"])
def test_a_clock_that_stands_ahead_deletes_nothing(tact, practice, tmp_path, set_clock, command) -> None:
    set_clock("2040-01-01")
    words = (tmp_path / "e.csv",) if command == "import" else ()
    for _ in range(2):  # the first command must not become the measure of the second
        refused = tact("--workspace", practice, command, *words, "--json")
        assert (refused.code, refused.json["error"]) == (2, "InputError")
        message = refused.json["message"]
        assert "40 of 40 records" in message
        assert f"says 2040-01-01. That is more than 92 days after the last import or release, on {TODAY}" in message
        assert message.endswith("--delete-overdue 40")
        assert count(practice) == 40
    assert not list((practice / "releases").glob("2*"))


def test_a_clock_that_stands_a_little_ahead_deletes_nothing(tact, practice, tmp_path, set_clock) -> None:
    keep(practice, 24)
    set_clock(TODAY + dt.timedelta(days=93))
    assert more(tact, practice, tmp_path).code == 2
    assert count(practice) == 40
    set_clock(TODAY + dt.timedelta(days=92))
    assert (more(tact, practice, tmp_path).code, count(practice)) == (0, 40)  # deleted, and imported again


def test_a_clock_that_was_set_back_deletes_nothing(tact, practice, tmp_path, set_clock) -> None:
    keep(practice, 24)
    set_clock(TODAY - dt.timedelta(days=1))
    refused = more(tact, practice, tmp_path)
    assert (refused.code, count(practice)) == (2, 40)
    assert "before the last import or release" in refused.json["message"]


def test_a_day_in_doubt_is_not_noted_where_nothing_was_deleted(tact, practice, tmp_path, set_clock) -> None:
    set_clock(TODAY + dt.timedelta(days=200))
    assert more(tact, practice, tmp_path).code == 0
    keep(practice, 24)
    refused = more(tact, practice, tmp_path)
    assert f"on {TODAY}" in refused.json["message"]
    assert count(practice) == 40


def test_a_mistyped_number_of_months_deletes_nothing_until_the_number_is_named(tact, practice, tmp_path) -> None:
    keep(practice, 1)
    file = tmp_path / "new.csv"
    file.write_text((tmp_path / "e.csv").read_text().replace("ARSIS", "BKTF"))
    command = ("--workspace", practice, "import", file, "--json")
    refused = tact(*command)
    assert "40 of 40 records" in refused.json["message"]
    assert "months in governance.toml" in refused.json["message"]
    assert "clock" not in refused.json["message"]
    for wrong in ("39", "41", "0"):
        assert tact(*command, "--delete-overdue", wrong).code == 2
    assert tact("--workspace", practice, "doctor", "--json").code == 7
    assert count(practice) == 40
    answer = tact(*command, "--delete-overdue", "40")
    assert (answer.code, answer.json["accepted"], count(practice)) == (0, 40, 40)
    assert "40 records" in answer.err


def test_a_confirmation_without_such_records_is_an_error(tact, practice, tmp_path) -> None:
    refused = more(tact, practice, tmp_path, "--delete-overdue", "40")
    assert (refused.code, count(practice)) == (2, 40)
    assert "--delete-overdue says 40" in refused.json["message"]


def test_a_dry_run_deletes_nothing(tact, practice, tmp_path) -> None:
    keep(practice, 1)
    answer = more(tact, practice, tmp_path, "--dry-run")
    assert (answer.code, answer.json["overdue"], count(practice)) == (0, 40, 40)


def test_a_vault_of_an_earlier_version_is_measured_by_its_last_import(tact, practice, tmp_path, set_clock) -> None:
    workspace = Workspace.open(practice)
    with open_vault(workspace, keys.load(workspace.key_id)) as vault:
        vault._connection.execute("DELETE FROM meta WHERE name = 'remark clock'")
    keep(practice, 24)
    set_clock(TODAY + dt.timedelta(days=93))
    assert f"on {TODAY}" in more(tact, practice, tmp_path).json["message"]
