"""`tact risk`: the result of the risk model for a release, as tables of the same tier beside the release.

A result of the public tier is calculated from public numbers only. It contains no more information about a child
than they do (the data processing inequality), so the membership attack on the public numbers covers it. In the same way
a result of the partner tier, also that of municipalities, is calculated only from the numbers of its release. See
data/release/derived.py for where it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from data.errors import ReleaseError, WorkspaceError
from data.release import Release, derived
from data.release.completeness import Finding, Questions, sort_gaps
from data.release.result import Result, Table
from data.tables.population import is_between_censuses
from data.workspace.hash_chain import append_entries, read_chain
from data.workspace.threads import on_one_thread
from data.workspace.types import Progress
from geo import areas as geography
from risk.access import tables as access_tables
from risk.evaluation import forecast_ledger
from risk.evaluation.model_checks import Check, check_fit
from risk.evaluation.risk_model import build_panel
from risk.model import Fit, RiskModel
from risk.model.breaks import Break
from risk.model.expected import compute_finding_factor
from risk.model.municipalities import MunicipalFit, fit_municipalities
from risk.model.observations import Observations
from risk.report import safeguards, tables
from risk.report.gaps import describe_gaps, find_turns
from risk.report.model_card import describe_municipalities, describe_parameters, make_model_card
from risk.report.sensitivity import judge_scenarios, make_sensitivity_table, set_partners_aside, summarise_sensitivity
from risk.report.shift import describe_shifts
from risk.report.steps import read_country_counts
from risk.report.tables import JudgedFit
from risk.report.trends import describe_trends

KIND = "risk"
_REACHES = 400  # draws of the children that outreach finds, for a step of the level


@dataclass(frozen=True, eq=False)
class Assessment:
    """The results of the model for a release before they are written: tables, content of the manifest, and the fit."""

    tables: tuple[Table, ...]
    about: Mapping[str, Any]
    judged: JudgedFit


@on_one_thread
def assess(
    release: Release,
    folder: Path,
    *,
    model: RiskModel | None = None,
    evaluation: Mapping[str, Any] | None = None,
    times: access_tables.Times | None = None,
    breaks: Sequence[Break] = (),
    questions: Questions | None = None,
    progress: Progress | None = None,
) -> Result:
    """Compute the result for one tier of a release and write it into `folder`, the folder of derived results.

    Arguments and errors are those of `compute_result`. The forecasts of the partner tier are registered. Raises
    ReleaseDamaged if the manifest of an earlier result was changed.
    """
    tell = progress or (lambda *_: None)
    assessment = compute_result(
        release, model=model, evaluation=evaluation, times=times, breaks=breaks, questions=questions, progress=progress
    )
    registered = _register_forecasts(release, folder, assessment.judged) if release.tier == "partner" else {}
    result = derived.publish(folder, release, KIND, assessment.tables, {**assessment.about, **registered})
    tell(3, 3, "Done")
    return result


@on_one_thread
def compute_result(
    release: Release,
    *,
    model: RiskModel | None = None,
    evaluation: Mapping[str, Any] | None = None,
    times: access_tables.Times | None = None,
    breaks: Sequence[Break] = (),
    questions: Questions | None = None,
    progress: Progress | None = None,
) -> Assessment:
    """Fit the model to one tier of a release; nothing is written.

    `evaluation` holds the plain values of an evaluation of `risk.evaluation`, with those of a calibration, which are
    added to the manifest; `times` are entered travel times; `breaks` are accepted series breaks, which only the partner
    tier uses; `questions` are what is missing, by default without any answer. Raises ReleaseError if the release has no
    table or population to fit, InputError if the model's likelihood is unknown, and NoMode if the posterior of a fit
    has no proper mode.
    """
    tell, model, times = progress or (lambda *_: None), model or RiskModel(), times or access_tables.Times()
    tell(0, 3, "Reading")
    areas = geography.read_areas(release.areas_file)
    partner = release.tier == "partner"
    questions = questions or sort_gaps(release)
    observations = (
        Observations.from_release(release, areas) if partner else Observations.from_public_release(release, areas)
    )
    if partner:  # within a country, where public classes compare areas, most breaks cancel out
        observations = replace(observations, breaks=tuple(breaks), turns=find_turns(release, questions.answers))
        observations = observations.leave_out(questions.late)
    tell(1, 3, "Fitting")
    fit = model.fit(observations).fit_
    municipal = _fit_municipalities(release, areas, fit, questions.late, tell) if partner else None
    tell(2, 3, "Judging")
    judged = tables.judge_fit(fit)
    without = None
    if questions.open:
        tell(2, 3, "Fitting without what is incomplete")
        without = tables.judge_fit(RiskModel(**model.get_params()).fit(observations.leave_out(questions.open)).fit_)
    evaluation = dict(evaluation or {})
    sensitivity, statements, checks = dict[str, Any](), dict[str, Any](), list[Check]()
    if partner:
        checks = check_fit(judged.draws, observations, tables.SEED)
        listed = list(tables.make_partner_tables(judged, areas, evaluation))
        rest = list(tables.make_municipal_tables(judged, municipal)) if municipal is not None else []
        rest += access_tables.make_access_tables(release, areas, observations, judged.draws, times, tables.SEED)
        statements = _describe_time(release, fit, breaks)
        # A fit keeps its last draws until another one draws: each scenario has a fit, so they come last.
        scenarios = judge_scenarios(judged, model, set_partners_aside(release, observations), tell)
        listed.append(make_sensitivity_table(judged, scenarios))
        sensitivity = summarise_sensitivity(listed[-1])
        listed += rest
    else:
        listed = list(tables.make_public_tables(judged))
    about = {
        "parameters": {**describe_parameters(fit), **model.get_params()},
        "card": {
            **make_model_card(judged, municipal=municipal is not None),
            "sensitivity": sensitivity,
            "interpolated": is_between_censuses(release.table("figures"), observations.quarters),
        },
        "statements": statements,
        "safeguards": safeguards.check_safeguards(release, observations, judged.log_risk) if partner else {},
        "evaluation": evaluation,
        **({"checks": [asdict(check) for check in checks]} if partner else {}),
        **({"travel": access_tables.describe_travel(times)} if partner else {}),
        "gaps": describe_gaps(questions, judged, without),
        **({} if municipal is None else {"municipalities": describe_municipalities(municipal)}),
    }
    return Assessment(tuple(listed), about, judged)


def _fit_municipalities(
    release: Release, areas: geography.Areas, regions: Fit, late: Sequence[Finding], tell: Progress
) -> MunicipalFit | None:
    """Fit the municipalities inside the regions; None if the release does not have their counts and population."""
    try:
        observations = Observations.from_release(release, areas, "municipality").leave_out(late)
    except ReleaseError:
        return None
    return fit_municipalities(regions, observations, lambda step, total, _: tell(step, total, "Fitting municipalities"))


def _register_forecasts(release: Release, folder: Path, judged: JudgedFit) -> dict[str, Any]:
    """Register the forecasts in the ledger, once for each release; return its head and scores for the manifest.

    A release that has neither counts nor outreach is not registered. If the ledger is damaged, this returns what is
    wrong with it instead, and the risk is still calculated.
    """
    path, observations = folder / derived.LEDGER, judged.observations
    chain = read_chain(path)
    history = build_panel(observations)
    silent = observations.silent_places
    if not silent.issuperset(history.areas) and not forecast_ledger.is_registered(chain, release, history):
        forecasts = forecast_ledger.draw_forecasts(observations, judged.draws)
        entry = forecast_ledger.make_entry(
            release, history, forecasts, forecast_ledger.find_last_quarter(release), judged.whole.exceeding,
            silent=silent,
        )  # fmt: skip
        try:
            chain = append_entries(path, [entry])
        except WorkspaceError as error:
            return {"ledger_problem": str(error)}
    if chain.problems:
        return {"ledger_problem": " ".join(chain.problems)}
    number, head = chain.head
    record = forecast_ledger.score_ledger(chain, observations)
    return {"ledger": {"number": number, "sha256": head}, "track_record": None if record is None else asdict(record)}


@on_one_thread
def reconstruct_forecasts(release: Release, folder: Path) -> None:
    """Register the forecasts that would have been made before each of the last quarters, for invented data only.

    Raises WorkspaceError if the ledger is damaged.
    """
    observations = Observations.from_release(release)
    append_entries(folder / derived.LEDGER, list(forecast_ledger.reconstruct_entries(release, observations)))


def _describe_time(release: Release, fit: Fit, breaks: Sequence[Break]) -> dict[str, Any]:
    """Return the shift to internal trafficking, and the breaks and changes of counts, as plain values."""
    kappa = fit.hyper.get("kappa", (0.0, 0.0))[0]
    draws, observations = fit.draws(tables.DRAWS, tables.SEED), fit.observations
    reach = compute_finding_factor(observations, draws.gamma[:_REACHES], draws.gap[:_REACHES])
    countries = read_country_counts(release, observations)
    trends = describe_trends(observations, kappa, reach * observations.expected, countries)
    return {**describe_shifts(release, kappa, breaks, tables.SEED), "trends": trends}
