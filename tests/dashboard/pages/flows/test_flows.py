"""The Flows page: arrows and matrix from protected tables alone, the rest in words, and the share of internal."""

import re
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest

from dashboard.pages.flows import map as flow_map
from dashboard.pages.flows import returns, summary
from dashboard.pages.flows.summary import CLASSES, EVERY, FlowChoice
from dashboard.site import current_release
from data.tables.shown import choose_numbers
from tests.helpers.nonempty import nonempty
from tests.helpers.pages import open_current, open_page, read_text

WHOLE = "2006-06-01/2009-05-31"


@pytest.fixture
def run(monkeypatch, scored):
    return partial(open_page, monkeypatch, scored, "flows")


@pytest.fixture(scope="module")
def current(scored):
    return open_current(scored)


def published(current, period=WHOLE):
    table = current.release.table("flows_region_whole_origin" if period == WHOLE else "flows_region_year_origin")
    return table[table["period"] == period].set_index(["origin", "area"])


@pytest.mark.parametrize(
    "choice", [FlowChoice(WHOLE), FlowChoice("2007-06-01/P1Y", "internal"), FlowChoice(WHOLE, EVERY, "AL-11")]
)
def test_an_arrow_stands_for_a_published_number_alone(current, choice):
    flows, table = summary.read_flows(current, choice), published(current, choice.period)
    assert len(flows.drawn) > 3
    for row in flows.drawn.to_dict("records"):
        cell = table.loc[row["origin"], row["area"]]
        assert cell["state"] in {"number", "almost_none"}  # beside a published zero sums may need a small number
        if cell["state"] == "number":
            # Whatever is shown, the published interval and the shown one overlap in the published number.
            assert abs(row["value"] - cell["value"]) <= 5
            assert row["margin"] >= 5
        assert row["value"] >= (CLASSES[0] if choice.area != EVERY else CLASSES[1])
    assert len(flow_map.draw_arrows(current, choice)) == len(flows.drawn)


@pytest.fixture
def one_withheld(current, monkeypatch):
    """Withhold one flow of counties in each year."""

    def read(current, name):
        table = read_table(current, name)
        if name != "flows_region_year_origin":
            return table
        largest = table.loc[table.groupby("period")["value"].idxmax()].index
        withheld = pd.Series(table.index.isin(largest), table.index)
        numbers = table.drop(columns="state").mask(withheld).assign(state=table["state"].mask(withheld, "withheld"))
        return numbers.assign(**{name: table[name] for name in ("area", "period", "origin")})

    def forget():
        summary._read_rows.cache_clear()
        summary.read_flows.cache_clear()

    read_table = summary.read_table
    forget()
    monkeypatch.setattr(summary, "read_table", read)
    yield partial(read, current)
    forget()


def test_what_is_in_no_arrow_is_counted_and_withheld_flows_have_none(current, one_withheld):
    for year in nonempty([f"{year}-06-01/P1Y" for year in (2006, 2007, 2008)]):
        table = one_withheld("flows_region_year_origin")
        withheld = table[table["period"] == year].set_index(["origin", "area"])
        flows = summary.read_flows(current, FlowChoice(year))
        hidden = withheld.index[withheld["state"] == "withheld"]
        assert len(hidden) > 0
        assert not set(hidden) & set(zip(flows.drawn["origin"], flows.drawn["area"], strict=True))
        table = current.release.table("flows_country_year_origin")
        total = choose_numbers(table[table["period"] == year], current.release.largest)["value"].sum()
        assert flows.other == pytest.approx(total - flows.drawn["value"].sum(), abs=15)
        words = summary.describe_rest(current, FlowChoice(year))
        assert f"Other or hidden: {flows.other:.0f} of {flows.total:.0f} children" in words
        assert "of fewer than 5 or without a known county or region" in words
        plural = "flow is" if len(hidden) == 1 else "flows are"
        assert (f"{len(hidden)} {plural} withheld." in words) == bool(len(hidden))


def make_flows(first, second):
    """Return two flows, each with number, margin and state."""
    rows = pd.DataFrame([first, second], columns=["value", "margin", "state"])
    rows = rows.assign(origin=["AL-01", "AL-02"], area=["AL-11", "GR-I"], crosses=[False, True])
    rows = rows.assign(noisy=rows["value"], noisy_margin=rows["margin"])
    return summary.Flows(rows, rows[rows["value"].notna()], rows["value"].sum(), 0.0)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((30.0, 5.0, "number"), (19.0, 5.0, "number"), "The largest flow is from Berat to Tirana: 30 ±5."),
        ((30.0, 5.0, "number"), (20.0, 5.0, "number"), "One of the largest flows is from Berat to Tirana: 30 ±5."),
        ((30.0, 5.0, "number"), (19.0, 8.0, "number"), "One of the largest flows is from Berat to Tirana: 30 ±5."),
        ((30.0, 5.0, "number"), (float("nan"),) * 2 + ("withheld",), "One of the largest flows is from Berat"),
        ((30.0, 5.0, "number"), (float("nan"),) * 2 + ("almost_none",), "The largest flow is from Berat to Tirana"),
    ],
)
def test_a_flow_is_the_largest_only_where_no_margin_lets_another_be(current, monkeypatch, first, second, words):
    monkeypatch.setattr(summary, "read_flows", lambda _current, _choice: make_flows(first, second))
    assert words in summary.find_answer(current, FlowChoice(WHOLE))


def test_the_pathway_divides_flows_by_the_border(current):
    every, internal, cross_border = (
        summary.read_flows(current, FlowChoice(WHOLE, pathway)).rows for pathway in (EVERY, "internal", "cross_border")
    )
    assert (internal["area"].str[:2] == internal["origin"].str[:2]).all()
    assert (cross_border["area"].str[:2] != cross_border["origin"].str[:2]).all()
    assert len(internal) + len(cross_border) == len(every)


def test_no_flow_with_a_published_number_is_shown_as_none(current):
    rows = summary.read_flows(current, FlowChoice(WHOLE)).rows
    numbers = rows[rows["state"] == "number"]
    assert (numbers["value"] >= 1).all()


@pytest.mark.slow
def test_the_page_answers_first_and_shows_the_matrix_with_its_sums_and_states(run, current):
    test = run()
    text = read_text(test)
    assert "The destinations with most children, with 95 % intervals: Attica 131 (104 to 182), Tirana 111 (" in text
    assert "Which of them comes first cannot be told. One of the largest flows is from Elbasan to Tirana" in text
    assert "not of all children: more are met where teams work" in text
    assert "Other or hidden:" in text
    matrix = next(e.proto.body for e in test.get("html") if "flowmatrix" in e.proto.body)
    rows = summary.read_flows(current, FlowChoice(WHOLE)).rows
    sums = [int(n.replace(",", "")) for n in re.findall(r'<td class="sum">([\d,]+)</td>', matrix)]
    assert sums[-1] == rows["value"].sum()
    assert (
        matrix.count('aria-label="none or almost none"')
        == ((rows["state"] == "almost_none") & rows["value"].isna()).sum()
    )
    assert "empty: none or almost none" in text
    shares = summary.tabulate_shares(current)
    assert [str(name) for name in shares] == ["Place", *(f"Jun {y} to May {y + 1}" for y in (2006, 2007, 2008))]


def test_the_area_and_the_pathway_of_the_address_are_shown(run):
    text = read_text(run(area="AL-11", pathway="internal"))
    assert re.search(r"To Tirana: \d+ \(\d+ to \d+\), among the largest flows those from \w+ \(\d+ ±\d+\)", text)
    assert "Albania to Greece" not in text


def test_the_shares_are_those_of_the_one_model(current):
    manifest = current_release.read_risk_manifest(current)
    rows = summary.read_shares(current)
    assert len(rows) == 9
    for shift in manifest.shifts:
        mine = [share for share in manifest.shares if share.areas == shift.areas]
        assert (mine[0].share, mine[-1].share) == (shift.before, shift.after)
        assert all(share.low < share.share < share.high for share in mine)


@pytest.mark.slow
def test_without_the_model_the_page_says_what_to_do(run):
    text = read_text(run(derived=""))
    assert "tact risk" in text
    assert "The destinations with most children" in text


def test_the_public_tier_shows_no_flow(run, scored):
    test = run("public")
    text = read_text(test)
    assert "is not public" in text
    assert "matrix" not in " ".join(e.proto.body for e in test.get("html"))
    public = open_current(scored, "public")
    assert not any(name.startswith("flows") for name in public.release.tables)
    table = public.release.table("children_region_whole_pathway").set_index(["area", "pathway"])
    shown = summary.tabulate_pathways(public).set_index("County or region")
    cells = choose_numbers(table, public.release.find_reach("region", "whole")).loc[("AL-11", "internal")]
    words = shown.loc["Tirana, Albania", "internal trafficking"]
    assert words.startswith(f"{cells['value']:.0f} ±{cells['margin']:.0f}")
    assert (shown == "fewer than 11, possibly none").to_numpy().any()


def test_pathways_of_the_public_page_are_of_the_whole_programme_or_missing(scored, monkeypatch):
    public = open_current(scored, "public")
    monkeypatch.setattr(summary, "name_periods", lambda *_names: {"2008-06-01/P1Y": "Jun 2008 to May 2009"})
    assert summary.tabulate_pathways(public).empty


def test_a_release_without_flows_says_what_to_do(run, monkeypatch):
    monkeypatch.setattr(current_release, "name_periods", lambda *_names: {})
    text = read_text(run())
    assert "This release has no flows." in text
    assert "make a release" in text


def test_the_table_has_a_row_for_each_number(current):
    rows = summary.tabulate_flows(current, FlowChoice(WHOLE))
    assert len(rows) == summary.read_flows(current, FlowChoice(WHOLE)).rows["value"].notna().sum()
    assert isinstance(rows, pd.DataFrame)
    assert set(rows["Crosses the border"]) == {"yes", "no"}


def test_returns_say_where_children_go_home_and_where_they_were_met(run, current):
    table = current.release.table("returns_country_whole_return_way").set_index(["area", "return_way"])
    assert set(table["state"]) <= {"number", "almost_none"}
    home = table.xs("gr_to_al", level="return_way")["value"]
    assert home.sum() >= 20  # it says something
    text = read_text(run())
    assert f"{home.sum()} ±30 children were on the way home from Greece to Albania" in text
    assert "Most returning children were first met here" in text
    shown = returns.tabulate_returns(current, WHOLE, EVERY)
    assert shown.iloc[0, 0] == "From Greece to Albania"
    assert [cell.partition(",")[0] for cell in shown.iloc[0, 1:]] == [f"{home[code]} ±15" for code in ("AL", "GR")]
    # All returns are the children of the stage: each number is within its noise of the sum of its parts.
    stages = current.release.table("children_country_whole_stage").set_index(["area", "stage"])
    for code in ("AL", "GR"):
        assert abs(table.loc[code, "value"].fillna(0).sum() - stages.loc[(code, "returning"), "value"]) <= 5 * 5


def test_a_release_without_returns_says_how_to_get_them(current):
    older = replace(current, checksum="older", release=replace(current.release, without=frozenset({"returns"})))
    assert returns.tabulate_returns(older, WHOLE, EVERY).empty
    assert returns.describe_returns(older, WHOLE, EVERY) == ""
