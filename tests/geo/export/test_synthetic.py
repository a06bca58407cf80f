"""Synthetic records: they agree with the published tables of a release, from which alone they are made."""

import json

import numpy as np
import pandas as pd
import pytest

from data.disclosure.attacks import surface
from data.errors import InputError
from data.release import Release
from data.schema import KINDS
from geo.export.synthetic import write_synthetic
from geo.export.synthetic.fitting import Margin, draw_whole, fit_cells
from geo.export.synthetic.records import PARTNER


@pytest.fixture(scope="module")
def release(demo_world):
    return Release.open(demo_world / "releases", "public")


@pytest.fixture(scope="module")
def written(release, tmp_path_factory):
    """Return the files, the rows and the report."""
    paths, report = write_synthetic(release, tmp_path_factory.mktemp("synthetic"), seed=1)
    return paths, pd.read_csv(paths[0], encoding="utf-8-sig", dtype="str", keep_default_na=False), report


def build_margin(members, low, high=None):
    ends = np.array(low, float), np.array(low if high is None else high, float)
    return Margin("table", np.array(members, bool), *ends)


def test_a_fit_to_two_margins_is_their_product():
    rows, columns = [30.0, 10.0], [16.0, 16.0, 8.0]
    by_row = build_margin(np.kron(np.eye(2), np.ones(3)), rows)
    by_column = build_margin(np.kron(np.ones(2), np.eye(3)), columns)
    fitted = fit_cells(np.ones(6), [by_row, by_column])
    assert fitted.reshape(2, 3) == pytest.approx(np.outer(rows, columns) / 40)


def test_hidden_cells_share_the_rest_of_their_total_within_their_limits():
    total = build_margin([[1, 1, 1]], [20.0])
    parts = build_margin(np.eye(3), [0.0, 13.0, 0.0], [10.0, 13.0, 3.0])
    fitted = fit_cells(np.ones(3), [parts, total])
    assert fitted == pytest.approx([4.0, 13.0, 3.0], abs=1e-4)
    whole = draw_whole(fitted * 0.99, [parts, total], np.zeros(3, np.int64), np.random.default_rng(1))
    assert whole.tolist() == [4, 13, 3]


def test_every_row_and_every_file_says_that_it_is_synthetic(written):
    paths, rows, report = written
    assert all("-public-invented-synthetic-encounters" in path.name for path in paths)
    assert rows.columns.tolist() == ["invented", *(column.name for column in KINDS["encounter"].file_columns)]
    assert (rows["invented"] == "synthetic").all()
    assert (rows["partner"] == PARTNER).all()
    assert rows["child_id"].str.startswith("SYN-").all()
    assert rows["child_id"].is_unique
    assert paths[1].read_text(encoding="utf-8").startswith("SYNTHETIC RECORDS: every row is made up.")
    assert json.loads(paths[2].read_text(encoding="utf-8")) == json.loads(json.dumps(report))
    assert any("No inference" in line for line in report["do_not_use"])


def test_it_agrees_with_every_published_table_of_children(written, release):
    _, rows, report = written
    counted = {name for name in release.tables if name.startswith("children_")}
    assert {table["table"] for table in report["tables"]} == counted
    for table in report["tables"]:
        assert table["largest"] <= 2, table["table"]
        assert table["variation"] < 0.01, table["table"]
        assert table["outside"] <= 1, table["table"]
    country = release.table("children_country_whole_sex").set_index(["area", "sex"])["reconciled"]
    assert (rows.groupby(["country", "sex"]).size() - country).abs().max() <= 2


def test_the_report_names_each_hidden_cell(written, release):
    table = release.table("children_region_year")
    hidden = table[table["state"] != "number"]
    assert len(hidden) > 10
    [about] = [t for t in written[2]["tables"] if t["table"] == "children_region_year"]
    assert list(about["hidden"]) == [f"{row.area} {row.period}: {row.state}" for row in hidden.itertuples(index=False)]


def test_the_report_finds_rows_that_do_not_agree(written, release):
    """Girls of Greece become boys: the tables by sex say so, those by area do not."""
    from geo.export.synthetic.agreement import compare_records
    from geo.export.synthetic.margins import read_published

    rows = written[1].copy()
    girls = rows.index[(rows["country"] == "GR") & (rows["sex"] == "female")][:40]
    rows.loc[girls, "sex"] = "male"
    tables = {table.table: table for table in compare_records(rows, read_published(release))}
    assert tables["children_country_whole_sex"].largest == pytest.approx(40, abs=2)
    assert tables["children_country_whole_sex"].where.startswith("GR ")
    assert tables["children_country_whole_sex"].variation == pytest.approx(40 / len(rows), abs=1e-3)
    assert tables["children_country_whole"].largest <= 2


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(written, release, tmp_path):
    again, _ = write_synthetic(release, tmp_path / "again", seed=1)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written[0]]
    other, _ = write_synthetic(release, tmp_path / "other", seed=4)
    assert other[0].read_bytes() != again[0].read_bytes()


@pytest.mark.slow
def test_the_search_of_files_reads_it_and_finds_a_number_that_does_not_belong(written, release, tmp_path):
    paths, rows, _ = written
    assert surface.search(release, paths)[0] == []
    leak = tmp_path / paths[0].name
    rows.assign(origin="7919").to_csv(leak, index=False)
    assert surface.search(release, [leak])[0]


def test_partner_tables_and_releases_without_children_are_no_source(demo_world, release, tmp_path, monkeypatch):
    partner = Release.open(demo_world / "releases", "partner")
    with pytest.raises(InputError, match="public tier alone"):
        write_synthetic(partner, tmp_path, seed=1)
    figures = [r for r in release.manifest["resources"] if not r["name"].startswith("children")]
    monkeypatch.setitem(release.manifest, "resources", figures)
    with pytest.raises(InputError, match="no counts of children"):
        write_synthetic(release, tmp_path, seed=1)


@pytest.mark.slow
def test_a_release_of_the_first_years_alone_is_enough(release, tmp_path, monkeypatch):
    """While the programme runs there is no table of the whole time."""
    resources = [
        resource for resource in release.manifest["resources"] if (resource.get("tact") or {}).get("grain") != "whole"
    ]
    monkeypatch.setitem(release.manifest, "resources", resources)
    _, report = write_synthetic(release, tmp_path, seed=1)
    assert "sex" not in report["columns"]
    assert report["columns"]["form"].startswith("in no published table")
    assert all(table["largest"] <= 2 for table in report["tables"])


def test_a_table_by_category_is_enough_without_one_of_totals(release, tmp_path, monkeypatch):
    """A policy may publish a breakdown alone."""
    name = "children_country_whole_sex"
    resources = [r for r in release.manifest["resources"] if r["name"] in (name, "areas", "figures")]
    monkeypatch.setitem(release.manifest, "resources", resources)
    _, report = write_synthetic(release, tmp_path, seed=1)
    [table] = report["tables"]
    assert (table["table"], table["largest"]) == (name, 0)
    assert report["rows"] == release.table(name)["reconciled"].sum()


def test_the_files_hold_no_time_and_no_path(written, tmp_path):
    assert not any(str(tmp_path.parent) in path.read_text(encoding="utf-8-sig") for path in written[0])
