"""`tact ledger`: the demo's last four quarters are in it with their scores, and what is done to it is found."""

import csv
import shutil

import numpy as np
import pandas as pd
import pytest

from dashboard.commands import ledger
from data.accounts.database import Accounts
from data.accounts.meetings import Decision, Item, add_decision, create_meeting, find_local_file, list_meetings
from data.disclosure.attacks.surface import search
from data.release import Release
from data.release.derived import LEDGER
from data.tables.states import ZEROS
from data.workspace.hash_chain import append_entries, read_chain
from risk.evaluation.forecast_ledger import COUNTS, read_complete_panel
from risk.evaluation.hub_files import tabulate_observed, write_target
from risk.evaluation.scores import QUANTILES
from risk.model.observations import WAYS, Observations
from tests.helpers.manifests import edit_manifest
from tests.helpers.quick import leave_out_plan


@pytest.fixture
def demo(demo_world, tmp_path):
    copy = tmp_path / "demo"
    shutil.copytree(demo_world, copy)
    return copy


@pytest.fixture
def lines(demo):
    return (demo / "derived" / LEDGER).read_bytes().splitlines(keepends=True)


def write(demo, lines):
    (demo / "derived" / LEDGER).write_bytes(b"".join(lines))


def test_the_demo_has_its_last_four_quarters_and_their_scores(tact, demo):
    summary = tact("--workspace", demo, "ledger", "list", "--json").json
    marks = [entry["mark"] for entry in summary["entries"]]
    assert marks == ["reconstructed on invented data"] * 4 + [""]
    record = summary["track_record"]
    assert record["reconstructed"]
    assert record["origins"] == ["2008-06-01", "2008-09-01", "2008-12-01", "2009-03-01"]
    names = {row["forecaster"] for row in record["scores"]}
    assert {"risk model", "historical mean", "Poisson ridge", "endemic-epidemic"} <= names
    assert len({row["counts"] for row in record["scores"]}) == 1
    answer = tact("--workspace", demo, "ledger", "list")
    assert "Reconstructed on invented data" in answer.out
    assert summary["sha256"] in answer.out


def test_a_whole_ledger_is_said_to_be(tact, demo):
    answer = tact("--workspace", demo, "ledger", "verify", "--json")
    assert (answer.code, answer.json["entries"], answer.json["problems"]) == (0, 5, [])


def test_a_single_entry_is_said_in_the_singular():
    words = [ledger._word_whole(count) for count in (0, 1, 2)]
    assert words == [
        "Nothing is registered yet.",
        "The only entry is as it was registered.",
        "All 2 entries are as they were registered.",
    ]


def test_a_changed_entry_is_found_and_nothing_counts_from_there_on(tact, demo, lines):
    write(demo, [lines[0], lines[1].replace(b'"late":false', b'"late":true'), *lines[2:]])
    answer = tact("--workspace", demo, "ledger", "verify")
    assert answer.code == 5
    assert answer.out.startswith("Entry 2 of ")
    assert "was changed" in answer.out
    assert "tact restore" in answer.out
    assert tact("--workspace", demo, "ledger", "list").code == 3


def test_a_cut_off_end_is_found_by_the_result_that_names_it(tact, demo, lines):
    write(demo, lines[:3])
    answer = tact("--workspace", demo, "ledger", "verify")
    assert answer.code == 5
    assert "Entries 4 to 5 are missing at the end: the result 2009-05-001/risk-partner-" in answer.out


@pytest.mark.long
def test_a_release_is_registered_once_and_a_damaged_ledger_keeps_no_one_from_the_risk(
    tact, demo, lines, few_draws, monkeypatch
):
    leave_out_plan(monkeypatch)
    before = (demo / "derived" / LEDGER).read_bytes()
    assert tact("--workspace", demo, "risk", "--tier", "partner").code == 0
    assert (demo / "derived" / LEDGER).read_bytes() == before
    write(demo, lines[1:])
    answer = tact("--workspace", demo, "risk", "--tier", "partner")
    assert answer.code == 0
    assert "Entry 1 is missing" in answer.out
    assert read_chain(demo / "derived" / LEDGER).entries == ()


def copy_as_earlier(demo, name, quarters):
    """Write the demo's release again as one that ended after a number of quarters."""
    folder = demo / "releases" / name
    shutil.copytree(demo / "releases" / "2009-05-001", folder)
    for table in ("model_region_quarter_crossing_found", "effort_region_quarter"):
        path = folder / "partner" / f"{table}.parquet"
        rows = pd.read_parquet(path)
        rows[rows["period"].isin(sorted(rows["period"].unique())[:quarters])].to_parquet(path)
    with edit_manifest(folder / "partner" / "datapackage.json"):
        pass


@pytest.mark.long
def test_a_plan_whose_release_was_taken_away_hides_no_other_plan(tact, demo):
    copy_as_earlier(demo, "2008-11-001", 10)
    move = {"start": "GR-B", "end": "AL-11", "kind": "outreach team", "units": 1, "decided": "accept"}
    move["gain"] = {"mean": 3.0, "low": 1.0, "high": 5.0}
    plans = [
        {"kind": "plan", "plan": f"plan-partner-{n}", "release": release, "moves": [move]}
        for n, release in enumerate(("2008-08-001", "2008-11-001", "2009-05-001", "2008-11-001"))
    ]
    append_entries(demo / "derived" / LEDGER, plans)
    summary = tact("--workspace", demo, "ledger", "list", "--json").json
    assert [entry["what"] for entry in summary["entries"]][-4:] == [f"plan {plan['plan']}" for plan in plans]
    assert [outcome["plan"] for outcome in summary["plans"]] == ["plan-partner-1", "plan-partner-3"]
    assert {outcome["quarters"] for outcome in summary["plans"]} == {2}
    assert all(outcome["margin"] > 0 for outcome in summary["plans"])
    assert "1 outreach team GR-B to AL-11" in tact("--workspace", demo, "ledger", "list").out


@pytest.mark.slow
def test_a_decision_on_a_plan_stands_beside_its_forecast_and_what_was_found(tact, demo):
    copy_as_earlier(demo, "2008-11-001", 10)
    gain = {"mean": 3.0, "low": 1.0, "high": 5.0}
    ends = {"a1": "AL-11", "b2": "AL-02"}
    moves = {
        plan: {"start": "GR-B", "end": end, "kind": "outreach team", "units": 1, "decided": "accept", "gain": gain}
        for plan, end in ends.items()
    }
    releases = {"a1": "2008-11-001", "b2": "2009-05-001"}
    entries = [
        {"kind": "plan", "plan": f"plan-partner-{plan}", "release": releases[plan], "moves": [moves[plan]]}
        for plan in ends
    ]
    append_entries(demo / "derived" / LEDGER, entries)
    accounts = Accounts.open_or_create(find_local_file(demo / "derived"))
    key = create_meeting(accounts, "A title", "2008-12-01", first=Item("map", "2008-11-001", "A sentence"))
    (meeting,) = list_meetings(accounts)
    for area, plan in (("AL", "a1"), ("GR-I", "a1"), ("", "b2"), ("", "c3"), ("AL-11", "")):
        decision = Decision("Two more days", "the municipality", "2009-01-15", area, plan)
        add_decision(accounts, key, meeting.items[0].id, decision)
    answer = tact("--workspace", demo, "ledger", "list", "--json")
    first, outside, waiting, unknown = answer.json["decisions"]
    assert (first["day"], first["due"], first["area"], first["plan"]) == ("2008-12-01", "2009-01-15", "AL", "a1")
    assert [move["gain"] for move in first["moves"]] == [gain]
    assert [(outcome["end"], outcome["quarters"]) for outcome in first["outcomes"]] == [("AL-11", 2)]
    assert (outside["moves"], outside["outcomes"]) == ([], [])
    assert ([move["end"] for move in waiting["moves"]], waiting["outcomes"]) == (["AL-02"], [])
    assert (unknown["plan"], unknown["moves"]) == ("c3", [])
    server = shutil.copy(accounts.path, demo.parent / "server.sqlite")
    listed = tact("--workspace", demo, "ledger", "list", "--accounts", server).out
    assert listed.count("nothing yet") == 2
    assert "not followed" in listed
    assert not [word for word in ("Two more", "municipality", "A title", "A sentence") if word in listed + answer.out]


@pytest.mark.slow
def test_files_for_forecast_hubs_hold_every_quantile_of_every_forecast(tact, demo, tmp_path):
    to = tmp_path / "hub"
    assert tact("--workspace", demo, "ledger", "export", "--to", to).code == 2, "a receiver must be named"
    assert tact("--workspace", demo, "ledger", "export", "--to", to, "--for", "A University").code == 3, "no agreement"
    assert not to.exists()
    ledger = demo / "derived" / LEDGER
    changes = {"release": "2009-02-001", "origin": "2009-09-01", "reconstructed": False}
    append_entries(ledger, [{**read_chain(ledger).entries[0].content, **changes}])
    text = (demo / "governance.toml").read_text(encoding="utf-8")
    agreement = '\n[[agreements]]\nreceiver = "A University"\nkind = "partner"\nsigned = 2024-05-01\n'
    (demo / "governance.toml").write_text(text + agreement, encoding="utf-8")
    answer = tact("--workspace", demo, "ledger", "export", "--to", to, "--for", "A University", "--json")
    assert answer.code == 0, answer.err
    assert (
        (demo / "exports.csv")
        .read_text("utf-8")
        .splitlines()[-1]
        .endswith(",A University,partner,2009-05-001 2009-02-001,csv,forecasts children")
    )
    model = "tact-risk_model_partner_invented_reconstructed"
    file = to / "model-output" / model / f"2008-12-01-{model}.csv"
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert {row["output_type"] for row in rows} == {"quantile"}
    cell = [row for row in rows if (row["location"], row["horizon"], row["pathway"]) == ("AL-11", "2", "internal")]
    assert [float(row["output_type_id"]) for row in cell] == list(QUANTILES)
    values = [int(row["value"]) for row in cell]
    assert values == sorted(values)
    assert {row["target_end_date"] for row in cell} == {"2009-05-31"}
    assert all("partner_invented" in path for path in answer.json["files"] if "model-output" in path)
    readme = (to / "tact-2009-05-001-partner-invented-README.txt").read_text("utf-8")
    for text in (
        "not anonymous",
        "Do not pass it on",
        "Invented data",
        "release: 2009-05-001",
        "licence:",
        "citation:",
    ):
        assert text in readme
    assert "forecasts of: 2009-05-001, 2009-02-001" in readme


def test_every_cell_of_the_target_data_has_a_row_and_its_numbers_are_those_that_are_scored(scored, tmp_path):
    release = Release.open(scored.releases, "partner")
    path = write_target(release, tabulate_observed(release), tmp_path)
    assert path.name == "tact-2009-05-001-partner-invented.csv"
    rows = pd.read_csv(path, dtype={"location": "str"}).set_index(["location", "period", "pathway"])
    assert (set(rows["tier"]), set(rows["release"]), set(rows["data"])) == ({"partner"}, {"2009-05-001"}, {"invented"})
    assert rows["observation"].notna().equals(rows["state"] == "number")
    assert {"number", "almost_none", "not_searched", "withheld"} == set(rows["state"])
    panel = read_complete_panel(Observations.from_release(release))
    zeros = rows["observation"].mask(rows["state"].isin(ZEROS), 0.0)
    cells = pd.MultiIndex.from_product([panel.areas, panel.quarters, panel.pathways])
    np.testing.assert_array_equal(zeros.reindex(cells), panel.counts.ravel())
    assert len(rows) == len(release.table(COUNTS)) / len(WAYS)


@pytest.mark.slow
def test_the_search_for_leaks_reads_the_target_data(scored, tmp_path):
    release = Release.open(scored.releases, "partner")
    observed = tabulate_observed(release)
    spoiled = {state: observed.index[observed["state"] == state][0] for state in ("number", "almost_none", "withheld")}
    files = [write_target(release, observed, tmp_path)]
    for state, row in spoiled.items():
        leaking = observed.assign(observation=observed["observation"].mask(observed.index == row, 77))
        files.append(write_target(release, leaking, tmp_path / state).rename(tmp_path / f"{state}.csv"))
    findings, _ = search(release, files)
    assert {(finding.table, finding.cell["area"], finding.cell["column"]) for finding in findings} == {
        (f"{state}.csv", observed.loc[row, "location"], "observation") for state, row in spoiled.items()
    }
