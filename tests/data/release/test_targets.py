"""The target group: sums of published numbers, whose margin holds the true number; one child in one group."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data.disclosure.cell_key import CellKey
from data.release.targets import GROUPS, read_targets
from data.tables.spec import CATEGORIES

WHOLE, YEARS = "2006-06-01/2009-05-31", ["2006-06-01/P1Y", "2007-06-01/P1Y"]
STAGES = CATEGORIES["stage"]
NAMES = {"whole": "children_country_whole_stage", "year": "children_country_year_stage"}


def make_release(tables, k=11, countries=frozenset(), provisional=(), reach=5.0, **targets):
    parameters = {"target_at_risk": 1000, "target_victims": 400, "target_source": "programme", **targets}
    return SimpleNamespace(
        tables=tuple(tables),
        table=tables.get,
        k=k,
        largest=5.0,
        find_reach=lambda *_: reach,
        countries=countries,
        manifest={"tact": {"parameters": parameters}},
        is_provisional=lambda period: period in provisional,
    )


def make_table(cells, period=WHOLE):
    """Return a table with a cell (number or state) for each country and stage."""
    rows = [
        (area, period, stage, *((cell, "number", 5.0) if not isinstance(cell, str) else (None, cell, None)))
        for (area, stage), cell in cells.items()
    ]
    frame = pd.DataFrame(rows, columns=["area", "period", "stage", "value", "state", "margin"])
    return frame.astype({"value": "Float64", "margin": "Float64"})


def every(cell):
    return {(area, stage): cell for area in ("AL", "GR") for stage in STAGES}


def read(cells, **more):
    return read_targets(make_release({NAMES["whole"]: make_table(cells)}, **more)).set_index("group")


def test_each_stage_belongs_to_one_group():
    listed = [stage for stages in GROUPS.values() for stage in stages]
    assert sorted(listed) == sorted(STAGES)
    assert GROUPS["at_risk"] == ("at_risk",)


def test_both_countries_are_added_up_with_their_margins():
    rows = read({**every(20), ("AL", "at_risk"): 300, ("GR", "at_risk"): 250})
    assert rows.loc["at_risk", ["target", "value", "margin", "period"]].tolist() == [1000, 550, 10, WHOLE]
    assert rows.loc["victims", ["target", "value", "margin"]].tolist() == [400, 200, 50]


@pytest.mark.parametrize(("state", "margin"), [("few", 45 + 15), ("almost_none", 45 + 5), ("structural_zero", 45)])
def test_a_part_without_a_number_widens_the_margin_by_what_may_be_behind_it(state, margin):
    rows = read({**every(20), ("GR", "returning"): state}, reach=15.0 if state == "few" else 5.0)
    assert rows.loc["victims", ["value", "margin"]].tolist() == [180, margin]


def test_a_withheld_part_withholds_its_group_alone():
    rows = read({**every(20), ("GR", "returning"): "withheld"})
    assert np.isnan(rows.loc["victims", "value"])
    assert rows["state"].to_dict() == {"at_risk": "number", "victims": "withheld"}


def test_before_the_programme_has_ended_its_final_years_are_added_up():
    years = pd.concat([make_table(every(10), year) for year in YEARS])
    release = make_release({NAMES["year"]: years}, provisional=YEARS[1:])
    assert read_targets(release)["value"].tolist() == [20, 100]
    assert read_targets(release)["period"].unique().tolist() == ["2006-06-01/2007-05-31"]
    assert read_targets(make_release({NAMES["year"]: years}))["value"].tolist() == [40, 200]


def test_nothing_is_said_without_a_target_or_of_one_country_alone():
    assert read(every(20), target_at_risk=0).index.tolist() == ["victims"]
    for release in (
        make_release({NAMES["whole"]: make_table(every(20))}, target_at_risk=0, target_victims=0),
        make_release({NAMES["whole"]: make_table(every(20))}, countries=frozenset({"AL"})),
        make_release({}),
    ):
        assert read_targets(release).empty


def make_totals(value, state="number"):
    rows = [(area, WHOLE, value, state, 5.0) for area in ("AL", "GR")]
    frame = pd.DataFrame(rows, columns=["area", "period", "value", "state", "margin"])
    return frame.astype({"value": "Float64", "margin": "Float64"})


def test_families_stand_beside_the_children_whose_household_is_known_and_not_at_all_without_any_number():
    tables = {NAMES["whole"]: make_table(every(20)), "families_country_whole": make_totals(30)}
    tables["household_children_country_whole"] = make_totals(70)
    rows = read_targets(make_release(tables)).set_index("group")
    assert rows["target"].isna().tolist() == [False, False, True, True]
    assert rows["value"].tolist()[2:] == [60, 140]
    assert rows["margin"].tolist()[2:] == [10, 10]
    none = {name: make_totals(None, "almost_none") if "children_" not in name[:9] else t for name, t in tables.items()}
    assert read_targets(make_release(none)).index.size == 2


@pytest.mark.slow
@pytest.mark.parametrize("k", [None, 11])
def test_the_true_number_always_lies_within_the_margin(k):
    noise, random = CellKey(), np.random.default_rng(3)
    for _world in range(200):
        true = random.poisson(random.choice([0.5, 4.0, 12.0, 40.0], 2 * len(STAGES)))
        published = noise.publish(true, random.integers(noise.key_range, size=true.shape))
        words = ["few" if k and n < k else "almost_none" if n == 0 else float(n) for n in published]
        rows = read(dict(zip(every(0), words, strict=True)), reach=(k or 1) + 4.0)
        for group, stages in GROUPS.items():
            number = sum(n for n, (_area, stage) in zip(true, every(0), strict=True) if stage in stages)
            assert abs(number - rows.loc[group, "value"]) <= rows.loc[group, "margin"]
