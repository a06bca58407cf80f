"""Which statements stand whatever is assumed: worked examples, and the demo."""

from dataclasses import replace

import numpy as np
import pytest

from data.release import Release
from data.release.completeness import Completeness
from risk.laplace.likelihood import MISSING
from risk.model.statements import NONE, Claim, choose_statements
from risk.report import sensitivity
from tests.helpers.grids import QUARTERS, draw_grid

TABLE = "sensitivity_region_whole_crossing"


@pytest.fixture(scope="module")
def partner(demo_world):
    return Release.open(demo_world / "releases", "partner", derived=demo_world / "derived")


def test_a_statement_stands_where_its_claim_is_likely_enough_also_if_a_narrower_one_holds():
    claims = (Claim("very_high", 2.25, np.inf), Claim("high", 1.5, np.inf), Claim("not_low", 0.67, np.inf, 0.9))
    here = choose_statements(np.array([[0.1, 0.1, 0.1, 0.1], [0.7, 0.7, 0.3, 0.2], [0.9, 0.9, 0.95, 0.3]]), claims)
    there = choose_statements(np.array([[0.8, 0.1, 0.0, 0.8], [0.9, 0.65, 0.2, 0.9], [0.9, 0.9, 0.89, 0.9]]), claims)
    assert list(here.codes) == ["high", "high", "not_low", ""]
    assert here.position[3] == NONE
    probability, stands = here.compare(there)
    np.testing.assert_array_equal(probability, [0.9, 0.65, 0.89, np.nan])
    assert stands.tolist() == [True, False, False, False]
    assert here.compare(here)[1].tolist() == [True, True, True, False]


def test_what_a_partner_discovered_is_set_aside_where_it_has_a_third_of_the_days(monkeypatch):
    grid = draw_grid(2)
    countries, quarters = ("AL", "AL", "GR", "GR"), grid.quarters
    grid = replace(grid, countries=countries)
    days = np.zeros((4, QUARTERS))
    days[0, :2], days[1, :2], days[1, 2:] = 5, 10, 30  # in Albania; the first has a third of the days twice
    days[2, 0], days[3] = 1, 9  # in Greece; the first has a tenth once
    senders = (("AL", "First"), ("AL", "Second"), ("GR", "First"), ("GR", "Third"))
    known = Completeness(senders, quarters, days, days > 0, days > 0)
    monkeypatch.setattr(sensitivity, "read_completeness", lambda release: known)
    left = sensitivity.set_partners_aside(None, grid)
    aside = {partner: (seen.published == MISSING) for partner, seen in left.items()}
    assert set(aside) == {"First", "Second", "Third"}
    reported, discovered = (aside["First"][..., way] for way in range(2))
    assert not reported.any()
    assert discovered[:2, :2].all()
    assert discovered.sum() == 2 * 2 * 2, "areas of Albania, quarters, pathways"
    assert aside["Second"][:2, ..., 1].all()
    assert not aside["Second"][2:].any()
    assert aside["Third"][2:, ..., 1].all()
    monkeypatch.setattr(sensitivity, "read_completeness", lambda release: None)
    assert sensitivity.set_partners_aside(None, grid) == {}


def test_a_common_share_changes_numbers_of_children_alone(partner):
    table = partner.table(TABLE)
    shares = table[(table["assumption"] == "share") & (table["statement"] != "")]
    assert shares["stands"].all()
    assert (shares["statement"] == shares["instead"]).all()
    burden = table[(table["assumption"] == "share") & (table["topic"] == "burden")]
    low, high = (burden[burden["setting"] == share]["value"].to_numpy() for share in ("0.05", "0.4"))
    np.testing.assert_allclose(low / high, 8.0)


def test_the_table_has_each_statement_of_the_result_in_each_scenario(partner):
    table, card = partner.table(TABLE), partner.result("risk").manifest["card"]["sensitivity"]
    scenarios = table[["assumption", "setting"]].drop_duplicates()
    assert len(table) == 25 * 2 * 3 * len(scenarios)
    assert set(scenarios["assumption"]) == {"share", "spread", "gamma", "partner"}
    assert set(scenarios.query("assumption == 'spread'")["setting"]) == {"0.1", "0.2", "0.35", "0.5"}
    rates = partner.table("risk_region_whole_crossing").set_index(["area", "crossing"])["statement"]
    some = table[(table["topic"] == "rate") & (table["setting"] == "0.5")].set_index(["area", "crossing"])
    assert (some["statement"] == rates.reindex(some.index).fillna("")).all()
    stated = table[table["statement"] != ""]
    stands = stated.groupby(["area", "crossing", "topic"])["stands"].all()
    assert (card["statements"], card["stand"]) == (len(stands), stands.sum())
    fallen = {(a, v): n for a, v, n in card["scenarios"]}
    assert fallen == (~stated["stands"]).groupby([stated["assumption"], stated["setting"]]).sum().to_dict()
    assert 0 < card["stand"] < card["statements"]
