"""The Programme page: who does what, expected results and their verdict, hand-over, stages; what the public sees."""

import math
import re
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from dashboard.pages.programme import engaged, render, results, summary
from dashboard.pages.programme.targets import render_targets
from dashboard.site import current_release
from dashboard.site.text import speak, translate
from data.disclosure.attacks.surface import search
from data.release.targets import read_targets
from data.tables.shown import choose_numbers
from data.tables.spec import CATEGORIES, OPEN_AXES
from geo.export.targets import build_targets, write_targets
from risk.handover.advocacy import add_policies
from tests.helpers.nonempty import nonempty
from tests.helpers.pages import open_current, open_page, read_text

RESTRICTED_AXES = frozenset(CATEGORIES["axis"]) - OPEN_AXES


@pytest.fixture
def run(monkeypatch, scored):
    return partial(open_page, monkeypatch, scored, "programme")


@pytest.fixture(scope="module")
def current(scored):
    return open_current(scored)


def last_quarter(current, name):
    table = current.release.table(name)
    return table[table["period"] == table["period"].max()]


@pytest.mark.parametrize("country", ["AL", "GR"])
def test_a_cell_is_the_number_of_the_release_or_its_state(current, country):
    cells = summary.read_cells(current, "services", country)
    table = last_quarter(current, "services_country_quarter_axis_duty_bearer")
    rows = table[table["area"] == country].set_index(["axis", "duty_bearer"])
    assert len(cells) == 30
    assert set(rows["state"]) == {"number", "withheld"}
    for place, row in rows.iterrows():
        if row["state"] == "number":
            assert cells[place].value == row["value"]
        else:
            assert row["state"] == "withheld"
            assert cells[place].words == "withheld to protect people"
            assert not cells[place].known
    # Prevention and coordination are open: nothing of them is withheld.
    open_axes = rows.loc[["prevention", "coordination"]]
    assert (open_axes["state"] == "number").all()
    totals = last_quarter(current, "services_country_quarter_axis").set_index(["area", "axis"])
    for axis in ("prevention", "coordination"):
        assert open_axes.loc[axis, "value"].sum() == totals.loc[(country, axis), "value"]


def test_small_cells_of_restricted_axes_are_nowhere(current):
    names = [name for name in current.release.tables if re.fullmatch(r"services_.*_axis(_duty_bearer)?", name)]
    assert "services_country_quarter_axis_duty_bearer" in names
    for name in names:
        table, places = current.release.table(name), current.release.table(name.replace("services", "capacity"))
        hidden, keys = (
            table["axis"].isin(RESTRICTED_AXES),
            ["area", "period", "axis", *(["duty_bearer"] * ("bearer" in name))],
        )
        numbers = table.loc[hidden, ["value", "low"]].max(axis=1)
        if "municipality" in name:
            assert numbers.isna().all()
        else:
            assert numbers.min() >= 3  # also: there are some
        pairs = table.merge(places, on=keys, suffixes=("", "_places"), validate="one_to_one")
        assert len(pairs) == len(table)
        withheld = pairs[pairs["state"] == "withheld"]
        assert (withheld["state_places"] == "withheld").sum() == len(withheld) > 0
        assert withheld[["value", "low", "value_places", "low_places"]].isna().all(axis=None)
        assert pairs.loc[pairs["state"] != "withheld", ["value_places", "low_places"]].notna().any(axis=None)


def test_the_board_adds_up_to_prevention_and_coordination_and_has_every_place(current):
    table = current.release.table("services_country_quarter_carrier")
    assert (table.groupby("carrier")["value"].max()[list(CATEGORIES["carrier"])] > 0).all()
    for country in ("AL", "GR"):
        board = summary.read_totals(current, country, "carrier")
        assert list(board) == list(CATEGORIES["carrier"])
        assert all(board[carrier].value > 0 for carrier in ("partner", "handed_over", "state"))
        axes = last_quarter(current, "services_country_quarter_axis").set_index(["area", "axis"])["value"].loc[country]
        total = axes[sorted(OPEN_AXES)].sum()
        assert total < axes.sum()
        assert sum(number.value for number in board.values()) == total
        bearers = last_quarter(current, "services_country_quarter_duty_bearer").set_index("area").loc[country]
        assert bearers["value"].sum() == total
        shares = summary.read_state_share(current, country)
        assert len(shares) == 12
        carried = board["handed_over"].value + board["state"].value
        assert shares["share"].iloc[-1] == pytest.approx(100 * carried / total)


@pytest.mark.parametrize("measure", ["services", "staff", "capacity"])
def test_a_county_less_its_municipalities_tells_nothing_of_a_duty_bearer(current, measure):
    tables = {
        level: last_quarter(current, f"{measure}_{level}_quarter_duty_bearer") for level in ("region", "municipality")
    }
    parents = current_release.load_areas(current.release).table["parent"]
    fine = tables["municipality"].assign(area=tables["municipality"]["area"].map(parents))
    sums = [table.groupby(["area", "duty_bearer"])["value"].sum() for table in (tables["region"], fine)]
    assert (sums[0][sums[1].index] == sums[1]).all()
    assert sums[1].sum() > 0


@pytest.mark.parametrize(
    ("ends", "target", "baseline", "verdict"),
    [
        ((20.0, 20.0), 20.0, 5.0, "on_course"),
        ((19.0, 19.0), 20.0, 5.0, "late"),
        ((16.0, 26.0), 20.0, 5.0, "cannot_tell"),
        ((21.0, 31.0), 20.0, 5.0, "on_course"),
        ((9.0, 19.0), 20.0, 5.0, "late"),
        ((4.0, 4.0), 5.0, 12.0, "on_course"),  # should fall
        ((6.0, 6.0), 5.0, 12.0, "late"),
        ((math.nan, math.nan), 5.0, 12.0, "cannot_tell"),
        ((6.0, 6.0), math.nan, 12.0, "cannot_tell"),
        ((6.0, 6.0), 5.0, math.nan, "on_course"),
    ],
)
def test_a_result_is_on_course_only_where_its_whole_margin_is(ends, target, baseline, verdict):
    assert results.judge_value(ends, target, baseline) == verdict


def test_results_have_baseline_target_latest_value_date_source_and_verdict(current):
    listed = {result.code: result for result in results.read_results(current, "AL")}
    table = current.release.table("indicators")
    rows = table[(table["area"] == "AL") & (table["indicator"] == "prevention_children")].sort_values("period")
    result = listed["prevention_children"]
    assert (result.value, result.margin, result.target) == (rows["value"].iloc[-1], 5.0, rows["target"].iloc[-1])
    assert result.baseline == f"{rows['value'].iloc[0]:.0f} (Jun 2006 to May 2007)"
    assert (result.period.id, result.source) == ("2008-06-01/P1Y", "Invented, Terre des hommes")
    assert {entry.verdict for entry in listed.values()} == {"on_course", "late", "cannot_tell"}
    assert {entry.axis for entry in listed.values()} == {*CATEGORIES["axis"], ""}


@pytest.mark.parametrize("language", ["sq", "el"])
def test_indicators_of_the_product_have_names_in_each_language(current, language):
    english = {result.code: result.unit for result in results.read_results(current, "AL")}
    with speak(language):
        named = results.read_results(current, "AL")
    assert all(result.unit != english[result.code] for result in named)
    assert not any("Invented" in result.source for result in named)


def read_changed(current, monkeypatch, table):
    """Return the results of Albania from a changed table of indicators."""
    monkeypatch.setattr(results, "read_table", lambda _current, _name: table)
    return results.read_results(replace(current, checksum=str(hash(table.to_csv()))), "AL")


@pytest.mark.parametrize(("value", "verdict"), [(25.0, "on_course"), (15.0, "late")])
def test_a_single_value_is_no_baseline(current, monkeypatch, value, verdict):
    table = current.release.table("indicators")
    row = table[(table["area"] == "AL") & (table["indicator"] == "prevention_nets")].tail(1)
    (result,) = read_changed(current, monkeypatch, row.assign(value=value, target=20.0))
    assert (result.value, result.target, result.baseline) == (value, 20.0, "")
    assert result.verdict == verdict


@pytest.mark.parametrize(
    ("baseline", "target", "verdict"), [(40.0, 3.0, "cannot_tell"), (40.0, 5.0, "on_course"), (2.0, 20.0, "late")]
)
def test_a_published_zero_of_people_may_be_as_many_as_the_noise(current, monkeypatch, baseline, target, verdict):
    assert current.release.largest == 5
    table = current.release.table("indicators")
    rows = table[(table["area"] == "AL") & (table["indicator"] == "prevention_children")].sort_values("period").tail(2)
    rows = rows.assign(value=[baseline, np.nan], state=["number", "almost_none"], margin=[5.0, np.nan], target=target)
    (result,) = read_changed(current, monkeypatch, rows)
    assert (result.words, result.verdict) == ("none or almost none", verdict)


def test_a_bullet_stands_only_beside_the_one_indicator_of_the_quarter(current, monkeypatch):
    table = current.release.table("indicators")
    row = table[(table["area"] == "AL") & (table["indicator"] == "prevention_services_school")].tail(1)
    quarter = summary.find_last_quarter(current)
    cell = "prevention", "school", "services"
    (goal,) = read_changed(current, monkeypatch, row)
    assert results.find_goal((goal,), quarter, *cell) is goal
    assert results.find_goal((goal,), quarter, "prevention", "state", "services") is None
    two = read_changed(current, monkeypatch, pd.concat([row, row.assign(partner="Another")]))
    assert [(each.axis, each.bearer, each.counts) for each in two] == [cell, cell]
    assert results.find_goal(two, quarter, *cell) is None
    (earlier,) = read_changed(current, monkeypatch, row.assign(period="2007-06-01/P1Y"))
    assert (earlier.axis, earlier.bearer, earlier.counts) == cell
    assert results.find_goal((earlier,), quarter, *cell) is None
    assert results.find_goal((earlier,), earlier.period, *cell) is earlier

    changed = replace(current, checksum="one indicator")
    monkeypatch.setattr(results, "read_table", lambda _current, _name: row.assign(value=1000.0))
    matrix = str(render.render_matrix(changed, "AL", "2006-06-01/2009-05-31"))
    services = summary.read_cells(current, "services", "AL")["prevention", "school"].value
    assert matrix.count('class="bullet"') == 1
    # What is reached is the number of services of all partners, as in the cell, not what the partner reports.
    assert f'aria-label="{services:.0f} reached, target {row["target"].iloc[0]:.0f}"' in matrix


def test_restricted_axes_show_services_of_the_tables_and_no_target(current):
    table = current.release.table("indicators").set_index(["area", "indicator"]).loc["AL"]
    restricted = table[(table["counts"] == "services") & table["axis"].isin(RESTRICTED_AXES)]
    assert set(restricted.index) >= {"protection_services", "protection_services_state"}
    assert (restricted["state"] == "withheld").all()
    assert restricted[["value", "target"]].isna().all(axis=None)
    assert table.loc[table["axis"].isin(["prevention", "coordination"]), ["value", "target"]].notna().all(axis=None)
    matrix = render.tabulate_matrix(current, "AL").set_index(["Axis", "Duty bearer"])
    names, bearers = summary.name_axes(), summary.name_bearers()
    cells = summary.read_cells(current, "services", "AL")
    assert (matrix.loc[names["prevention"], "Target, services"] != "").any()
    assert any(cells[axis, bearer].known for axis in RESTRICTED_AXES for bearer in bearers)
    for axis in RESTRICTED_AXES:
        assert (matrix.loc[names[axis], "Target, services"] == "").all()
        for bearer, name in bearers.items():
            assert matrix.loc[(names[axis], name), "Services"] == cells[axis, bearer].words


def test_lower_limits_and_withheld_numbers_make_no_share(current, monkeypatch):
    name = "services_country_quarter_carrier"
    table = current.release.table(name)
    periods = sorted(table["period"].unique())
    complete = table.assign(value=table["value"].fillna(6), state="number", low=pd.NA)
    changed = complete.copy()
    for period, state, low in ((periods[-1], "class", 5), (periods[-3], "withheld", pd.NA)):
        cells = (changed["area"] == "AL") & (changed["period"] == period) & (changed["carrier"] == "state")
        changed.loc[cells, ["value", "state", "low"]] = [pd.NA, state, low]
    shares = {}
    for label, frame in (("complete", complete), ("changed", changed)):
        monkeypatch.setattr(summary, "read_table", lambda _current, _name, frame=frame: frame)
        release = replace(current, checksum=f"shares {label}")
        shares[label] = summary.read_state_share(release, "AL")["share"]
        assert bool(summary.describe_state_share(release, "AL")) == (label == "complete")
    assert shares["complete"].notna().all()
    assert list(shares["changed"].index[shares["changed"].isna()]) == [periods[-3], periods[-1]]
    has_share = shares["changed"].notna()
    assert (shares["changed"][has_share] == shares["complete"][has_share]).all()


def test_the_page_answers_first_and_tells_all_parts(run):
    test = run(area="AL")
    text = read_text(test)
    assert re.search(r"Of \d+ expected results in Albania, \d+ are on course, \d+ late", text)
    assert re.search(r"The state carries \d+\s% of the services of prevention and coordination", text)
    for words in ("Handed over", "Returned", "Shared", "With a partner", "in exploitation", "Children at risk reached"):
        assert words in text
    matrix = next(e.proto.body for e in test.get("html") if "doers" in e.proto.body)
    assert matrix.count("<tr>") == 1 + 5 + 1
    assert "bullet" in matrix
    assert 'title="withheld to protect people">withheld<' in matrix
    before = text.partition("Municipalities with a working prevention net")[0]
    assert len(before.split()) <= 250


@pytest.mark.slow
def test_without_an_area_one_country_is_chosen_and_a_county_shows_its_own(run, current):
    assert "expected results in Albania" in read_text(run())
    assert "expected results in Greece" in read_text(run(country="GR"))
    county = run(area="AL-11")
    assert "expected results in Albania" in read_text(county)
    assert "Who does what in Albania: services of Mar to May 2009" in [header.value for header in county.header]
    board = summary.read_totals(current, "AL-11", "carrier")
    assert (
        board["state"].value
        == last_quarter(current, "services_region_quarter_carrier")
        .set_index(["area", "carrier"])
        .loc[("AL-11", "state"), ["value", "low"]]
        .max()
    )


def test_heading_and_column_say_each_its_own_period(run, current):
    """Services are those of the last quarter, children those of the chosen period."""
    periods = current_release.name_periods(current, "children", "country", "stage")
    for period, words in nonempty(list(periods.items())[:2]):
        test = run(time=period)
        assert f"Children met, {words}<" in " ".join(e.proto.body for e in test.get("html"))
        assert "Who does what in Albania: services of Mar to May 2009" in [header.value for header in test.header]


def test_text_of_partners_is_escaped(current, monkeypatch):
    table = current.release.table("indicators")
    hostile = table.assign(unit="<script>alert(1)</script>", source="<b>x</b>", partner="&amp;<i>")
    monkeypatch.setattr(results, "read_table", lambda _current, _name: hostile)
    body = str(render.render_results(results.read_results(replace(current, checksum="hostile"), "AL")))
    assert "<script>" not in body
    assert "<b>x" not in body
    assert "&lt;script&gt;" in body


def test_the_public_page_has_ranges_and_no_indicator(run, scored):
    public = open_current(scored, "public")
    assert "indicators" not in public.release.tables
    assert not any("carrier" in name or "axis_duty_bearer" in name for name in public.release.tables)
    text = read_text(run("public", area="GR"))
    assert "are for partners" in text
    assert "Expected results" not in " ".join(e.value for e in run("public", area="GR").header)
    rows = summary.tabulate_axes(public, "GR", "2006-06-01/2009-05-31")
    table = public.release.table("children_country_whole_axis").set_index(["area", "axis"])
    assert rows["Children met"].iloc[0].split()[0] == str(int(table.loc[("GR", "prevention"), "reconciled"]))
    assert rows["Services, last year"].str.contains("to|at least|withheld|fewer").all()


def test_a_release_of_before_says_what_is_missing(run, current, monkeypatch):
    empty = pd.DataFrame()
    for module in (summary, results):
        read = module.read_table
        monkeypatch.setattr(
            module,
            "read_table",
            lambda current, name, read=read: (
                empty
                if name == "indicators" or "carrier" in name or "axis_duty_bearer" in name
                else read(current, name)
            ),
        )
    of_before = replace(current, checksum="before")  # what is remembered of the release is not read again
    monkeypatch.setattr(current_release, "open_current_release", lambda _site: of_before)
    text = read_text(run(area="AL"))
    assert "This release was made without services by axis and duty bearer" in text
    assert "This release has no indicators" in text
    assert "policy.toml" in text


@pytest.mark.parametrize("tier", ["partner", "public"])
@pytest.mark.parametrize(
    ("language", "group"),
    [("en", "Children at risk"), ("sq", "Fëmijë në rrezik trafikimi"), ("el", "Παιδιά σε κίνδυνο")],
)
def test_of_about_1000_children_at_risk_the_page_and_a_file_say_how_many_were_reached(
    run, scored, tier, language, group
):
    current = open_current(scored, tier)
    table = read_targets(current.release).set_index("group")
    stages = current.release.table("children_country_whole_stage")
    at_risk = choose_numbers(stages[stages["stage"] == "at_risk"], current.release.largest)
    assert table.loc["at_risk", ["target", "value", "margin"]].tolist() == [1000, *at_risk[["value", "margin"]].sum()]
    assert table.loc["victims", "target"] == 400
    assert "Reached of about 1,000 children at risk" in (shown := read_text(run(tier)))
    with speak(language):
        assert group in render_targets(read_targets(current.release))
        file = build_targets(current.release, read_targets(current.release), translate).set_index("group")
    assert f"{table.loc['at_risk', 'value']:.0f} ±{table.loc['at_risk', 'margin']:.0f}" in shown
    assert file.loc["at_risk", "label"].startswith(group)
    assert file.loc["at_risk", "value"] == table.loc["at_risk", "value"]


def test_the_register_of_policies_is_shown_for_its_country_to_partners_alone(run, scored, tmp_path):
    derived = shutil.copytree(scored.derived, tmp_path / "derived")
    file = tmp_path / "register.csv"
    file.write_text(
        "what,area,status,date,source,duty_bearer\n"
        "Protocol <b>on</b> begging,AL-11,adopted,2008-03-12,County gazette,municipality\n"
        "Law on street work,GR,proposed,2009-01-01,Official gazette,state\n"
    )
    add_policies(derived, file)
    text = read_text(run(area="AL", derived=derived))
    assert re.search(r"Protocol &lt;b&gt;on&lt;/b&gt; begging|Protocol <b>on</b> begging", text)
    assert "County gazette" in text
    assert "Law on street work" not in text
    assert "Law on street work" in read_text(run(area="GR", derived=derived))
    assert "County gazette" not in read_text(run("public", area="AL", derived=derived))
    assert "tact advocacy import" in " ".join(code.value for code in run(area="AL").code)


@pytest.mark.parametrize("country", ["AL", "GR"])
def test_duty_bearers_engaged_are_counted_from_the_services_of_each_area_and_quarter(current, country):
    table = current.release.table("services_region_quarter_duty_bearer")
    here = table[table["area"].str.startswith(country) & (table["value"] > 0)]
    last = here[here["period"] == table["period"].max()]
    counts = engaged.count_engaged(current, country)
    assert {name: there for name, (there, _every) in counts.items() if there} == last.groupby(
        "duty_bearer"
    ).size().to_dict()
    assert {every for _there, every in counts.values()} == {
        table[table["area"].str.startswith(country)]["area"].nunique()
    }
    shown = engaged.tabulate_engaged(current, country).set_index("Area")
    names = current_release.read_area_names(current)
    for code, rows in last.groupby("area"):
        words = ", ".join(word for name, word in summary.name_bearers().items() if name in set(rows["duty_bearer"]))
        assert shown.loc[names[code], "Engaged now"] == words
        assert shown.loc[names[code]].iloc[-1] == str(len(rows))
    assert shown.shape[1] == 1 + table["period"].nunique()


def test_an_area_without_numbers_counts_neither_as_engaged_nor_as_not(current, monkeypatch):
    table = current.release.table("services_region_quarter_duty_bearer").copy()
    hidden = table["area"] == "AL-11"
    table.loc[hidden, ["value", "state"]] = [pd.NA, "no_data"]
    monkeypatch.setattr(engaged, "read_table", lambda *_names: table)
    other = replace(current, checksum="without Tirana")
    assert {every for _there, every in engaged.count_engaged(other, "AL").values()} == {11}
    monkeypatch.setattr(engaged, "read_table", lambda *_names: pd.DataFrame())
    assert engaged.count_engaged(replace(current, checksum="no table"), "AL") == {}


@pytest.mark.slow
@pytest.mark.parametrize("tier", ["partner", "public"])
def test_the_file_of_the_target_group_passes_the_search_for_leaks_and_a_changed_number_does_not(scored, tier, tmp_path):
    release = open_current(scored, tier).release
    (path,) = write_targets(release, tmp_path)
    assert search(release, [path])[0] == []
    rows = pd.read_csv(path)
    assert rows["target"].dropna().tolist() == [1000, 400]
    of_families = ["families", "household_children"] if tier == "partner" else []
    assert rows["group"].tolist() == ["at_risk", "victims", *of_families]
    rows.assign(value=rows["value"] + 1).to_csv(path, index=False)
    assert {finding.cell["column"] for finding in search(release, [path])[0]} == {"value"}
