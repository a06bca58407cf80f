"""The Flows page: arrows and matrix from protected tables alone, the rest in words, and the share of internal."""

import re
from html import unescape

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.pages.flows import map as flow_map
from dashboard.pages.flows import summary
from dashboard.pages.flows.summary import CLASSES, EVERY, Choice
from dashboard.site import Site, current_release
from data.tables.shown import choose_numbers

WHOLE = "2006-06-01/2009-05-31"


def page():
    from dashboard.pages import flows

    flows.show()


@pytest.fixture
def run(monkeypatch, scored):
    def opened(tier="partner", derived=True, **address):
        monkeypatch.setenv("TACT_RELEASES", str(scored.releases))
        monkeypatch.setenv("TACT_TIER", tier)
        monkeypatch.setenv("TACT_DERIVED", str(scored.derived) if derived else "")
        test = AppTest.from_function(page, default_timeout=60)
        test.query_params.update(address)
        test.run()
        assert not test.exception
        return test

    return opened


def text_of(test):
    bodies = (element.proto.body for element in test.get("html"))
    return unescape(re.sub(r"<[^>]+>", " ", " ".join(bodies)))


@pytest.fixture(scope="module")
def current(scored):
    return current_release.open_current_release(Site(scored.releases, "partner", derived=scored.derived))


def published(current, period=WHOLE):
    table = current.release.table("flows_region_whole_origin" if period == WHOLE else "flows_region_year_origin")
    return table[table["period"] == period].set_index(["origin", "area"])


@pytest.mark.parametrize("choice", [Choice(WHOLE), Choice("2007-06-01/P1Y", "internal"), Choice(WHOLE, EVERY, "AL-11")])
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


def test_what_is_in_no_arrow_is_counted_and_withheld_flows_have_none(current):
    years = [f"{year}-06-01/P1Y" for year in (2006, 2007, 2008)]
    assert any((published(current, year)["state"] == "withheld").any() for year in years)
    for year in years:
        flows, withheld = summary.read_flows(current, Choice(year)), published(current, year)
        hidden = withheld.index[withheld["state"] == "withheld"]
        assert not set(hidden) & set(zip(flows.drawn["origin"], flows.drawn["area"], strict=True))
        table = current.release.table("flows_country_year_origin")
        total = choose_numbers(table[table["period"] == year], current.release.largest)["value"].sum()
        assert flows.other == pytest.approx(total - flows.drawn["value"].sum(), abs=15)
        words = summary.describe_rest(current, Choice(year))
        assert f"Other or hidden: {flows.other:.0f} of {flows.total:.0f} children" in words
        assert (f"{len(hidden)} flows are withheld" in words) == bool(len(hidden))


def test_the_pathway_divides_flows_by_the_border(current):
    every, inside, across = (
        summary.read_flows(current, Choice(WHOLE, pathway)).rows for pathway in (EVERY, "internal", "cross_border")
    )
    assert (inside["area"].str[:2] == inside["origin"].str[:2]).all()
    assert (across["area"].str[:2] != across["origin"].str[:2]).all()
    assert len(inside) + len(across) == len(every)


def test_no_flow_with_a_published_number_is_shown_as_none(current):
    rows = summary.read_flows(current, Choice(WHOLE)).rows
    numbers = rows[rows["state"] == "number"]
    assert (numbers["value"] >= 1).all()


def test_the_page_answers_first_and_shows_the_matrix_with_its_sums_and_states(run, current):
    test = run()
    text = text_of(test)
    assert "Most of the children met were taken to" in text
    assert "not of all children: more are met where teams work" in text
    assert "Other or hidden:" in text
    matrix = next(e.proto.body for e in test.get("html") if "flowmatrix" in e.proto.body)
    rows = summary.read_flows(current, Choice(WHOLE)).rows
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
    text = text_of(run(area="AL-11", pathway="internal"))
    assert re.search(r"To Tirana: \d+, most from", text)
    assert "Albania to Greece" not in text


def test_the_shares_are_those_of_the_one_model(current):
    manifest = current_release.read_risk_manifest(current)
    rows = summary.read_shares(current)
    assert len(rows) == 9
    for shift in manifest.shifts:
        mine = [share for share in manifest.shares if share.areas == shift.areas]
        assert (mine[0].share, mine[-1].share) == (shift.before, shift.after)
        assert all(share.low < share.share < share.high for share in mine)


def test_without_the_model_the_page_says_what_to_do(run):
    text = text_of(run(derived=False))
    assert "tact risk" in text
    assert "Most of the children met" in text


def test_the_public_tier_shows_no_flow(run, scored):
    test = run("public")
    text = text_of(test)
    assert "is not public" in text
    assert "matrix" not in " ".join(e.proto.body for e in test.get("html"))
    public = current_release.open_current_release(Site(scored.releases, "public", derived=scored.derived))
    assert not any(name.startswith("flows") for name in public.release.tables)
    table = public.release.table("children_region_whole_pathway").set_index(["area", "pathway"])
    shown = summary.tabulate_pathways(public).set_index("County or region")
    number = str(int(table.loc[("AL-11", "internal"), "reconciled"]))
    assert shown.loc["Tirana, Albania", "internal trafficking"] == number
    assert (shown == "fewer than 11, possibly none").to_numpy().any()


def test_a_release_without_flows_says_what_to_do(run, monkeypatch):
    monkeypatch.setattr(summary, "read_table", lambda _current, _name: pd.DataFrame())
    text = text_of(run())
    assert "This release has no flows." in text
    assert "make a release" in text


def test_the_table_has_a_row_for_each_number(current):
    rows = summary.tabulate_flows(current, Choice(WHOLE))
    assert len(rows) == summary.read_flows(current, Choice(WHOLE)).rows["value"].notna().sum()
    assert isinstance(rows, pd.DataFrame)
    assert set(rows["Crosses the border"]) == {"yes", "no"}
