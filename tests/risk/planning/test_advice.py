"""What `tact risk` prepares for the first screen: unmet need, the usual plan, and the review of an earlier plan."""

from dataclasses import replace

import numpy as np
import pytest

from data.release import Release
from risk.planning import advice
from risk.planning.inputs import PlanInputs
from risk.planning.summary import Author
from tests.helpers import plans


@pytest.fixture(scope="module")
def release(scored):
    return Release.open(scored.releases, "partner", derived=scored.derived)


def test_need_is_what_is_met_and_what_is_not(release):
    unmet = release.table("unmet_region_quarter").set_index("area")
    need = release.table("need_region_quarter").set_index("area")
    assert list(unmet.index) == list(need.index)
    # Medians of a sum are not the sum of medians, and both are rounded to two digits.
    assert np.allclose(unmet["value"] + unmet["met"], need["value"], rtol=0.12, atol=0.6)
    assert (unmet["lower"] <= unmet["value"]).all()
    assert (unmet["value"] <= unmet["upper"]).all()


def test_the_chances_of_the_first_place_add_up_in_each_country(release):
    unmet = release.table("unmet_region_quarter")
    for land in ("AL", "GR"):
        inside = unmet[unmet["area"].str.startswith(land)]
        assert inside["first"].sum() == pytest.approx(1.0)
        assert inside.loc[inside["first"].idxmax(), "rank"] == 1


def test_where_nobody_works_nothing_is_met():
    need = np.array([[10.0, 4.0], [12.0, 5.0]])
    met = np.array([[6.0, 0.0], [6.0, 0.0]])
    rows = advice._judge_unmet(need - met, met, np.array([0, 0]))
    assert list(rows["met"]) == [6.0, 0.0]
    assert list(rows["value"]) == [5.0, 4.5]


def test_the_usual_plan_is_read_back_as_it_was_written(release):
    prepared = advice.read_advice(release)
    assert prepared is not None
    assert prepared.plan is not None
    assert prepared.plan.title == advice.TITLE
    assert prepared.review is None
    assert {row.area for row in prepared.plan.coverage} == set(release.table("unmet_region_quarter")["area"])


def test_the_public_tier_has_no_advice(scored):
    public = Release.open(scored.releases, "public", derived=scored.derived)
    assert advice.read_advice(public) is None
    assert not [name for name in public.tables if name.startswith("unmet")]


@pytest.mark.slow
def test_a_plan_of_an_earlier_release_is_judged_again(release, tmp_path):
    """A plan that promised much from moves that this release does not support no longer holds."""
    ground = PlanInputs.read(release)
    usual = advice.read_advice(release).plan
    assert usual.moves
    promised = replace(usual, verdict=replace(usual.verdict, answer="move"), author=Author("board", "2009-01-01"))
    kept = replace(plans.saved("2009-02-001"), summary=promised, release="2009-02-001")
    review = advice._judge_again(kept, ground)
    assert review.then == "move"
    assert review.now == usual.answer
    assert review.holds == (usual.answer == "move")
    moved = tuple(replace(move, units=move.units + 500) for move in usual.moves)
    impossible = replace(kept, summary=replace(promised, moves=moved))
    assert advice._judge_again(impossible, ground).now == ""
