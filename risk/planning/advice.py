"""What `tact risk` prepares for the first screen: need that today's outreach does not meet, and the usual plan.

Both start from the posts that the release shows. Unmet need is need minus what those posts meet, docs/planner.md eq.
(17), draw by draw; the need is that of risk/report/tables.py, with the same draws. The plan has the usual settings. A
plan that people saved for an earlier release is judged again: would this release still advise its moves?
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from data.errors import InputError, ReleaseError
from data.release import Release, derived
from data.release.result import Table
from data.tables.periods import Period
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats
from risk.model import Fit
from risk.model.burden import judge_burden
from risk.model.detection import draw_yearly_need
from risk.model.observations import Observations
from risk.model.statements import say_nothing_of
from risk.numbers import round_to_two_digits
from risk.planning import posts as tables
from risk.planning.benefit import compute_met
from risk.planning.inputs import PlanInputs, Setting, make_plan
from risk.planning.problem import Decision
from risk.planning.saved import OLD_ANSWERS, SavedPlan, list_all_saved_plans, read_plan, write_plan
from risk.planning.summary import Author, PlanSummary, summarise_plan
from risk.planning.verdict import Answer
from risk.report.tables import DRAWS, SEED

KIND = "advice"
TITLE = "The usual plan"
UNMET = "unmet_region_quarter"
_ENDS = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class PlanReview:
    """A plan of an earlier release, judged again.

    then, now : what the plan advises by its own release and by this one (see risk/planning/verdict.py); `now` is empty
    if the plan cannot be made again. probability : that by this release its net gain in the year is above 0.
    """

    plan: str
    title: str
    release: str
    then: Answer
    now: Answer | str
    probability: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the plan still advises the same."""
        return self.then == self.now


@dataclass(frozen=True)
class Advice:
    """The plan with the usual settings, and the review of the newest plan of an earlier release.

    Each is None if there is no such plan.
    """

    plan: PlanSummary | None = None
    review: PlanReview | None = None


def prepare_advice(release: Release, folder: Path, fit: Fit, earlier: Collection[str] = ()) -> InputError | None:
    """Write unmet need and the usual plan beside a release of the partner tier, opened with its risk result.

    fit : the fit of the risk result. earlier : names of the releases before this one, whose plans are judged again.
    Nothing is written if the release lacks the inputs of a plan. If the usual plan cannot be made, its error is
    returned, and everything else is written. Raises ReleaseDamaged if the manifest of earlier advice was changed.
    """
    content = compute_advice(release, fit, _find_plan_to_review(folder, earlier))
    if content is None:
        return None
    derived.publish(folder, release, KIND, [content.unmet], content.about)
    return content.problem


@dataclass(frozen=True, eq=False)
class AdviceContent:
    """The advice before it is written: its table, the content of its manifest, and any error of the usual plan."""

    unmet: Table
    about: Mapping[str, Any]
    problem: InputError | None = None


@on_one_thread
def compute_advice(release: Release, fit: Fit, reviewed: SavedPlan | None = None) -> AdviceContent | None:
    """Compute unmet need and the usual plan, and judge a plan of an earlier release again; nothing is written.

    Returns None if the release lacks the inputs of a plan.
    """
    # Before those of the plan, since a fit remembers its last draws.
    need = draw_yearly_need(fit.draws(DRAWS, SEED), fit.observations, SEED).sum(axis=2)
    try:
        ground = PlanInputs.read(release, fit=fit)
    except ReleaseError:
        return None
    plan, problem = None, None
    if ground.table.units.sum():
        try:
            plan = make_usual_plan(release, ground)
        except InputError as error:
            problem = error
    review = None if reviewed is None else _judge_again(reviewed, ground)
    about = {"plan": None if plan is None else write_plan(plan), "review": None if review is None else asdict(review)}
    return AdviceContent(_make_unmet_table(fit.observations, ground, need), about, problem)


def make_usual_plan(release: Release, ground: PlanInputs) -> PlanSummary:
    """Return the plan with the usual settings; raises the errors of `make_plan` and `summarise_plan`."""
    setting, author = Setting(), Author("data officer", str(release.manifest["created"])[:10])
    return summarise_plan(ground, setting, make_plan(ground, setting), author, title=TITLE)


def read_advice(release: Release) -> Advice | None:
    """Read the advice that was prepared for a release; None without one. Raises InputError if its plan is damaged."""
    prepared = release.result(KIND)
    if prepared is None:
        return None
    plan, review = (prepared.manifest.get(name) for name in ("plan", "review"))
    if review:
        review = {**review, **{name: OLD_ANSWERS.get(review[name], review[name]) for name in ("then", "now")}}
    return Advice(read_plan(plan) if plan else None, PlanReview(**review) if review else None)


def _make_unmet_table(observations: Observations, ground: PlanInputs, need: Floats) -> Table:
    """Return the table of unmet need, from draws of the need of all pathways, (d, A)."""
    capacity, division = ground.posts.compute_capacity(ground.posts.units).sum(axis=1), ground.division
    need_met = division.sum_areas(compute_met(division.divide_need(need), capacity).T).T
    rows = _judge_unmet(need - need_met, need_met, observations.country_of)
    rows.insert(0, "area", observations.areas)
    rows.insert(1, "period", Period.parse(observations.quarters[-1]).id)
    rows = say_nothing_of(observations.silent_places, rows)
    title = "Children in need whom outreach of today does not reach, per quarter, average of the last year"
    return Table("unmet", "region", "quarter", (), title, pa.Table.from_pandas(rows, preserve_index=False))


def _judge_unmet(unmet: Floats, need_met: Floats, country_of: Any) -> pd.DataFrame:  # noqa: ANN401 (positions of countries)
    """Return a row for each area, from draws of unmet need and of met need, (d, A) each.

    `first` is the probability that the area has the most unmet need in its country.
    """
    burden = judge_burden(unmet[:, :, None], country_of)
    low, middle, high = round_to_two_digits(burden.children[..., 0])
    met_low, met_middle, met_high = round_to_two_digits(np.quantile(need_met, _ENDS, axis=0))
    first = np.zeros(unmet.shape[1])
    for country in np.unique(country_of):
        inside = np.flatnonzero(country_of == country)
        winners = inside[unmet[:, inside].argmax(axis=1)]
        first += np.bincount(winners, minlength=len(first)) / len(unmet)
    return pd.DataFrame(
        {
            "value": middle, "state": "number", "lower": low, "upper": high,
            "met": met_middle, "met_lower": met_low, "met_upper": met_high,
            "rank": burden.rank[1, :, 0], "rank_first": burden.rank[0, :, 0], "rank_last": burden.rank[2, :, 0],
            "top": burden.top[:, 0], "first": first,
        }
    )  # fmt: skip


def _find_plan_to_review(folder: Path, earlier: Collection[str]) -> SavedPlan | None:
    """Return the newest saved plan with moves between counties or regions, made for one of the `earlier` releases.

    None if there is no such plan.
    """
    for plan in list_all_saved_plans([folder], "partner").plans:
        if plan.release in earlier and plan.summary.moves and plan.summary.setting.level == "region":
            return plan
    return None


def _judge_again(plan: SavedPlan, ground: PlanInputs) -> PlanReview:
    """Judge exactly the moves of a saved plan again, from the posts of that plan and the need of `ground`."""
    summary = plan.summary
    review = PlanReview(plan.name, summary.title, plan.release, summary.answer, "")
    if ground.blocked:
        return review
    setting = replace(summary.setting, moves=summary.verdict.moved, exploration=0.0, budget=None)
    moves = [Decision(move.start, move.end, move.kind, "accept", move.units) for move in summary.moves]
    try:
        at_that_time = ground.with_posts(tables.parse_posts("posts", summary.posts, ground.table.areas))
        again = make_plan(at_that_time, setting, moves)
    except (InputError, ReleaseError):
        return review
    return replace(review, now=again.answer, probability=round(again.year.probability, 4))
