"""Which statements stand whatever is assumed: each is judged again in scenarios, docs/risk-model.md eq. (140), (141).

A scenario changes one assumption: the share of the children in need who are found, how much it differs between areas,
the exponent of effort, or a partner whose cells are set aside. Detection is judged with the same fit; the others need a
fit of their own. A share common to all areas changes no rate and no rank, only numbers of children.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from data.release import Release
from data.release.completeness import read_completeness
from data.release.result import Table
from data.workspace.types import Floats, Progress
from risk.laplace.likelihood import MISSING
from risk.model import RiskModel
from risk.model.burden import judge_burden
from risk.model.detection import DetectionRange, draw_yearly_need, judge_need
from risk.model.observations import Observations
from risk.model.spread import SPREADS
from risk.model.statements import NONE, Statements
from risk.report.tables import SEED, JudgedFit, judge_fit

Topic = Literal["rate", "burden", "change"]
Assumption = Literal["share", "spread", "gamma", "partner"]
_LARGE = 1 / 3  # of the days of a country and quarter
SHARES, GAMMAS = (0.05, 0.4), (0.4, 0.6, 1.0)
_BY_LOOK = ("chances", "position", "probability", "sure", "sure_probability")


@dataclass(frozen=True, eq=False)
class Scenario:
    """The statements if an assumption has another value.

    value : the share, spread or exponent, or the code of the partner. statements : on areas and pathways, (A, P).
    children : newly in need in a quarter, median, (A, P).
    """

    assumption: Assumption
    value: str
    statements: Mapping[Topic, Statements]
    children: Floats


def set_partners_aside(release: Release, observations: Observations) -> dict[str, Observations]:
    """Return the observations without the cells that rest on a partner, by its name; for each with such cells.

    A release has no counts by partner. Set aside is what was discovered in a country and quarter in which the partner
    has a third or more of the outreach days: eq. (141).
    """
    completeness = read_completeness(release)
    if completeness is None:
        return {}
    way, left = observations.ways.index("discovered"), dict[str, Observations]()
    days = pd.DataFrame(completeness.days, pd.MultiIndex.from_tuples(completeness.senders), completeness.quarters)
    every, partners = days.groupby(level=0).sum(), days.index.get_level_values(1)
    for partner in sorted(set(partners)):
        share = days[partners == partner].droplevel(1) / every
        aside = (share.reindex(observations.countries, columns=observations.quarters) >= _LARGE).to_numpy()
        published = observations.published.copy()
        published[aside, :, way] = MISSING
        if aside.any():
            left[str(partner)] = replace(observations, published=published)
    return left


def judge_scenarios(
    judged: JudgedFit, model: RiskModel, without: Mapping[str, Observations], progress: Progress
) -> list[Scenario]:
    """Judge the statements in each scenario.

    without : the observations with the cells of a partner set aside, by the code of the partner. Raises NoMode if the
    model cannot be fitted in a scenario.
    """
    scenarios = [_collect("share", f"{v:g}", _assume(judged, common=DetectionRange(v, v))) for v in SHARES]
    scenarios += [_collect("spread", f"{v:g}", _assume(judged, spread=v)) for v in SPREADS]
    fits: list[tuple[Assumption, str, dict[str, float], Observations]] = [
        *(("gamma", f"{v:g}", {"gamma": v}, judged.observations) for v in GAMMAS),
        *(("partner", code, {}, observations) for code, observations in without.items()),
    ]
    for done, (assumption, value, settings, observations) in enumerate(fits):
        progress(done, len(fits), "Trying other assumptions")
        fit = RiskModel(**model.get_params() | settings).fit(observations).fit_
        scenarios.append(_collect(assumption, value, judge_fit(fit)))
    return scenarios


def _assume(judged: JudgedFit, spread: float | None = None, common: DetectionRange | None = None) -> JudgedFit:
    """Judge rates and numbers of children again with the same fit, but another spread or common share."""
    observations, draws = judged.observations, judged.fit.draws(len(judged.need), SEED, spread)
    whole = judge_need(judged.fit.average(draws.log_need_rate), observations)
    if common is not None:  # also in a country whose share follows from an interval
        observations = replace(observations, share_found={})
    return replace(judged, whole=whole, need=draw_yearly_need(draws, observations, SEED, common))


def _collect(assumption: Assumption, value: str, judged: JudgedFit) -> Scenario:
    burden = judge_burden(judged.need, judged.observations.country_of)
    statements: dict[Topic, Statements] = {"rate": judged.whole.statements, "burden": burden.statements}
    if judged.changed is not None:
        looks = judged.changed.statements
        last: dict[str, Any] = {name: getattr(looks, name)[..., -1, :] for name in _BY_LOOK}
        statements["change"] = replace(looks, **last)
    return Scenario(assumption, value, statements, burden.children[1])


def make_sensitivity_table(judged: JudgedFit, scenarios: Sequence[Scenario]) -> Table:
    """Return a table with a row for each area, pathway, topic and scenario: whether what is said stands, eq. (140).

    Countries of which nothing is said are left out. statement : code of the statement of the result, empty without one.
    probability : of this statement in the scenario. stands : whether that is enough for it to be made. instead : code
    of the statement that would be. value : children newly in need, of the topic burden.
    """
    base, observations, frames = _collect("share", "", judged), judged.observations, []
    for scenario in scenarios:
        for topic, statements in base.statements.items():
            there = scenario.statements[topic]
            probability, stands = statements.compare(there)
            frames.append(
                pd.DataFrame(
                    {
                        "area": np.repeat(observations.areas, len(observations.pathways)),
                        "period": observations.whole_time,
                        "crossing": np.tile(observations.pathways, len(observations.areas)),
                        "state": np.where(statements.position.ravel() == NONE, "cannot_tell", "number"),
                        "value": scenario.children.ravel() if topic == "burden" else np.nan,
                        "statement": statements.codes.ravel(),
                        "probability": probability.ravel(),
                        "stands": stands.ravel(),
                        "instead": there.codes.ravel(),
                        "topic": topic,
                        "assumption": scenario.assumption,
                        "setting": scenario.value,
                    }
                )
            )
    rows = pd.concat(frames, ignore_index=True)
    rows = rows[~rows["area"].isin(list(observations.silent_places))]
    ordered = pa.Table.from_pandas(rows, preserve_index=False)
    return Table("sensitivity", "region", "whole", ("crossing",), "What stands whatever is assumed", ordered)


def summarise_sensitivity(table: Table) -> dict[str, Any]:
    """Return how many statements stand in all scenarios, and how many fall in each, as plain values: eq. (141)."""
    rows = table.rows.to_pandas()
    fallen = (~rows["stands"] & (rows["state"] == "number")).groupby([rows["assumption"], rows["setting"]], sort=False)
    stand = rows[rows["state"] == "number"].groupby(["area", "crossing", "topic"])["stands"].all()
    return {
        "statements": len(stand),
        "stand": int(stand.sum()),
        "scenarios": [[*scenario, int(count)] for scenario, count in fallen.sum().items()],
    }
