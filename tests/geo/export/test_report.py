"""Tables for standards: every number is that of one released cell, and each table fits its schema."""

import csv
import json
from functools import cache

import frictionless
import pandas as pd
import pytest

from data.disclosure.attacks import surface
from data.errors import InputError
from data.reference import crosswalk
from data.release import Release
from data.tables.spec import CATEGORIES, OF_COUNTRIES, TIERS
from data.tables.states import STATES, ZEROS
from geo.export.report import list_fields, write_report, write_reports
from geo.export.standards import BASES, NOTES, OUTCOMES, STANDARDS, find_standard
from tests.helpers import small_release
from tests.helpers.nonempty import nonempty
from tests.helpers.small_release import WHOLE, YEARS, number, rows, state

pytestmark = pytest.mark.slow

SEXES, STAGES = CATEGORIES["sex"], CATEGORIES["stage"]


def make(folder, tier="partner"):
    """Make a release of two countries: both years and the whole time in all, by stage, and the whole time by sex."""
    both = ["AL", "GR"]
    tables = {
        "children_country_year": rows(both, YEARS, lambda a, p: number(40 if a == "AL" else 61, 5)),
        "children_country_whole": rows(both, [WHOLE], lambda a, _p: number(87, 5)),
        "children_country_year_stage": rows(
            both, YEARS, lambda _a, _p, s: number(12, 5) if s != "returning" else state("few"), stage=STAGES
        ),
        "children_country_whole_sex": rows(
            both, [WHOLE], lambda _a, _p, s: number({"female": 52, "male": 33}[s], 5) if s in ("female", "male")
            else state("withheld"), sex=SEXES,
        ),
        "children_country_year_victim_status": rows(
            both, YEARS, lambda _a, _p, s: number(14, 5) if s == "victim" else state("few"),
            victim_status=CATEGORIES["victim_status"],
        ),
    }  # fmt: skip
    return small_release.make(folder, tier, tables=tables)


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    return {tier: make(tmp_path_factory.mktemp("releases"), tier) for tier in TIERS}


@pytest.fixture(scope="module")
def written(releases, tmp_path_factory):
    return {tier: write_reports(release, tmp_path_factory.mktemp("reports")) for tier, release in releases.items()}


def read_tables(files):
    """Return the tables of counts by name, as text."""
    named = {
        path.name: pd.read_csv(path, dtype="str", keep_default_na=False) for path in files if path.suffix == ".csv"
    }
    return {name: table for name, table in named.items() if "state" in table}


@cache
def read_table(release, name):
    return release.table(name)


def find_cell(release, row):
    """Return the one released cell behind a row; None where the release has no such table."""
    grain = "year" if row["period"].endswith("/P1Y") else "whole"
    name = "_".join(filter(None, ("children_country", grain, row["breakdown"])))
    if name not in release.tables:
        return None
    table = read_table(release, name)
    same = (table["area"] == row["area"]) & (table["period"] == row["period"])
    if row["breakdown"]:
        same &= table[row["breakdown"]] == row["category"]
    (cell,) = table[same].to_dict("records")
    return cell


def check_rows(release, tables):
    """Check every number of some tables against its own cell; return how many there are."""
    seen = 0
    for name, table in tables.items():
        for row in table.to_dict("records"):
            cell = find_cell(release, row)
            assert row["state"] == ("not_released" if cell is None else cell["state"]), (name, row)
            reconciled = None if cell is None else cell.get("reconciled")
            is_zero = cell is not None and cell["state"] in ZEROS
            shown = None if cell is None else cell["value"]
            if reconciled is not None and not pd.isna(reconciled) and (not is_zero or reconciled > 0):
                shown = reconciled
            if cell is None or pd.isna(shown):
                assert row["value"] == row["margin"] == ""
            else:
                assert float(row["value"]) == float(shown), (name, row)
                seen += 1
            if cell is not None and not pd.isna(cell["value"]):
                assert float(row["noisy"]) == float(cell["value"])
    return seen


@pytest.mark.parametrize("tier", TIERS)
def test_each_number_is_that_of_one_released_cell(releases, written, tier):
    assert check_rows(releases[tier], read_tables(written[tier])) > 100


def test_what_the_release_does_not_hold_is_not_released_and_empty(written):
    tables = read_tables(written["partner"])
    by_sex = next(table for name, table in tables.items() if name.endswith("eurostat-sex.csv"))
    parts = by_sex[by_sex["breakdown"] == "sex"].set_index(["area", "period", "category"])
    assert parts.loc[("AL", YEARS[0], "female"), ["state", "value"]].tolist() == ["not_released", ""]
    assert parts.loc[("AL", WHOLE, "female"), ["state", "value"]].tolist() == ["number", "52"]
    # It would be 2 by subtraction from the total.
    assert parts.loc[("AL", WHOLE, "unknown"), ["state", "value"]].tolist() == ["withheld", ""]
    by_form = next(table for name, table in tables.items() if name.endswith("eurostat-form.csv"))
    assert set(by_form.loc[by_form["breakdown"] == "form", "state"]) == {"not_released"}


def test_what_a_policy_asked_for_is_in_the_tables_of_the_standards_and_the_rest_is_not_released(written):
    tables = read_tables(written["partner"])
    for standard, code in (("eurostat", "victim"), ("htcds", "ActualVictimOfTrafficking")):
        by_status = next(t for name, t in tables.items() if name.endswith(f"{standard}-victim-status.csv"))
        row = by_status[(by_status["area"] == "AL") & (by_status["period"] == YEARS[0])].set_index("category")
        assert row.loc["victim", ["value", "margin", "standard_code"]].tolist() == ["14", "5", code]
        assert row.loc["declined", ["value", "state"]].tolist() == ["", "few"]
    by_control = next(t for name, t in tables.items() if name.endswith("ctdc-means-of-control.csv"))
    assert set(by_control.loc[by_control["breakdown"] != "", "state"]) == {"not_released"}
    path = next(p for p in written["partner"] if p.name.endswith("htcds-contents.csv"))
    contents = pd.read_csv(path, keep_default_na=False).set_index("asked_for")
    assert contents.loc["Children by legal status as victims", "availability"] == "in_part"
    assert "at risk or not" not in contents.loc["Children by legal status as victims", "note"]
    for title in ("Children by who identified them as victims", "Children by method of recruitment"):
        assert contents.loc[title, "availability"] == "not_released"


def test_a_standard_names_what_it_asks_for_in_vain(written):
    path = next(p for p in written["partner"] if p.name.endswith("sdg-contents.csv"))
    status = pd.read_csv(path, keep_default_na=False).set_index("asked_for")["availability"].to_dict()
    assert status["Sex, age and form of exploitation together"] == "not_released"
    assert status["Adults"] == "not_recorded"
    assert (status["Children by form of exploitation"], status["Children by sex"]) == ("not_released", "in_part")


def test_rates_are_for_years_and_for_parts_of_all_people(written):
    tables = read_tables(written["partner"])
    stages, sexes = (next(t for name, t in tables.items() if name.endswith(f"sdg-{by}.csv")) for by in ("stage", "sex"))
    row = stages[(stages["area"] == "GR") & (stages["period"] == YEARS[0]) & (stages["category"] == "identified")]
    people, rate, margin = (float(row[name].item()) for name in ("population", "per_100000", "per_100000_margin"))
    assert rate == pytest.approx(12 / people * 100_000, abs=1e-4)
    assert margin == pytest.approx(5 / people * 100_000, abs=1e-4)
    assert set(stages.loc[stages["period"] == WHOLE, "per_100000"]) == {""}
    assert set(stages.loc[stages["category"] == "at_risk", "per_100000"]) == {""}
    assert set(sexes.loc[sexes["breakdown"] == "sex", "population"]) == {""}
    for table in (stages, sexes):
        assert ((table["population"] == "") == (table["population_source"] == "")).all()
    assert row["population_source"].item() == "Census of Greece 2011, as printed with the provisional results of 2021"


@pytest.mark.always("public")
@pytest.mark.parametrize("tier", TIERS)
def test_the_tables_fit_their_schemas(written, tier):
    packages = [path for path in written[tier] if path.name.endswith("-datapackage.json")]
    assert len(packages) == len(STANDARDS)
    for path in packages:
        report = frictionless.validate(str(path))
        assert report.valid, report.flatten(["title", "note"])


@pytest.mark.long
def test_a_table_with_another_code_does_not_fit(written, tmp_path):
    package = next(path for path in written["public"] if path.name.endswith("sdg-datapackage.json"))
    described = json.loads(package.read_text(encoding="utf-8"))
    resource = described["resources"][0]
    text = (package.parent / resource["path"]).read_text(encoding="utf-8-sig")
    (tmp_path / resource["path"]).write_text(text.replace("at_risk", "in_danger"), encoding="utf-8-sig")
    resource.pop("hash"), resource.pop("bytes")
    (tmp_path / "datapackage.json").write_text(json.dumps({**described, "resources": [resource]}), encoding="utf-8")
    assert "constraint-error" in {
        e[0] for e in frictionless.validate(str(tmp_path / "datapackage.json")).flatten(["type"])
    }


@pytest.mark.parametrize("tier", TIERS)
def test_the_attack_on_files_finds_nothing_in_them(releases, written, tier):
    assert surface.search(releases[tier], written[tier])[0] == []


@pytest.mark.always("value", "per_100000")
@pytest.mark.parametrize("column", ["value", "margin", "per_100000", "population"])
def test_the_attack_finds_another_number_in_a_table(releases, written, tmp_path, column):
    path = next(p for p in written["public"] if p.name.endswith("sdg-stage.csv"))
    table = pd.read_csv(path, dtype="str", keep_default_na=False)
    place = table.index[(table["category"] == "identified") & (table[column] != "")][0]
    table.loc[place, column] = "3.25"
    table.to_csv(tmp_path / path.name, index=False)
    findings, _ = surface.search(releases["public"], [tmp_path / path.name])
    assert [finding.cell["column"] for finding in findings] == [column]


def test_the_attack_finds_a_rate_where_the_state_has_no_number(releases, written, tmp_path):
    path = next(p for p in written["public"] if p.name.endswith("sdg-stage.csv"))
    table = pd.read_csv(path, dtype="str", keep_default_na=False)
    here = (table["area"] == "AL") & (table["period"] == YEARS[0])
    known = table.loc[here & (table["category"] == "identified"), "per_100000"].item()
    table.loc[here & (table["category"] == "returning"), "per_100000"] = known
    table.to_csv(tmp_path / path.name, index=False)
    assert len(surface.search(releases["public"], [tmp_path / path.name])[0]) == 1


def test_the_crosswalk_says_of_every_category_what_it_becomes():
    table = crosswalk()
    for standard in STANDARDS:
        mine = table[table["standard"] == standard]
        for by in ("pathway", "stage", "form", "sex", "age_band", "found", *OF_COUNTRIES):
            assert tuple(mine.loc[mine["breakdown"] == by, "category"]) == CATEGORIES[by], (standard, by)
    assert set(table["outcome"]) <= set(OUTCOMES)
    assert set(table["basis"]) <= set(BASES)
    assert set(table["note"]) <= set(NOTES)
    with_code = table["outcome"].isin(["code", "part"]) & (table["note"] != "one_row")
    assert (table.loc[with_code, "code"] != "").all()
    assert (table.loc[table["outcome"] == "no_code", "code"] == "").all()
    # Nobody who is only at risk becomes a victim, and what was not read is never called read.
    assert set(table.loc[table["category"] == "at_risk", "outcome"]) == {"not_counted"}
    assert set(table.loc[table["standard"] == "sdg", "basis"]) == {"unverified"}


def test_every_file_says_that_the_data_are_invented_and_the_licence(written):
    for path in nonempty(written["partner"]):
        assert "invented" in path.name
        if path.name.endswith("README.txt"):
            text = path.read_text(encoding="utf-8")
            assert "Invented data." in text
            assert "IOM does not endorse" in text
            assert "Do not add up rows" in text
            assert "Partner tier" in text
    for table in nonempty(read_tables(written["partner"]).values()):
        assert set(table["data"]) == {"invented"}
        assert set(table["tier"]) == {"partner"}


def test_the_codebook_explains_every_column_and_state(written):
    for standard in STANDARDS.values():
        path = next(p for p in written["public"] if p.name.endswith(f"{standard.id}-codebook.csv"))
        with path.open(encoding="utf-8-sig", newline="") as file:
            book = list(csv.DictReader(file))
        assert {field.name for field in list_fields(standard)} <= {row["column"] for row in book}
        assert {*STATES, "not_released"} == {row["value"] for row in book if row["column"] == "state" and row["value"]}


def test_a_column_waits_for_the_codes_of_ic_tip_and_claims_none(written):
    for path in nonempty(written["public"]):
        if path.name.endswith("-crosswalk.csv"):
            assert set(pd.read_csv(path, dtype="str", keep_default_na=False)["ic_tip"]) == {""}
        if path.name.endswith("-codebook.csv"):
            book = pd.read_csv(path, keep_default_na=False).set_index("column")
            assert "was not read" in book.loc["ic_tip", "meaning"]


def test_an_unknown_standard_and_a_release_without_countries_are_refused(tmp_path):
    with pytest.raises(InputError, match="eurostat, ctdc, htcds, sdg"):
        find_standard("icstip")
    bare = small_release.make(
        tmp_path, "public", tables={"effort_region_year": rows(["AL-01"], YEARS, lambda *_a: number(1))}
    )
    assert write_reports(bare, tmp_path / "out") == []
    with pytest.raises(InputError, match="tact releases"):
        write_report(bare, tmp_path / "out", STANDARDS["sdg"])


@pytest.mark.long
def test_the_demo_fits_schemas_and_cells_on_both_tiers(scored, tmp_path):
    for tier in TIERS:
        release = Release.open(scored.releases, tier)
        files = write_reports(release, tmp_path / tier)
        tables = read_tables(files)
        assert check_rows(release, tables) > 50
        assert surface.search(release, files)[0] == []
        for path in files:
            if path.name.endswith("-datapackage.json"):
                assert frictionless.validate(str(path)).valid
        if tier == "partner":
            by_sex = next(table for name, table in tables.items() if name.endswith("eurostat-sex.csv"))
            numbers = (
                by_sex.assign(value=pd.to_numeric(by_sex["value"]))
                .groupby(["area", "period", "breakdown"])["value"]
                .sum()
            )
            for (area, period), sums in numbers.groupby(level=["area", "period"]):
                assert sums[(area, period, "")] == sums[(area, period, "sex")]
