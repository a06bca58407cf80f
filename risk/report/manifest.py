"""The manifest of a risk result, read as plain classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from data.release import Release
from risk.access.tables import TravelNotes
from risk.evaluation import Verdict
from risk.evaluation.baselines import HISTORICAL_MEAN
from risk.evaluation.calibration import Calibration
from risk.evaluation.forecast_ledger import TrackRecord
from risk.evaluation.model_checks import Check
from risk.evaluation.risk_model import MODEL
from risk.model.detection import DetectionRange
from risk.report import KIND
from risk.report.safeguards import Drift, ProxyCheck, read_drift
from risk.report.shift import AreaShift, YearShare
from risk.report.trends import Trends


@dataclass(frozen=True)
class Sensitivity:
    """How many statements there are, and how many `stand` in all scenarios.

    scenarios : what is assumed, its value, and how many statements fall, of each.
    """

    statements: int
    stand: int
    scenarios: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class ModelCard:
    """The description of the model.

    gamma : the exponent of outreach, mean and standard deviation. interpolated : whether any population is
    interpolated between two censuses. share_found : lowest and highest share (0 to 1) of the children in need who were
    met, by country, where the release has an interval of their number; share_assumed : the range for all other
    countries.
    """

    areas: int
    first: str
    last: str
    gamma: tuple[float, float]
    used: tuple[str, ...]
    never_used: tuple[str, ...]
    sensitivity: Sensitivity | None
    interpolated: bool
    countries: tuple[str, ...]
    share_assumed: tuple[float, float]
    share_found: Mapping[str, tuple[float, float]]

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> ModelCard:
        """Read the card of a result; settings that results of earlier versions lack get default values."""
        mean, spread = (float(value) for value in values["gamma"])
        usual = DetectionRange()
        least, most = values.get("share_assumed") or (usual.low, usual.high)
        return cls(
            int(values["areas"]),
            str(values["first"]),
            str(values["last"]),
            (mean, spread),
            tuple(values["used"]),
            tuple(values["never_used"]),
            _read_sensitivity(values.get("sensitivity") or {}),
            bool(values.get("interpolated", False)),
            tuple(values.get("countries", ())),
            (float(least), float(most)),
            {str(code): (float(low), float(high)) for code, (low, high) in (values.get("share_found") or {}).items()},
        )


def _read_sensitivity(values: Mapping[str, Any]) -> Sensitivity | None:
    if "scenarios" not in values:  # the public tier, and results of earlier versions
        return None
    scenarios = ((str(assumption), str(value), int(fallen)) for assumption, value, fallen in values["scenarios"])
    return Sensitivity(int(values["statements"]), int(values["stand"]), tuple(scenarios))


@dataclass(frozen=True, eq=False)
class EvaluationSummary:
    """The accuracy of the model and its baselines.

    scores : columns forecaster, ahead (quarters) and crps, the mean error in children. calibration : columns
    forecaster and in_50, in_80, in_95, the share of counts inside each interval. hits : columns forecaster,
    of (areas or hours), budget (share of them), hit_rate (share of children found there), hit_low, hit_high. Shares
    are from 0 to 1.
    """

    verdicts: tuple[Verdict, ...]
    scores: pd.DataFrame
    calibration: pd.DataFrame
    hits: pd.DataFrame

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the model against the historical mean; None if they were not compared."""
        pairs = {(verdict.name, verdict.baseline): verdict for verdict in self.verdicts}
        return pairs.get((MODEL, HISTORICAL_MEAN))

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> EvaluationSummary:
        """Read the summary from the plain values that `risk.evaluation` returns."""
        tables = (pd.DataFrame(values.get(name, ())) for name in ("scores", "calibration", "hits"))
        # Results of earlier versions do not have the number of counts.
        verdicts = (Verdict.read(verdict) for verdict in values.get("verdicts", ()) if "counts" in verdict)
        return cls(tuple(verdicts), *tables)


@dataclass(frozen=True, eq=False)
class RiskManifest:
    """The manifest of a result of the risk model.

    years : first day of the first year and last day of the last year that shifts compare; empty texts without shifts.
    shares : of internal trafficking, in each complete year; empty in results of earlier versions. checks : the proxy
    audit; None on the public tier, which is not audited. finds_alone, corrected : the feedback test of two rules of
    learning; None on the public tier. evaluation : None if the accuracy of the model was not measured. travel : None on
    the public tier. track_record : the scores of registered forecasts, None while no forecast quarter has counts.
    ledger_problem : what is wrong with the ledger; empty if nothing is. model_checks : of the fit; empty on the public
    tier and in results of earlier versions. calibration : None if it was not measured.
    """

    created: str
    card: ModelCard
    years: tuple[str, str]
    shifts: tuple[AreaShift, ...]
    trends: Trends
    checks: tuple[ProxyCheck, ...] | None
    finds_alone: Drift | None
    corrected: Drift | None
    evaluation: EvaluationSummary | None
    travel: TravelNotes | None
    track_record: TrackRecord | None = None
    shares: tuple[YearShare, ...] = ()
    ledger_problem: str = ""
    model_checks: tuple[Check, ...] = ()
    calibration: Calibration | None = None


def read_calibration(values: Mapping[str, Any]) -> Calibration | None:
    """Read the calibration from a manifest; None if it was not measured."""
    simulation = (values.get("evaluation") or {}).get("simulation")
    return Calibration(**simulation) if simulation else None


def read_manifest(release: Release) -> RiskManifest | None:
    """Read the manifest of the risk model's result for a release; None if there is no such result."""
    result = release.result(KIND)
    if result is None:
        return None
    values = result.manifest
    statements, safeguards = values.get("statements") or {}, values.get("safeguards") or {}
    evaluation = values.get("evaluation") or {}
    return RiskManifest(
        created=str(values.get("created", "")),
        card=ModelCard.read(values["card"]),
        years=(str(statements.get("first_year", "")), str(statements.get("last_year_ends", ""))),
        shifts=tuple(AreaShift.read(shift) for shift in statements.get("shifts", ())),
        trends=Trends.read(statements.get("trends") or {}),
        checks=tuple(ProxyCheck(**check) for check in safeguards.get("proxy") or ()) if safeguards else None,
        finds_alone=read_drift(safeguards, "finds_alone"),
        corrected=read_drift(safeguards, "corrected"),
        evaluation=EvaluationSummary.read(evaluation) if "scores" in evaluation else None,
        travel=TravelNotes.read(values["travel"]) if values.get("travel") else None,
        track_record=TrackRecord.read(values["track_record"]) if values.get("track_record") else None,
        shares=tuple(YearShare.read(share) for share in statements.get("shares", ())),
        ledger_problem=str(values.get("ledger_problem", "")),
        model_checks=tuple(Check(**check) for check in values.get("checks", ())),
        calibration=read_calibration(values),
    )
