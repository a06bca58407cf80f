"""The parts of the command line on which people and scripts rely: commands, JSON keys and exit codes."""

from __future__ import annotations

import csv
import inspect
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pyogrio
import pytest

from dashboard.commands.running import build_app
from dashboard.narrative.attacks import TRIED
from data.release import Release
from data.release.audits import MANIFEST, tier_file
from data.restricted import keys
from data.schema.kinds import KINDS
from data.tables.spec import TIERS
from geo.layers import LAYERS
from tests.helpers.nonempty import nonempty
from tests.helpers.paths import ROOT
from tests.helpers.small_policy import write_small_policy

PLANTED = ("KETI-PLANTED-77", "Arta Planted", "0691234567")


@pytest.fixture
def practice(tact, tmp_path: Path) -> Path:
    """Return an empty workspace for invented records."""
    folder = tmp_path / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    return folder


@pytest.fixture
def same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Create each workspace with the same keys. With other keys, the numbers of a few children may be withheld."""
    monkeypatch.setattr(keys.Keys, "random", lambda: keys.create_from_seed(1))


@pytest.fixture
def files(tact, tmp_path: Path) -> Path:
    """Return the folder of the demo world as partner files."""
    folder = tmp_path / "files"
    assert tact("demo", "--files", folder, "--children", "100").code == 0
    return folder


def encounter_rows(count: int = 10) -> list[dict[str, str]]:
    """Return ten correct rows of a partner's file."""
    row = {
        "date": "2008-03-04",
        "municipality": "Tiranë",
        "country": "AL",
        "stage": "identified",
        "pathway": "internal",
        "form": "begging",
        "axis": "protection",
        "found": "discovered",
        "sex": "female",
        "age_band": "10-13",
        "partner": "ARSIS",
    }
    return [row | {"child_id": f"K-{n}", "record_number": f"R-{n}"} for n in range(count)]


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


# In one process: what was loaded for one command is there for all after it, so the first may load least.
UNUSED = [
    ([], {"pandas", "numpy"}),
    (["--workspace", "plan", "import"], {"streamlit", "scipy", "sklearn", "geopandas", "risk.planning"}),
    (["doctor"], {"streamlit", "scipy", "sklearn", "geopandas"}),
    (["policy"], {"streamlit", "scipy", "sklearn", "geopandas"}),
]
SLOW = {"streamlit", "altair", "folium", "openpyxl", "scipy.stats", "sklearn", "typst", "vl_convert"}
LOADING = f"""
import sys
from dashboard.commands.running import COMMANDS, build_app
for words in {[words for words, _ in UNUSED]}:
    build_app(words)
    print(*sys.modules)
for name in COMMANDS:
    build_app([name])
print(*sys.modules)
"""


@pytest.mark.slow
def test_no_command_waits_for_the_libraries_of_others_or_for_what_takes_half_a_second_to_load() -> None:
    done = subprocess.run([sys.executable, "-c", LOADING], cwd=ROOT, capture_output=True, text=True, check=True)
    *loaded, of_all = (set(line.split()) for line in done.stdout.splitlines())
    for (words, libraries), modules in zip(UNUSED, loaded, strict=True):
        assert not libraries & modules, words
    assert not SLOW & of_all


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    listed = {command.name: command.help for command in build_app().registered_commands}
    for name, sentence in nonempty(listed.items()):
        app = build_app([name])
        group = {group.name: group.typer_instance.info.help for group in app.registered_groups}
        command = {command.name: inspect.getdoc(command.callback) for command in app.registered_commands}
        assert (group | command)[name].split("\n\n")[0] == sentence


@pytest.mark.parametrize("words", [["--help"], ["nonsense"], ["--workspace", "plan", "--help"]])
def test_help_and_errors_know_all_commands(tact, words) -> None:
    answer = tact(*words)
    assert {"import", "plan", "policy"} <= set(re.findall(r"[a-z]+", answer.out)) or "nonsense" in answer.err


def test_init_says_where_the_keys_are_and_closes_them(tact, tmp_path: Path) -> None:
    answer = tact("--workspace", tmp_path / "w", "init", "--json").json
    assert answer["kind"] == "real"
    for place in answer["keys"].values():
        path = Path(place.removeprefix("file "))
        assert (tmp_path / "w") not in path.parents
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.slow
def test_a_file_goes_in_once_and_failed_rows_come_back(tact, practice: Path, tmp_path: Path) -> None:
    rows = encounter_rows()
    rows[2]["municipality"] = "Atlantis"
    rows[5]["date"] = "2008-02-31"
    rows[7]["stage"], rows[8]["stage"] = "lost", "at_risk"
    path = write_csv(tmp_path / "march.csv", rows)
    first = tact("--workspace", practice, "import", path, "--json")
    assert first.code == 0
    assert [first.json[key] for key in ("accepted", "rejected", "already_known")] == [7, 3, 0]
    with Path(first.json["files"][0]["rejects"]).open(encoding="utf-8-sig") as file:
        returned = list(csv.DictReader(file))
    assert [(r["line"], r["column"]) for r in returned] == [("4", "municipality"), ("7", "date"), ("9", "stage")]
    assert "at_risk" in returned[2]["allowed"]
    again = tact("--workspace", practice, "import", path, "--json").json
    assert [again[key] for key in ("accepted", "rejected", "already_known")] == [0, 3, 7]


@pytest.mark.slow
def test_a_correction_counts_as_changed(tact, practice: Path, tmp_path: Path) -> None:
    rows = encounter_rows()
    tact("--workspace", practice, "import", write_csv(tmp_path / "a.csv", rows))
    rows[0]["stage"] = "reintegrating"
    answer = tact("--workspace", practice, "import", write_csv(tmp_path / "b.csv", rows), "--json").json
    assert (answer["accepted"], answer["changed"], answer["already_known"]) == (0, 1, 9)


def test_a_file_with_personal_columns_is_refused_and_the_others_go_in(tact, practice: Path, tmp_path: Path) -> None:
    personal = [row | {"emri": PLANTED[1], "telefon": PLANTED[2]} for row in encounter_rows()]
    bad = write_csv(tmp_path / "bad.csv", personal)
    good = write_csv(tmp_path / "good.csv", encounter_rows(3))
    answer = tact("--workspace", practice, "import", bad, good, "--json")
    assert answer.code == 2
    assert answer.json["accepted"] == 3
    assert answer.json["refused"] == [str(bad)]
    assert "emri" in answer.json["files"][0]["refused"]
    assert not any(text in answer.out + answer.err for text in PLANTED)


def test_errors_are_json_too_and_carry_their_exit_code(tact, tmp_path: Path) -> None:
    nowhere = tact("--workspace", tmp_path / "none", "release", "--json")
    assert (nowhere.code, nowhere.json["error"]) == (3, "WorkspaceError")
    unread = tact("--workspace", tmp_path / "none", "plan", "--moves", "many", "--json")
    assert unread.code == 2
    missing = tact("--workspace", tmp_path / "none", "import", tmp_path / "no.csv", "--json")
    assert missing.code in (2, 3)
    assert tact("--workspace", tmp_path, "no-such-command").code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["release", "--bogus"], "--bogus"),
        (["backup"], "file"),
        (["serve", "--port", "99999"], "65535"),
        (["serve", "--address", "no.such.host"], "0.0.0.0"),
        (["import", "{folder}"], "is a folder"),
        (["import", "{file}", "--partner", "X", "--mapping", "{folder}/none.toml"], "No such file"),
        (["export", "--to", "{file}", "--format", "csv"], "is a file"),
        (["export", "--to", "{file}/below", "--format", "csv", "--tier", "public"], "Check the path"),
    ],
)
def test_wrong_use_says_what_is_wrong_in_json_too(
    tact, practice: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    path = write_csv(tmp_path / "a.csv", encounter_rows())
    tact("--workspace", practice, "release", "--figures-only")
    arguments = [word.format(file=path, folder=tmp_path) for word in words]
    answer = tact("--workspace", practice, *arguments, "--json")
    assert answer.code == 2
    assert set(answer.json) == {"error", "message"}
    assert message in answer.json["message"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export"], "--to is missing. Folder to write the files to. See: tact export --help"),
        (["export", "--to", "x"], "One of gpkg, geojson, csv, xlsx, parquet"),
        (["release", "--bogus"], "There is no option --bogus. See: tact release --help"),
        (["imports", "--jso"], "There is no option --jso. Perhaps you mean: --json. See: tact imports --help"),
        (["policy", "bogus"], "There is no command 'bogus'. See: tact policy --help"),
        (["undo"], "NUMBER is missing. The number of the import: tact imports. See: tact undo --help"),
        (["undo", "abc"], "NUMBER is 'abc'. It must be a whole number. The number of the import: tact imports. See: "),
        (["undo", "1", "2"], "The command takes no more words, and there is: 2. See: tact undo --help"),
        (["serve", "--port", "99999"], "--port is '99999'. It must be 65535 or less. Port. Default: "),
        (["plan", "make", "--seconds", "x"], "--seconds is 'x'. It must be a number."),
        (["completion", "cmd"], "SHELL is 'cmd'. 'cmd' is not one of 'bash', 'zsh', 'fish'."),
        (["import", "--partner"], "--partner needs a value after it."),
        (["imports", "--json=3"], "--json takes no value."),
    ],
)
def test_wrong_use_is_told_in_one_plain_line(tact, words: list[str], message: str) -> None:
    answer = tact(*words)
    assert answer.code == 2
    assert message in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["policy"], ["areas"]])
def test_a_group_of_commands_alone_shows_its_help(tact, words: list[str]) -> None:
    answer = tact(*words)
    assert (answer.code, answer.err) == (0, "")
    assert "Usage:" in answer.out


def test_a_letter_is_no_table_of_records(tact, practice: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Dear all,\nhere is our list.\n", encoding="utf-8")
    answer = tact("--workspace", practice, "import", tmp_path / "note.txt")
    assert answer.code == 2
    assert "note.txt is not a table of records. CSV and Excel files are read" in answer.out


@pytest.mark.slow
def test_commands_that_read_fall_back_on_the_demo_world(
    tact, demo_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "tact-map").mkdir()
    shutil.copytree(demo_world, tmp_path / "tact-map" / "demo")
    listed = tact("releases", "--json")
    assert [row["invented"] for row in listed.json] == [True]
    remedy = "export TACT_WORKSPACE=DIR"
    assert "this is the demo with invented data" in listed.err
    assert remedy in listed.err
    assert remedy not in listed.out
    assert remedy in tact("export", "--to", tmp_path / "x", "--format", "csv", "--tier", "public").err
    refused = tact("release", "--json")
    assert (refused.code, remedy in refused.json["message"]) == (3, True)
    assert "TACT_WORKSPACE" not in tact("--workspace", tmp_path / "tact-map" / "demo", "releases").err


def test_no_word_of_the_schema_is_cut(tact) -> None:
    schema = tact("doctor", "--schema").out
    for kind in KINDS.values():
        for column in kind.file_columns:
            assert all(code in schema for code in column.allowed)


def test_each_reason_stands_once_on_the_screen_with_its_rows(tact, practice: Path, tmp_path: Path) -> None:
    rows = [row | {"stage": "lost"} for row in encounter_rows()]
    rows[9]["date"] = "never"
    answer = tact("--workspace", practice, "import", write_csv(tmp_path / "a.csv", rows), "--partner", "ARSIS")
    assert answer.code == 0
    assert "9 rows (lines 2, 3, 4, 5, 6, ...), stage 'lost': not one of the categories." in answer.out
    assert "line 11, date: not a date." in answer.out
    assert answer.out.count("not one of the categories") == 2
    assert re.search(r"tact mapping draft \S+ --partner ARSIS\n", answer.out)


@pytest.mark.slow
def test_what_an_officer_reads_of_a_file_with_faults(tact, practice: Path, tmp_path: Path) -> None:
    rows = [row | {"remarks": "ok"} for row in encounter_rows()]
    rows[1]["municipality"] = "Atlantis"
    rows[2]["record_number"] = rows[3]["record_number"] = ""
    rows[3]["child_id"] = rows[2]["child_id"]
    answer = tact("--workspace", practice, "import", write_csv(tmp_path / "a.csv", rows))
    assert "line 3, municipality 'Atlantis': is not a known municipality. Allowed: the code" in answer.out
    assert "lines 4, 5 are the same" in answer.out
    assert "does not have them: 'remarks'" in answer.out
    assert "R-1" not in answer.out
    returned = (practice / "rejects" / "arsis" / "a.csv.rejected.csv").read_text(encoding="utf-8-sig")
    assert returned.splitlines()[1].startswith("3,R-1,municipality,")
    lacking = [{k: v for k, v in row.items() if k != "stage"} for row in rows]
    refused = tact("--workspace", practice, "import", write_csv(tmp_path / "b.csv", lacking))
    assert "no column for stage, which is needed for kind encounter" in refused.out
    named = [row | {"child_id": PLANTED[1]} for row in encounter_rows(1)]
    refused = tact("--workspace", practice, "import", write_csv(tmp_path / "c.csv", named))
    assert "names ('child_id' in line 2)" in refused.out
    assert PLANTED[1] not in refused.out + refused.err


@pytest.mark.slow
def test_invented_files_stay_out_of_a_real_workspace(tact, files: Path, tmp_path: Path) -> None:
    real = tmp_path / "real"
    tact("--workspace", real, "init")
    source = next(files.glob("*terre*encounter*"))
    renamed = tmp_path / f"march{source.suffix}"
    renamed.write_bytes(source.read_bytes())
    for path in (source, renamed):
        refused = tact("--workspace", real, "import", path, "--json")
        assert (refused.code, refused.json["error"]) == (3, "WorkspaceError")
        assert "--practice" in refused.json["message"]


def test_nothing_is_imported_into_the_demo_world(tact, demo_world: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", encounter_rows())
    refused = tact("--workspace", demo_world, "import", path, "--json")
    assert (refused.code, refused.json["error"]) == (3, "WorkspaceError")


def test_the_demo_keeps_out_of_a_workspace_for_records(tact, practice: Path, tmp_path: Path) -> None:
    tact("--workspace", practice, "import", write_csv(tmp_path / "a.csv", encounter_rows()))
    for workspace in (practice, tmp_path / "real"):
        tact("--workspace", workspace, "init")
        refused = tact("--workspace", workspace, "demo", "--json")
        assert (refused.code, refused.json["error"]) == (3, "WorkspaceError")


@pytest.mark.slow
@pytest.mark.usefixtures("same_noise")
def test_few_encounters_are_released_as_few_and_effort_as_it_is(tact, practice: Path, tmp_path: Path) -> None:
    write_small_policy(practice)
    effort = [
        {"date": "2008-03-04", "municipality": "Durrës", "partner": "ARSIS", "days": "3", "kind": "street_outreach"}
    ]
    tact("--workspace", practice, "import", write_csv(tmp_path / "a.csv", encounter_rows(3)))
    assert tact("--workspace", practice, "import", write_csv(tmp_path / "e.csv", effort)).code == 0
    released = tact("--workspace", practice, "release", "--json").json
    assert released["tiers"] == ["partner", "public"]
    assert released["refused"] == []
    public = Release.open(practice / "releases", "public").table("children_region_year")
    assert set(public["state"]) == {"few"}
    partner = Release.open(practice / "releases", "partner").table("effort_region_year")
    shown = partner[(partner["area"] == "AL-02") & (partner["state"] == "number")]
    assert shown["value"].tolist() == [3]


@pytest.mark.slow
def test_partner_files_to_release_to_export(tact, practice: Path, files: Path, tmp_path: Path, few_worlds) -> None:
    write_small_policy(practice)
    plain = [p for p in sorted(files.iterdir()) if p.suffix != ".toml" and not _needs_mapping(p)]
    answer = tact("--workspace", practice, "import", *plain, "--json")
    assert answer.code == 0, answer.out
    assert answer.json["rejected"] == 0
    for partner in ("BKTF", "Amaro Drom"):
        stem = partner.casefold().replace(" ", "-")
        path = next(files.glob(f"invented-{stem}-encounter.*"))
        rules = files / f"invented-{stem}.toml"
        took = tact("--workspace", practice, "import", path, "--partner", partner, "--mapping", rules, "--json")
        assert took.json["accepted"] > 0
        again = tact("--workspace", practice, "import", path, "--partner", partner, "--json").json
        assert again["accepted"] == 0
    name = tact("--workspace", practice, "release", "--json").json["release"]
    assert [row["release"] for row in tact("--workspace", practice, "releases", "--json").json] == [name]
    out = tmp_path / "out"
    exported = tact(
        "--workspace",
        practice,
        "export",
        "--to",
        out,
        "--format",
        "gpkg, csv",
        "--tier",
        "partner",
        "--for",
        "Invented Partner",
        "--json",
    ).json
    geopackages = [path for path in exported["files"] if path.endswith(".gpkg")]
    layers = {name for path in geopackages for name, _ in pyogrio.list_layers(path)}
    assert {"codebook", "about"} <= layers
    assert any(name.startswith("encounters") for name in layers)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_demo_world_withstands_its_audit(tact, demo_world: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(demo_world, tmp_path / "copy"))
    answer = tact("--workspace", workspace, "audit", "--json")
    assert answer.code == 0
    assert (answer.json["passed"], answer.json["findings"]) == (True, [])
    names = [MANIFEST, *map(tier_file, TIERS)]
    manifest, *reports = (json.loads((Path(answer.json["report"]) / n).read_text(encoding="utf-8")) for n in names)
    assert min(len(manifest["files"][tier]) for tier in TIERS) > 10
    checks = [check for report in reports for check in report["checks"]]
    assert {(check["attack"], check["tier"]) for check in checks} >= {
        (attack, tier) for attack in ("membership", "sequence", "surface") for tier in TIERS
    }
    assert {check["attack"] for check in checks} <= set(TRIED), "each is told in words"
    searched = list(manifest["files"]["partner"])
    kinds = {Path(name).suffix for name in searched}
    assert kinds >= {".gpkg", ".geojson", ".csv", ".xlsx", ".parquet", ".html", ".svg", ".cff", ".qlr", ".qgz"}
    for layer in LAYERS:
        assert any(f"-{layer.id}" in name for name in searched), layer.id
    assert len(searched) > 100


def _needs_mapping(path: Path) -> bool:
    return "encounter" in path.name and ("bktf" in path.name or "amaro" in path.name)


@pytest.mark.long
def test_templates_can_be_filled_and_read_back(tact, practice: Path, tmp_path: Path) -> None:
    written = tact("templates", "--to", tmp_path / "forms", "--json").json["files"]
    assert len(written) == len(KINDS)
    form = next(path for path in written if "encounter" in path)
    book = openpyxl.load_workbook(form)
    sheet = book.worksheets[0]
    headings = [str(cell.value) for cell in sheet[1]]
    for number, row in enumerate(encounter_rows(), start=2):
        for name, value in row.items():
            assert name in headings
            sheet.cell(number, headings.index(name) + 1, value)
    book.save(form)
    assert tact("--workspace", practice, "import", form, "--json").json["accepted"] == 10


def test_templates_leave_filled_forms_alone_and_say_what_to_do(tact, tmp_path: Path) -> None:
    filled = tmp_path / "forms" / "tact-service.xlsx"
    filled.parent.mkdir()
    filled.write_bytes(b"filled in")
    answer = tact("templates", "--to", filled.parent, "--json")
    assert (answer.code, answer.json["error"]) == (2, "InputError")
    for words in ("already contains tact-service.xlsx", "Nothing was written", "another folder"):
        assert words in answer.json["message"]
    assert [path.name for path in filled.parent.iterdir()] == [filled.name]
    assert filled.read_bytes() == b"filled in"


@pytest.mark.parametrize("command", [["undo"], ["people", "list"], ["people"], []])
def test_the_help_shows_no_type_beside_a_flag(tact, command):
    shown = tact(*command, "--help").out
    assert "--help" in shown
    assert "bool" not in shown


def test_doctor_tells_health_and_the_meaning_of_columns(tact, practice: Path) -> None:
    assert tact("--workspace", practice, "doctor", "--json").json == {"healthy": True, "problems": []}
    schema = tact("doctor", "--schema", "--json").json
    assert set(schema) == set(KINDS)
    assert all(column["meaning"] for columns in schema.values() for column in columns)
    database = next(path for path in (practice / "vault").iterdir() if path.suffix == ".db")
    raw = bytearray(database.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 64] = os.urandom(64)
    database.write_bytes(raw)
    sick = tact("--workspace", practice, "doctor", "--json")
    assert sick.code == 7
    assert sick.json["healthy"] is False
    assert sick.json["problems"]


@pytest.mark.slow
def test_backup_and_restore(
    tact, practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap_backups
) -> None:
    monkeypatch.setenv("TACT_BACKUP_PASSPHRASE", "a long enough green sentence")
    path = write_csv(tmp_path / "a.csv", encounter_rows())
    tact("--workspace", practice, "import", path)
    assert tact("--workspace", practice, "backup", tmp_path / "b.backup").code == 0
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another-computer"))
    restored = tact("--workspace", tmp_path / "new", "restore", tmp_path / "b.backup", "--json")
    assert restored.json["records"] is True
    again = tact("--workspace", tmp_path / "new", "import", path, "--json").json
    assert (again["accepted"], again["already_known"]) == (0, 10)
    answers = [
        tact("--workspace", tmp_path / name, "restore", tmp_path / "b.backup", "--replace") for name in ("x", "x")
    ]
    assert ["copy vault.forgotten of the lost workspace" in answer.out for answer in answers] == [True, False]


@pytest.mark.slow
def test_a_restored_vault_repeats_what_was_published(
    tact, practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_worlds, cheap_backups
) -> None:
    monkeypatch.setenv("TACT_BACKUP_PASSPHRASE", "a long enough green sentence")
    write_small_policy(practice)
    tact("--workspace", practice, "import", write_csv(tmp_path / "a.csv", encounter_rows(60)))
    first = tact("--workspace", practice, "release", "--json").json["release"]
    tact("--workspace", practice, "backup", tmp_path / "b.backup")
    new = tmp_path / "new"
    assert tact("--workspace", new, "restore", tmp_path / "b.backup", "--json").json["releases"] == [first]
    late = [row | {"child_id": f"L-{n}", "record_number": f"L-{n}"} for n, row in enumerate(encounter_rows(5))]
    tact("--workspace", new, "import", write_csv(tmp_path / "late.csv", late))
    second = tact("--workspace", new, "release", "--json").json["release"]
    assert second != first
    before, after = (
        Release.open(new / "releases", "partner", name).table("children_region_whole") for name in (first, second)
    )
    pd.testing.assert_frame_equal(before, after)


@pytest.mark.slow
def test_a_wrong_passphrase_is_called_wrong_however_short(
    tact, practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap_backups
) -> None:
    monkeypatch.setenv("TACT_BACKUP_PASSPHRASE", "a long enough green sentence")
    tact("--workspace", practice, "backup", tmp_path / "b.backup")
    monkeypatch.setenv("TACT_BACKUP_PASSPHRASE", "short")
    refused = tact("--workspace", tmp_path / "new", "restore", tmp_path / "b.backup", "--json")
    assert (refused.code, refused.json["error"]) == (4, "WrongKey")


@pytest.mark.parametrize("variable", ["TACT_VAULT_KEY", "TACT_IDENTIFIER_KEY"])
def test_either_key_is_known_to_be_wrong(
    tact, practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    path = write_csv(tmp_path / "a.csv", encounter_rows())
    monkeypatch.setenv(variable, "5" * 64)
    refused = tact("--workspace", practice, "import", path, "--json")
    assert (refused.code, refused.json["error"]) == (4, "WrongKey")
    sick = tact("--workspace", practice, "doctor", "--json")
    assert sick.code == 7
    assert len(sick.json["problems"]) == 1


def test_figures_alone_need_neither_vault_nor_key(tact, practice: Path) -> None:
    shutil.rmtree(practice / "vault")
    lost = tact("--workspace", practice, "release", "--json")
    assert (lost.code, "restore FILE" in lost.json["message"]) == (4, True)
    answer = tact("--workspace", practice, "release", "--figures-only", "--json")
    assert answer.code == 0
    assert tact("--workspace", practice, "releases", "--json").json[0]["release"] == answer.json["release"]


def test_no_message_holds_a_planted_identifier(tact, practice: Path, tmp_path: Path) -> None:
    rows = [row | {"child_id": PLANTED[0], "municipality": "Nowhere at all"} for row in encounter_rows()]
    answer = tact("--workspace", practice, "import", write_csv(tmp_path / "a.csv", rows))
    returned = "".join(p.read_text(encoding="utf-8") for p in (practice / "rejects").glob("*/*"))
    assert PLANTED[0] not in answer.out + answer.err + returned
    stored = b"".join(p.read_bytes() for p in practice.rglob("*") if p.is_file())
    assert PLANTED[0].encode() not in stored


def test_every_command_of_readme_and_docs_exists(tact) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"`?tact (?:--workspace \S+ )?([a-z]+)\b", text))
    help_text = tact("--help").out
    assert named
    assert all(f" {command} " in help_text for command in named), named
