"""Completeness: what each partner sent, without a number of children of any partner."""

from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import pandas as pd
import pytest

from data.disclosure.attacks import completeness as attack
from data.disclosure.policy import Policy
from data.release import Release
from data.release.completeness import (
    QUESTIONS,
    Completeness,
    Finding,
    Questions,
    list_findings,
    list_turns,
    read_completeness,
    sort_gaps,
)
from risk.worlds.profiles import PARTNERS
from tests.helpers import small_worlds
from tests.helpers.small_worlds import FEW_PLAN, MemoryVault

POLICY = Policy(last=date(2007, 5, 31))
QUARTERS = [f"{month}/P3M" for month in ("2006-06-01", "2006-09-01", "2006-12-01", "2007-03-01")]
PLACES = {"AL": "101", "GR": "9001"}


def encounters(partner, country, sizes, way="discovered", start=0):
    """Return encounters of a partner: so many children in each quarter, each met once."""
    rows = [
        {
            "date": quarter[:10],
            "municipality": PLACES[country],
            "child": small_worlds.child(f"{partner}{country}{t}{n}"),
        }
        for t, (quarter, size) in enumerate(zip(QUARTERS, sizes, strict=True), start)
        for n in range(size)
    ]
    usual = {"programme_child": "", "origin": "", "destination": "", "partner": partner, "found": way}
    usual |= {"pathway": "internal", "stage": "recruited", "form": "begging", "axis": "prevention"}
    return pd.DataFrame(rows).assign(**usual, sex="female", age_band="6-9")


def effort(partner, country, days):
    rows = [(q[:10], PLACES[country], float(d), partner) for q, d in zip(QUARTERS, days, strict=True) if d]
    return pd.DataFrame(rows, columns=["date", "municipality", "days", "partner"])


def release(folder, met, spent, **changes):
    vault = MemoryVault(encounter=pd.concat(met), effort=pd.concat(spent))
    publication = small_worlds.release(
        vault, folder, plan=FEW_PLAN, policy=POLICY, **{"day": date(2008, 1, 1), **changes}
    )
    return Release.open(folder, "partner", publication.name)


BOTH = [encounters("Arsis", "GR", [40] * 4), encounters("BKTF", "AL", [30] * 4), encounters("BKTF", "GR", [1] * 4)]


def test_a_partner_that_sent_cases_and_no_days_is_found_in_each_country_where_it_works(tmp_path):
    opened = release(tmp_path, BOTH, [effort("BKTF", "AL", [9] * 4), effort("BKTF", "GR", [2] * 4)])
    assert sort_gaps(opened).open == (Finding("no_days", "GR", "Arsis", QUARTERS[0], QUARTERS[-1]),)
    complete = read_completeness(opened)
    assert complete.senders == (("AL", "BKTF"), ("GR", "Arsis"), ("GR", "BKTF"))
    assert complete.days.tolist() == [[9] * 4, [0] * 4, [2] * 4]
    assert complete.discovered.tolist() == [[True] * 4, [True] * 4, [False] * 4]


def test_nothing_is_found_where_each_partner_sent_its_days(tmp_path):
    days = [effort("ARSIS", "GR", [5] * 4), effort("BKTF", "AL", [9] * 4), effort("BKTF", "GR", [2] * 4)]
    assert sort_gaps(release(tmp_path, BOTH, days)) == Questions()  # another spelling is the same partner


def test_no_number_of_children_of_a_partner_is_published_and_no_tier_but_the_partners_has_the_table(tmp_path):
    opened = release(tmp_path, BOTH, [effort("BKTF", "AL", [9] * 4)])
    table = opened.table("completeness")
    of_children = table[table["record"] != "outreach"]
    assert set(of_children["state"]) == {"class", "few"}
    assert of_children["value"].isna().all()
    assert set(of_children["low"].dropna()) == {11.0}
    assert ("GR", "BKTF") not in set(zip(table["area"], table["partner"], strict=True))  # too few, and no days
    assert attack.attack(opened) == []
    assert "completeness" not in Release.open(tmp_path, "public", opened.name).tables


@pytest.mark.parametrize(
    ("column", "value", "rows"),
    [("value", 7.0, "few"), ("low", 3.0, "class"), ("state", "number", "class"), ("area", "AL-11", "number")],
)
def test_the_attack_finds_what_must_not_be_published(tmp_path, monkeypatch, column, value, rows):
    opened = release(tmp_path, BOTH, [effort("BKTF", "AL", [9] * 4)])
    wrong = opened.table("completeness")
    wrong.loc[wrong["state"] == rows, column] = value
    monkeypatch.setattr(Release, "table", lambda *_: wrong)
    assert attack.attack(opened)


def test_states_follow_only_numbers_with_noise_of_their_own_and_are_repeated_for_ever(tmp_path):
    met = [encounters("Arsis", "GR", [size] * 4) for size in (11,)]
    vault = MemoryVault(encounter=pd.concat(met), effort=effort("Arsis", "GR", [5] * 4))
    changes = {"plan": FEW_PLAN, "policy": POLICY, "day": date(2008, 1, 1)}
    first = small_worlds.release(vault, tmp_path, **changes).name
    vault.records["encounter"] = encounters("Arsis", "GR", [40] * 4)
    second = small_worlds.release(vault, tmp_path, **changes).name
    tables = [Release.open(tmp_path, "partner", name).table("completeness") for name in (first, second)]
    pd.testing.assert_frame_equal(*tables)


def test_one_child_changes_a_state_in_at_most_one_of_six_worlds():
    from data.disclosure.cell_key import CellKey

    chance = CellKey.from_policy(POLICY).channel(60).matrix
    above = chance[:, 11:].sum(axis=1)
    assert np.diff(above).max() < 1 / 6
    assert above[5] == 0  # k or more: six children or more
    assert above[16] == 1  # fewer than k: fifteen or fewer


def completeness(days, discovered=None, reported=None, senders=(("AL", "Arsis"),)):
    days = np.array(days, float)
    masks = (np.zeros(days.shape, bool) if mask is None else np.array(mask, bool) for mask in (discovered, reported))
    quarters = tuple(f"{year}-{month}-01/P3M" for year, month in product((2006, 2007), ("03", "06", "09", "12")))
    return Completeness(senders, quarters[: days.shape[1]], days, *masks)


@pytest.mark.parametrize(
    ("days", "reported", "states"),
    [
        ([5, 5, 5, 5, 5, 5], None, []),
        ([0, 0, 5, 5, 0, 0], None, ["began", "stopped"]),
        ([0, 5, 5, 5, 5, 0], None, []),  # a quarter alone may come late
        ([0, 0, 0.2, 0.2, 0.2, 0.2], None, []),  # next to nothing of the country's days
        ([0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0], ["stopped"]),  # it is told of many children, and does no outreach
        ([0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], []),  # few children, whose state changes by chance
    ],
)
def test_a_partner_with_a_good_share_that_began_or_stopped_is_known(days, reported, states):
    masks = {"reported": [reported or [0] * 6, [0] * 6], "discovered": [[0] * 6] * 2}
    seen = completeness([days, [5] * 6], senders=(("AL", "a"), ("AL", "b")), **masks)
    assert [turn.state for turn in list_turns(seen)] == states
    assert all(turn.partner == "a" for turn in list_turns(seen))


@pytest.mark.parametrize(
    ("days", "discovered", "state", "where"),
    [
        ([5, 5, 5, 5, 5, 5], None, None, None),
        ([0, 0, 5, 5, 5, 5], None, "began", (2, 5)),
        ([5, 5, 5, 5, 0, 0], None, "stopped", (4, 5)),
        ([5, 5, 5, 5, 5, 0], None, "nothing_yet", (5, 5)),
        ([5, 5, 0, 0, 5, 5], [1, 1, 0, 1, 1, 1], "no_days", (2, 3)),
        ([5, 5, 5, 5, 5, 0], [1, 1, 1, 1, 1, 1], "no_days", (5, 5)),
        ([0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], "no_days", (0, 5)),
        ([0, 0, 0, 0, 0, 0], None, None, None),  # it is told of children, and does no outreach
    ],
)
def test_findings(days, discovered, state, where):
    known = completeness([days], None if discovered is None else [discovered])
    expected = [] if state is None else [(state, *(known.quarters[t] for t in where))]
    assert [(f.state, f.first, f.last) for f in list_findings(known)] == expected


def test_a_missing_file_is_a_gap_where_cases_are_more_than_a_trace():
    known = completeness(
        [[0] * 8, [0] * 8, [0] * 8],
        [[1] * 8, [1, 0, 0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 0, 0]],
        senders=(("AL", "Arsis"), ("GR", "Arsis"), ("IT", "Arsis")),
    )
    assert [(f.state, f.country) for f in list_findings(known)] == [("no_days", "AL"), ("no_days", "GR")]


@pytest.mark.parametrize("partner", PARTNERS)
def test_any_partner_of_the_demo_whose_days_are_missing_is_found_and_nobody_else(demo_world, partner):
    known = read_completeness(Release.open(demo_world / "releases", "partner"))
    assert not [gap for gap in list_findings(known) if gap.state in QUESTIONS]
    there = np.array([name != partner for _, name in known.senders])
    gaps = [g for g in list_findings(replace(known, days=known.days * there[:, None])) if g.state in QUESTIONS]
    assert {(gap.partner, gap.state) for gap in gaps} == {(partner, "no_days")}
    assert any(gap.last == known.quarters[-1] for gap in gaps)  # so no plan is advised, whatever the fits say
