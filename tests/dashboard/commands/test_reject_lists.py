"""Lists of rejected rows: each partner has its own, only the owner reads them, they go with child and partner."""

from __future__ import annotations

import io
import stat
import sys
from pathlib import Path

import pytest

from tests.dashboard.commands.test_retention import ENCOUNTER, keep

pytestmark = pytest.mark.slow

HEAD = [*ENCOUNTER, "child_id", "record_number", "date"]


def take(tact, folder: Path, path: Path, partners: list[str], *words: str) -> Path:
    """Import a file with a good row and a wrong one of each partner; return the path of its list."""
    rows = []
    for number, partner in enumerate(partners):
        good = ENCOUNTER | {"partner": partner, "child_id": f"K-{number}", "record_number": f"R-{number}"}
        good |= {"date": "2008-03-04"}
        rows += [good, good | {"record_number": f"W-{number}", "municipality": "Shpikja"}]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([",".join(HEAD), *(",".join(row[name] for name in HEAD) for row in rows)]))
    return Path(tact("--workspace", folder, "import", path, *words, "--json").json["files"][0]["rejects"])


@pytest.fixture
def practice(tact, tmp_path: Path) -> Path:
    folder = tmp_path / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    return folder


@pytest.fixture
def lists(tact, practice, tmp_path) -> dict[str, Path]:
    """Lists of files of the same name: of two partners, and of both in one file."""
    senders = {"arsis": ["ARSIS"], "terre": ["Terre des hommes"], "both": ["ARSIS", "Terre des hommes"]}
    return {name: take(tact, practice, tmp_path / name / "march.csv", who) for name, who in senders.items()}


def test_lists_of_files_of_the_same_name_stand_side_by_side_and_only_the_owner_reads_them(lists) -> None:
    assert len(set(lists.values())) == 3
    for path in lists.values():
        assert "Shpikja" in path.read_text("utf-8-sig")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_list_that_is_not_needed_any_more_is_removed(tact, practice, lists, tmp_path) -> None:
    path = tmp_path / "arsis" / "march.csv"
    path.write_text(path.read_text().replace("Shpikja", "Durrës"))
    assert tact("--workspace", practice, "import", path, "--json").json["rejected"] == 0
    assert not lists["arsis"].exists()
    assert lists["terre"].exists()


def test_only_the_first_words_that_were_read_as_a_place_that_sounds_like_them_are_said(
    tact, practice, tmp_path
) -> None:
    places = ["Duress", "Elbassan", "Tirrana", "Vlorra", "Shkodrra", "Fierr", "Beratt"]
    rows = [
        ENCOUNTER | {"child_id": f"K-{number}", "record_number": "", "date": "2008-03-04", "municipality": place}
        for number, place in enumerate(places)
    ]
    path = tmp_path / "places.csv"
    path.write_text("\n".join([",".join(HEAD), *(",".join(row[name] for name in HEAD) for row in rows)]))
    output = tact("--workspace", practice, "import", path, "--dry-run").out
    assert [place for place in places if f"'{place}' read as" in output] == places[:5]
    assert "and 2 more words read so" in output
    (file,) = tact("--workspace", practice, "import", path, "--json").json["files"]
    assert [word["word"] for word in file["respelled"]] == places[:5]
    assert file["more_respelled"] == 2


def test_a_partner_takes_its_lists_along_and_leaves_those_of_others(tact, practice, lists) -> None:
    earlier = practice / "rejects" / "april.csv.rejected.csv"  # as earlier versions named it
    earlier.write_text("Shpikja")
    answer = tact("--workspace", practice, "withdraw", "--partner", "terre des hommes", "--yes")
    assert "Lists of rejected rows were removed" in answer.out
    assert [name for name, path in lists.items() if path.exists()] == ["arsis"]
    assert not earlier.exists()


def test_an_import_that_is_undone_takes_the_lists_of_its_partner_along(tact, practice, lists, tmp_path) -> None:
    bktf = take(tact, practice, tmp_path / "own" / "may.csv", ["BKTF"], "--partner", "BKTF")
    arsis = take(tact, practice, tmp_path / "own" / "june.csv", ["ARSIS"], "--partner", "ARSIS")
    tact("--workspace", practice, "undo", "99", "--yes")
    assert bktf.exists()
    tact("--workspace", practice, "undo", "4", "--yes")
    assert (bktf.exists(), arsis.exists(), lists["terre"].exists()) == (False, True, True)
    # Of a file with rows of several partners it is not known where its rows were listed.
    tact("--workspace", practice, "undo", "1", "--yes")
    assert not list((practice / "rejects").rglob("*.csv"))


def test_all_lists_go_when_a_child_is_forgotten(tact, practice, lists, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("K-0\n"))
    answer = tact("--workspace", practice, "forget", "--partner", "ARSIS")
    assert (answer.code, "Lists of rejected rows were removed" in answer.out) == (0, True)
    assert not any(path.is_file() for path in (practice / "rejects").rglob("*"))


def test_no_list_goes_when_a_child_is_not_forgotten(tact, practice, lists, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("K-77\n"))
    assert tact("--workspace", practice, "forget", "--partner", "ARSIS").code == 2
    assert all(path.exists() for path in lists.values())


def test_all_lists_go_with_the_records_that_are_kept_too_long(tact, practice, lists, tmp_path) -> None:
    keep(practice, 12)
    path = tmp_path / "none.csv"
    path.write_text("\n".join([",".join(HEAD)]))
    assert tact("--workspace", practice, "import", path, "--delete-overdue", "2").code == 2  # three, not two
    assert all(path.exists() for path in lists.values())
    assert tact("--workspace", practice, "import", path, "--delete-overdue", "3").code == 0
    assert not any(path.exists() for path in lists.values())


@pytest.mark.always("../../up")
@pytest.mark.parametrize("partner", ["../../up", "Κοινωνική Μέριμνα", "...", "x" * 200])
def test_a_name_of_a_partner_leads_to_a_folder_below_that_of_the_lists(tact, practice, tmp_path, partner) -> None:
    path = take(tact, practice, tmp_path / "f" / "march.csv", [partner])
    assert path.resolve().parent.parent == (practice / "rejects").resolve()
