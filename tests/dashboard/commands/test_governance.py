"""Governance by the command line: what a release needs, what is deleted, and who receives files."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import sys
from pathlib import Path

import pytest

from dashboard.map import atlas
from data.release import Release, current_name, derived
from data.restricted.governance import INVENTED
from geo import export
from tests.helpers.repetitions import vary
from tests.helpers.small_policy import write_coarse_policy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("few_worlds")]

COMPLETE = INVENTED.replace("invented = true", "")
SECOND, WORDS = "Invented Person B", "fjalë e dytë e fshehtë"
ENCOUNTER = {
    "date": "2008-03-04",
    "municipality": "Tiranë",
    "stage": "identified",
    "pathway": "internal",
    "form": "begging",
    "axis": "protection",
    "found": "discovered",
    "partner": "ARSIS",
}
COMMUNITY = {"area": "AL-04", "group": "roma", "estimate": "500", "year": "2008", "source": "s", "partner": "B"}


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def encounters(path: Path, count: int = 30, **changes: str) -> Path:
    rows = [ENCOUNTER | {"child_id": f"K-{n}", "record_number": f"R-{n}"} | changes for n in range(count)]
    return write_csv(path, rows)


@pytest.fixture
def typed(monkeypatch):
    """Return a function that types lines as answers to a command."""

    def type_lines(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    type_lines()
    return type_lines


@pytest.fixture
def make_workspace(tact, copied, tmp_path: Path, typed):
    """Return a function that makes a workspace with some records."""

    def make(*words: str) -> Path:
        files = [encounters(tmp_path / "e.csv"), write_csv(tmp_path / "c.csv", [COMMUNITY])]

        def fill(folder: Path) -> None:
            assert tact("--workspace", folder, "init", *words).code == 0
            write_coarse_policy(folder)
            if "--practice" not in words:
                name_partners(folder, "ARSIS", COMMUNITY["partner"])
            assert tact("--workspace", folder, "import", *files).code == 0

        folder = copied(f"governed{''.join(words)}", fill, tmp_path / "w")
        note_backup(folder, 0)
        return folder

    return make


def note_backup(folder: Path, days: int) -> None:
    """Note in a workspace that its last backup was made some days ago."""
    day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days)
    (folder / "last-backup").write_text(f"{day}\n", encoding="utf-8")


@pytest.mark.usefixtures("cheap_backups")
def test_real_records_need_a_backup_of_the_last_days(tact, make_workspace, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TACT_BACKUP_PASSPHRASE", "katër fjalë të rastit")
    folder = make_workspace()

    def problems() -> str:
        return " ".join(tact("--workspace", folder, "doctor", "--json").json["problems"])

    assert "backup" not in problems()
    # A backup of a day to come was noted by a wrong clock.
    for days, words in ((4, "The last backup is of "), (3, ""), (-1, ""), (-400, "The last backup is of ")):
        note_backup(folder, days)
        assert ("tact backup FILE" in problems()) is bool(words)
        assert words in problems()
    (folder / "last-backup").unlink()
    assert "No backup was made yet" in problems()
    assert "No backup was made yet" in tact("--workspace", folder, "import", tmp_path / "e.csv").err
    assert tact("--workspace", folder, "backup", tmp_path / "b").code == 0
    assert "backup" not in problems()


def name_partners(folder: Path, *partners: str) -> None:
    """Write the controllers into the governance file, of which nothing else is filled in yet."""
    path, listed = folder / "governance.toml", ", ".join(f'"{partner}"' for partner in partners)
    path.write_text(re.sub(r"(?m)^names = .*$", f"names = [{listed}]", path.read_text("utf-8")), encoding="utf-8")


def complete(folder: Path, old: str = "", new: str = "") -> None:
    (folder / "governance.toml").write_text(COMPLETE.replace(old, new) if old else COMPLETE, encoding="utf-8")


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# -- importing --


def test_a_person_is_no_new_partner(tact, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    tact("--workspace", folder, "init")
    path = encounters(tmp_path / "e.csv")
    person = "Ana Hoxha"
    column = encounters(tmp_path / "column.csv", 3, partner=person)
    nameless = encounters(tmp_path / "n.csv", 3, partner="")
    for words in ([path], [column], [nameless, "--partner", person]):
        refused = tact("--workspace", folder, "import", *words, "--json")
        assert refused.code == 2
        assert "names 1 partner whom" in refused.out
        assert "organisations, never persons" in refused.out
        assert person not in refused.out + refused.err
    name_partners(folder, "arsis")
    assert tact("--workspace", folder, "import", path).code == 0
    name_partners(folder, "Another")
    known = tact("--workspace", folder, "import", path, "--json").json
    assert known["already_known"] > 0, "a partner whose records are there stays one"
    assert tact("--workspace", folder, "import", column).code == 2
    (folder / "governance.toml").write_text(
        f'[[agreements]]\nreceiver = "{person} Foundation"\nkind = "partner"\n', encoding="utf-8"
    )
    assert tact("--workspace", folder, "import", nameless, "--partner", f"{person} Foundation").code == 0
    (folder / "governance.toml").write_text("not TOML", encoding="utf-8")
    assert tact("--workspace", folder, "import", nameless, "--partner", "A third").code == 2


# -- releasing --


def test_real_records_are_released_by_two_people_with_a_complete_file(tact, make_workspace, typed) -> None:
    folder = make_workspace()
    *problems, todo = tact("--workspace", folder, "doctor", "--json").json["problems"]
    refused = tact("--workspace", folder, "release", "--json")
    assert (refused.code, refused.json["error"]) == (3, "WorkspaceError")
    assert problems
    assert all(problem in refused.json["message"] for problem in problems)
    assert "tact second --name" in todo, "the second person is named from the start"
    complete(folder)
    (todo,) = tact("--workspace", folder, "doctor", "--json").json["problems"]
    assert "tact second --name" in todo
    assert "tact second" in tact("--workspace", folder, "release", "--json").json["message"]
    typed(WORDS, WORDS)
    appointed = tact("--workspace", folder, "second", "--name", SECOND.lower(), "--json")
    assert (appointed.json["second"], appointed.json["replaced"]) == (SECOND, None)
    assert tact("--workspace", folder, "doctor", "--json").json["healthy"]
    typed("not the passphrase")
    refused = tact("--workspace", folder, "release", "--json")
    assert refused.code == 2
    message = " ".join(refused.err.split())
    assert "These years become final with it: Jun 2006 to May 2007, Jun 2007 to May 2008, Jun 2008 to" in message
    assert "Go on only if the files of all partners for these years are imported" in message
    assert not current_name(folder / "releases")
    typed(WORDS)
    released = tact("--workspace", folder, "release", "--json")
    assert released.code == 0
    assert WORDS not in released.out + released.err
    (line,) = lines(folder / "approvals.csv")
    name = released.json["release"]
    manifest = folder / "releases" / name / "public" / "datapackage.json"
    assert (line["release"], line["confirmed_by"], line["replaced"]) == (name, SECOND, "")
    assert line["public"] == hashlib.sha256(manifest.read_bytes()).hexdigest()
    # One confirmation is one release.
    typed()
    assert tact("--workspace", folder, "release", "--json").code == 2


def test_init_says_that_the_days_of_the_programme_must_be_set(tact, tmp_path) -> None:
    text = " ".join(tact("--workspace", tmp_path / "real", "init").out.split())
    assert "Set first and last in" in text
    assert "They are 2006-06-01 and 2009-05-31 now" in text
    assert "first and last" not in tact("--workspace", tmp_path / "practice", "init", "--practice").out


def test_doctor_counts_encounters_of_other_days(tact, make_workspace, tmp_path) -> None:
    folder = make_workspace("--practice")
    assert "outside" not in tact("--workspace", folder, "doctor").err
    late = encounters(tmp_path / "late.csv", 2, date="2009-06-01")
    assert tact("--workspace", folder, "import", late, "--answer", "numbers=correct").code == 0
    text = " ".join(tact("--workspace", folder, "doctor").err.split())
    assert "2 encounters lie outside" in text
    assert "last = 2009-05-31" in text


def test_figures_alone_need_nobody(tact, make_workspace) -> None:
    assert tact("--workspace", make_workspace(), "release", "--figures-only", "--json").code == 0


@pytest.mark.parametrize(
    ("name", "typing", "code"),
    [
        ("Somebody Else", (WORDS, WORDS), 2),
        (SECOND, (WORDS, "another one here"), 2),
        (SECOND, ("short", "short"), 2),
        (SECOND, (WORDS, WORDS), 0),
    ],
)
def test_the_second_person_is_one_of_those_who_approved(tact, make_workspace, typed, name, typing, code) -> None:
    folder = make_workspace()
    complete(folder)
    typed(*typing)
    assert tact("--workspace", folder, "second", "--name", name, "--json").code == code


def test_a_lost_passphrase_is_replaced_and_every_later_release_says_so(tact, make_workspace, typed) -> None:
    folder = make_workspace()
    complete(folder)
    typed(WORDS, WORDS)
    tact("--workspace", folder, "second", "--name", SECOND)
    typed("guessed", "another green heap of gravel", "another green heap of gravel")
    assert tact("--workspace", folder, "second", "--name", "Invented Person A").code == 2
    typed("another green heap of gravel", "another green heap of gravel")
    tact("--workspace", folder, "second", "--name", "Invented Person A", "--lost")
    typed("another green heap of gravel")
    assert tact("--workspace", folder, "release").code == 0
    assert lines(folder / "approvals.csv")[0]["replaced"]


@pytest.mark.long
def test_practice_needs_no_second_person(tact, make_workspace) -> None:
    folder = make_workspace("--practice")
    assert tact("--workspace", folder, "doctor", "--json").json["healthy"]
    assert tact("--workspace", folder, "release", "--json").code == 0
    assert not (folder / "approvals.csv").exists()


# -- communities --


@vary("decision", ["withdrawn", "blocked", ""])
def test_communities_and_the_dark_figure_leave_with_approval_alone(tact, make_workspace, tmp_path, decision) -> None:
    folder = make_workspace("--practice")
    with (folder / "policy.toml").open("a") as policy:
        policy.write('[[partner]]\nmeasures = ["dark_figure"]\nlevels = ["country"]\nperiods = ["whole"]\n')
    first = tact("--workspace", folder, "release", "--json").json["release"]
    assert communities(folder, "public")
    text = (folder / "governance.toml").read_text()
    (folder / "governance.toml").write_text(text.replace('"approved"', f'"{decision}"'))
    doctor = tact("--workspace", folder, "doctor", "--json")
    assert (doctor.code, len(doctor.json["problems"])) == (7, 2)
    card = {"card": {"share_found": {"AL": [0.3, 0.6]}}}
    derived.publish(folder / "derived", Release.open(folder / "releases", "partner"), "risk", [], card)
    assert "tact risk" in tact("--workspace", folder, "doctor", "--json").json["problems"][2]
    # What was published is not changed; what leaves from now on holds none.
    earlier = tact("--workspace", folder, "export", "--to", tmp_path / "out", "--format", "csv", "--json")
    assert earlier.json["release"] == first
    assert not any(file.endswith("communities.csv") for file in earlier.json["files"])
    assert tact("--workspace", folder, "release", "--json").code == 0
    assert not communities(folder, "public")
    assert not communities(folder, "partner")
    assert not any("dark" in table for table in Release.open(folder / "releases", "partner").tables)
    assert tact("--workspace", folder, "doctor", "--json").json["healthy"]


def communities(folder: Path, tier: str) -> list[str]:
    return [t for t in Release.open(folder / "releases", tier).tables if t.startswith("communities")]


# -- retention --


def test_what_was_kept_long_enough_is_deleted_before_an_import_and_a_release(tact, make_workspace, tmp_path) -> None:
    folder = make_workspace("--practice")
    recent = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=40)
    more = encounters(tmp_path / "new.csv", 5, date=recent.isoformat(), partner="BKTF")
    keep(folder, 12)
    problems = tact("--workspace", folder, "doctor", "--json").json["problems"]
    assert len(problems) == 1
    assert problems[0].startswith("30 records")
    answer = tact("--workspace", folder, "import", more, "--delete-overdue", "30", "--json")
    assert answer.json["accepted"] == 5
    assert "30 records" in answer.err
    assert tact("--workspace", folder, "doctor", "--json").json["healthy"]
    keep(folder, 1)
    refused = tact("--workspace", folder, "release", "--json")
    assert (refused.code, "--delete-overdue 5" in refused.json["message"]) == (2, True)
    answer = tact("--workspace", folder, "release", "--delete-overdue", "5", "--json")
    assert (answer.code, "5 records" in answer.err) == (0, True)
    assert "records" not in tact("--workspace", folder, "release", "--json").err


def test_an_import_warns_of_what_the_next_one_deletes_and_a_release_asks_before_it(
    tact, make_workspace, typed, tmp_path
) -> None:
    folder = make_workspace()
    recent = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=40)
    later = encounters(tmp_path / "e.csv", 60, date=recent.isoformat())
    tact("--workspace", folder, "import", later, "--answer", "numbers=correct")
    complete(folder)
    typed(WORDS, WORDS)
    tact("--workspace", folder, "second", "--name", SECOND)
    complete(folder, "months = 1200", "months = 12")
    name_partners(folder, "BKTF")
    old = encounters(tmp_path / "old.csv", 4, date="2007-03-04", partner="BKTF")
    answer = tact("--workspace", folder, "import", old, "--json")
    assert (answer.json["accepted"], answer.json["overdue"]) == (4, 4)
    warning = "4 of these records are about children without an encounter since"
    assert warning in tact("--workspace", folder, "import", old).out
    typed("not the passphrase")
    refused = tact("--workspace", folder, "release")
    assert refused.code == 2
    notice, _, asked = refused.err.partition("A release of")
    assert "4 records of children without an encounter since" in notice
    assert asked
    assert tact("--workspace", folder, "doctor", "--json").code == 7


@pytest.mark.long
def test_an_import_of_recent_children_warns_of_nothing(tact, make_workspace, tmp_path) -> None:
    answer = tact("--workspace", make_workspace("--practice"), "import", tmp_path / "e.csv", "--json")
    assert answer.json["overdue"] == 0


def keep(folder: Path, months: int) -> None:
    text = INVENTED.replace("months = 1200", f"months = {months}")
    (folder / "governance.toml").write_text(text, encoding="utf-8")


# -- receivers --


def write_little(opened, folder, *_more, **_named) -> list[Path]:
    """Write one file in place of all layers."""
    (folder / "little.txt").write_text(opened.tier, encoding="utf-8")
    return [folder / "little.txt"]


def test_partner_files_are_named_and_logged(tact, make_workspace, tmp_path, monkeypatch) -> None:
    # What the files hold is in other tests, and takes long.
    monkeypatch.setattr(export, "export_layers", write_little)
    monkeypatch.setattr(atlas, "write_atlases", write_little)
    folder = make_workspace("--practice")
    name = tact("--workspace", folder, "release", "--json").json["release"]
    for command in (("export", "--format", "csv"), ("atlas",), ("report", "--standard", "htcds")):
        out = tmp_path / command[0]
        words = ("--workspace", folder, *command, "--to", out, "--json")
        assert tact(*words, "--tier", "partner").code == 2
        refused = tact(*words, "--tier", "partner", "--for", "Ministry")
        assert (refused.code, refused.json["error"]) == (3, "WorkspaceError")
        assert not out.exists()
        assert not (folder / "exports.csv").exists()
        answer = tact(*words, "--tier", "partner", "--for", "invented partner")
        assert answer.json.get("files"), answer
        (line,) = lines(folder / "exports.csv")
        assert (line["for"], line["kind"], line["release"]) == ("Invented Partner", "partner", name)
        assert len(line["day"]) == len("2009-05-31")
        assert "encounters" in line["layers"].split()
        assert line["formats"].endswith(command[-1])
        assert tact(*words).json["for"] is None
        assert len(lines(folder / "exports.csv")) == 1
        (folder / "exports.csv").unlink()


# -- what is written, kept and brought back --


def test_init_writes_the_file_to_fill_in_and_the_breach_page(tact, tmp_path) -> None:
    text = tact("--workspace", tmp_path / "w", "init").out
    assert "governance.toml" in text
    page = (tmp_path / "w" / "BREACH.md").read_text()
    assert all(words in page for words in ("first hour", "first day", "72 hours", "article 33", "124/2024"))
    (tmp_path / "w" / "BREACH.md").unlink()
    result = tact("--workspace", tmp_path / "w", "doctor")
    assert "BREACH.md was missing" in result.err
    assert (tmp_path / "w" / "BREACH.md").read_text() == page


@pytest.mark.usefixtures("cheap_backups")
def test_a_backup_carries_the_file_the_logs_and_the_second_person(tact, make_workspace, typed, tmp_path, monkeypatch):
    monkeypatch.setenv("TACT_BACKUP_PASSPHRASE", "katër fjalë të rastit")
    folder, new = make_workspace(), tmp_path / "new"
    complete(folder)
    typed(WORDS, WORDS)
    tact("--workspace", folder, "second", "--name", SECOND)
    typed(WORDS)
    assert tact("--workspace", folder, "release").code == 0
    report = ("report", "--standard", "htcds", "--to", tmp_path / "o", "--tier", "partner")
    assert tact("--workspace", folder, *report, "--for", "Invented Partner").code == 0
    assert tact("--workspace", folder, "backup", tmp_path / "b").code == 0
    assert tact("--workspace", new, "restore", tmp_path / "b").code == 0
    for name in ("governance.toml", "approvals.csv", "exports.csv"):
        assert (new / name).read_bytes() == (folder / name).read_bytes()
    typed("not the passphrase")
    assert tact("--workspace", new, "release").code == 2
    typed(WORDS)
    assert tact("--workspace", new, "release").code == 0
    assert len(lines(new / "approvals.csv")) == 2


# -- policy --

OWN_POLICY = """
[protection]
k = 20

[[partner]]
measures = ["children"]
levels = ["region"]
periods = ["year"]
breakdowns = ["none", "pathway"]

[[public]]
measures = ["children"]
levels = ["region"]
periods = ["year"]
breakdowns = ["none", "pathway"]
"""


def test_the_policy_file_is_kept_to_and_its_faults_stop_a_release(tact, tmp_path) -> None:
    folder = tmp_path / "w"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    policy = folder / "policy.toml"
    assert "k = 11" in policy.read_text()
    assert tact("--workspace", folder, "import", encounters(tmp_path / "encounter.csv")).code == 0
    policy.write_text(policy.read_text().replace("k = 11", "k = 9"))
    refused = tact("--workspace", folder, "release", "--json")
    assert (refused.code, refused.json["error"]) == (2, "InputError")
    assert "k = 9; it must be at least 11" in refused.json["message"]
    assert any("k = 9" in p for p in tact("--workspace", folder, "doctor", "--json").json["problems"])
    policy.write_text(OWN_POLICY)
    assert tact("--workspace", folder, "release").code == 0
    for tier in ("partner", "public"):
        release = Release.open(folder / "releases", tier)
        assert release.k == 20
        assert release.manifest["tact"]["plan"]["partner"]
        counted = {table for table in release.tables if table.startswith("children")}
        assert counted == {"children_region_year", "children_region_year_pathway"}
