"""What `tact risk` prepares for the first screen: unmet need, the usual plan, and the review of an earlier plan."""

from dataclasses import replace

import numpy as np
import pytest

from data.release import Release
from data.release.result import newest
from geo import areas as geography
from risk.model import RiskModel
from risk.model.observations import Observations
from risk.planning import advice
from risk.planning.inputs import PlanInputs
from risk.planning.saved import save_plan
from tests.helpers.remembered_fits import remember_fits


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
        # Where two areas are close, the one that is most often first may have the second middle rank.
        likeliest = inside.loc[inside["first"].idxmax()]
        assert (likeliest["rank_first"], likeliest["rank"] <= 2) == (1, True)


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


@pytest.fixture(scope="module")
def known(release, shared):
    """Return the fit of the release, from the building of the demo world, and the inputs of a plan with it."""
    with pytest.MonkeyPatch.context() as patch:
        remember_fits(patch.setattr, shared / "fits")
        areas = geography.read_areas(release.areas_file)
        fit = RiskModel().fit(Observations.from_release(release, areas)).fit_
    return fit, PlanInputs.read(release, fit=fit)


@pytest.fixture
def review(release, known, tmp_path, monkeypatch):
    """Return a function: prepare the advice beside saved plans, and read the review. Only its moves are planned."""
    (fit, ground), usual = known, advice.read_advice(release).plan
    monkeypatch.setattr(advice, "DRAWS", 400)
    monkeypatch.setattr(advice.PlanInputs, "read", lambda *_, **__: ground)
    monkeypatch.setattr(advice, "make_usual_plan", lambda *_args: usual)

    def prepare(*earlier):
        assert advice.prepare_advice(release, tmp_path, fit, earlier) is None
        return advice.read_advice(replace(release, added=(newest(tmp_path, *_find(release), advice.KIND),))).review

    return prepare


def _find(release):
    return release.name, release.tier, release.checksum


def save(release, folder, name, title, **changes):
    """Save the usual plan of a release, as if it had been advised, beside a release of another name."""
    usual = advice.read_advice(release).plan
    promised = replace(usual, title=title, verdict=replace(usual.verdict, answer="move"), **changes)
    return save_plan(folder, replace(release, name=name), promised)


@pytest.mark.slow
def test_the_newest_plan_of_an_earlier_release_is_judged_again(release, review, tmp_path):
    """A plan that promised much from moves that this release does not support no longer holds."""
    assert review("2009-02-001") is None
    save(release, tmp_path, "2009-02-001", "Older")
    save(release, tmp_path, "2009-02-001", "Newer")
    outcome = review("2009-03-001", "2009-02-001")
    answer = advice.read_advice(release).plan.answer
    assert answer != "move"
    assert (outcome.title, outcome.release, outcome.then, outcome.now) == ("Newer", "2009-02-001", "move", answer)
    assert not outcome.holds


@pytest.mark.slow
def test_a_plan_of_a_later_release_is_no_plan_of_before(release, review, tmp_path):
    """When an older release is shown, plans of newer ones, and its own, say nothing of what was planned before it."""
    save(release, tmp_path, "2009-02-001", "Before")
    save(release, tmp_path, release.name, "Its own")
    save(release, tmp_path, "2030-01-001", "After")
    assert review("2009-02-001").title == "Before"
    assert review() is None


@pytest.mark.slow
def test_of_a_plan_whose_moves_are_impossible_now_there_is_no_answer(release, review, tmp_path):
    moves = advice.read_advice(release).plan.moves
    moved = tuple(replace(move, units=move.units + 500) for move in moves)
    save(release, tmp_path, "2009-02-001", "Too many", moves=moved)
    outcome = review("2009-02-001")
    assert (outcome.now, outcome.holds) == ("", False)


@pytest.mark.slow
def test_plans_that_cannot_be_read_or_move_nothing_are_passed_over(release, review, tmp_path):
    save(release, tmp_path, "2009-02-001", "Good")
    save(release, tmp_path, "2009-02-001", "Nothing moves", moves=())
    manifest = save(release, tmp_path, "2009-02-001", "Damaged").folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"posts_drafted"', '"posts_drafts"'))
    assert review("2009-02-001").title == "Good"
