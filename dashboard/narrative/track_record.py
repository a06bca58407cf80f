"""Sentences and tables on registered forecasts and how accurate they were, for the page and the terminal."""

from __future__ import annotations

import pandas as pd

from dashboard.narrative.evaluation import fill_verdict
from dashboard.site.text import _, format_plural, translate
from risk.evaluation.forecast_ledger import TrackRecord
from risk.evaluation.risk_model import MODEL

_BETTER = (
    "The risk model's forecasts were better than the best of the others ({best}): log score {gained} a count "
    "(95 %: {low} to {high}; {counts} counts)."
)
_NOT_BETTER = (
    "The risk model's forecasts were not clearly better than the best of the others ({best}): log score {gained} a "
    "count (95 %: {low} to {high}; {counts} counts)."
)
_GENUINE = "Each forecast was registered before a release showed the numbers it is compared with."
_RECONSTRUCTED = (
    "Reconstructed on invented data: each forecast was calculated afterwards, from the quarters before it alone."
)
_WORSE = "By the weighted interval score, {names} did better than the risk model."
_NOTHING = "Forecasts are registered. None can be scored yet: no release shows a quarter that was forecast."


def list_sentences(record: TrackRecord | None) -> list[str]:
    """Return sentences on the registered forecasts, the most important first; `record` is None if none has scores."""
    if record is None:
        return [_(_NOTHING)]
    verdict, rows = record.verdict, {str(row["forecaster"]): row for row in record.scores}
    better = [name for name, row in rows.items() if row["wis"] < rows[MODEL]["wis"]]
    model = rows[MODEL]
    left_out = format_plural(
        "{count} number is not published, and left out for every forecast.",
        "{count} numbers are not published, and left out for every forecast.",
        record.left_out,
    )
    late = format_plural(
        "{count} forecast was registered late, and never counts.",
        "{count} forecasts were registered late, and never count.",
        record.late,
    )
    return [
        _(_RECONSTRUCTED if record.reconstructed else _GENUINE),
        _(_BETTER if verdict.beats else _NOT_BETTER, best=verdict.baseline, **fill_verdict(verdict)),
        _(
            "Of the published numbers, {half} lay in its 50 % interval, {most} in its 80 % and {all} in its 95 % "
            "interval. Intervals of whole numbers hold at least their share.",
            half=f"{model['in_50']:.0%}",
            most=f"{model['in_80']:.0%}",
            all=f"{model['in_95']:.0%}",
        ),
        *([_(_WORSE, names=", ".join(better))] if better else []),
        *([left_out] if record.left_out else []),
        *([late] if record.late else []),
    ]


def tabulate_record(record: TrackRecord) -> pd.DataFrame:
    """Return a table with the scores of each forecaster, a row for each, in the order of the record.

    The columns 50 %, 80 % and 95 % have the per cent of counts that lay in these intervals. "Top five" has the Brier
    score of the probabilities of being among the five areas with the most children; a dash if it is not known.
    """
    top = {row["forecaster"]: translate(f"{row['brier']:.3f}") for row in record.top}
    rows = [
        (
            row["forecaster"],
            *(translate(f"{row[name]:.3f}") for name in ("log", "wis", "crps")),
            *(f"{row[name]:.0%}" for name in ("in_50", "in_80", "in_95")),
            top.get(row["forecaster"], "–"),
        )
        for row in record.scores
    ]
    head = [_("Forecast"), _("Log score"), _("Interval score"), _("CRPS"), "50 %", "80 %", "95 %", _("Top five")]
    return pd.DataFrame(rows, columns=head)


def tabulate_transform(record: TrackRecord) -> pd.DataFrame:
    """Return a table with a row for each tenth of the model's forecast distribution.

    It has the per cent of published numbers that fall into the tenth: 10 % in each if forecasts are well calibrated.
    """
    row = next(row for row in record.scores if row["forecaster"] == MODEL)
    names = [f"{10 * tenth} – {10 * tenth + 10} %" for tenth in range(10)]
    values = [f"{row[f'pit_{tenth + 1}']:.0%}" for tenth in range(10)]
    return pd.DataFrame({_("Tenth of the forecast"): names, _("Share of numbers"): values})


def tabulate_areas(record: TrackRecord, names: pd.Series) -> pd.DataFrame:
    """Return a table with the scores of the model, a row for each area.

    names : the names of the areas by code; the code stands for a name that is missing. After the log score and the
    interval score, a slash is followed by the score of the best simple forecast.
    """
    rows = [
        (
            names.get(area.area, area.area),
            area.counts,
            f"{_format_score(area.log)} / {_format_score(area.log_best)}",
            f"{_format_score(area.wis)} / {_format_score(area.wis_best)}",
            f"{area.in_80:.0%}",
            f"{area.in_95:.0%}",
            _format_score(area.pit),
        )
        for area in record.areas
    ]
    head = [_("Area"), _("Counts"), _("Log score"), _("Interval score"), "80 %", "95 %", _("Mean place")]
    return pd.DataFrame(rows, columns=head)


def _format_score(score: float) -> str:
    return translate(f"{score:.2f}")
