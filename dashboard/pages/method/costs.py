"""The loss of accuracy through protection, in words and as a table, from the numbers of the release."""

from __future__ import annotations

import math

import pandas as pd

from dashboard.site.text import SEPARATORS, _, find_language, format_number, translate
from data.message import mark
from data.release import Release

_WHERE = {
    ("AL", "country"): mark("Albania"),
    ("AL", "region"): mark("Albania by county"),
    ("AL", "municipality"): mark("Albania by municipality"),
    ("GR", "country"): mark("Greece"),
    ("GR", "region"): mark("Greece by region"),
    ("GR", "municipality"): mark("Greece by municipality"),
}
_WHEN = {
    "month": mark("each month"),
    "quarter": mark("each quarter"),
    "year": mark("each year"),
    "whole": mark("whole programme"),
}
_SHARE = 100
_FEW = 10  # per cent; smaller shares are shown with a decimal


def format_headline(costs: pd.DataFrame) -> str:
    """Return a sentence on the accuracy that yearly numbers of counties and regions lose through protection.

    Empty if this is not known for both countries. costs : as `compute_cost` returns them.
    """
    rows = costs[(costs["level"] == "region") & (costs["grain"] == "year")].set_index("country")
    if not {"AL", "GR"} <= set(rows.index):
        return ""
    if rows["hidden"].notna().all():
        return _(
            "By county and year, about {al} of the children identified or met in Albania are in "
            "numbers that are not shown; by region and year, about {gr} in Greece.",
            al=_format_percent(rows["hidden"]["AL"]),
            gr=_format_percent(rows["hidden"]["GR"]),
        )
    if rows["relative"].isna().any():
        return ""
    return _(
        "A typical number for a county and year in Albania is about {al} away from the true number; "
        "for a region and year in Greece, about {gr}.",
        al=_format_percent(rows["relative"]["AL"]),
        gr=_format_percent(rows["relative"]["GR"]),
    )


def tabulate_costs(costs: pd.DataFrame) -> pd.DataFrame:
    """Return the loss of accuracy in words: a row for each country, area level and length of period."""
    rows = [
        (
            f"{_(_WHERE.get((row['country'], row['level']), row['country']))}, {_(_WHEN[row['grain']])}",
            _format_shown(row["cells"], row["shown"]),
            _format_hidden(row["hidden"], row["hidden_low"], row["hidden_high"]),
            _format_error(row["error"], row["relative"]),
        )
        for row in costs.to_dict("records")
    ]
    named = [
        _("Area level and period"),
        _("Numbers shown"),
        _("Children in numbers that are not shown"),
        _("Typical error"),
    ]
    frame = pd.DataFrame(rows, columns=named)
    return frame.loc[:, [name for name in frame if (frame[name] != "").any()]]


def list_notes(release: Release, costs: pd.DataFrame) -> list[str]:
    """Return sentences on how the columns are calculated, and on their limits."""
    sentences = [
        _(
            "There is one number for each area and period. All of this is calculated from published "
            "numbers; the true numbers are not used."
        ),
        _ESTIMATED if costs["hidden"].notna().any() else "",
        _WITHOUT if release.tier == "partner" else "",
        _(
            "Typical error: how far a shown number is expected to be from the true one, as far as the noise "
            "tells. In children it is the average; in per cent it is that of the number in the middle: half "
            "of the numbers are off by less, half by more, small ones most."
        ),
    ]
    return [_(sentence) for sentence in sentences if sentence]


_ESTIMATED = mark(
    "Children behind hidden numbers: what is published for the country, less all numbers that are shown. "
    "Both carry noise, so this is an estimate; 95 times in 100 the true share lies between the two values "
    "in brackets."
)
_WITHOUT = mark(
    "Where no number is shown, the state is “none or almost none” or “not searched”; a few numbers "
    "are withheld to protect people."
)


def _format_shown(cells: int, share: float) -> str:
    return _(
        "{shown} of {all} ({share})",
        shown=format_number(round(cells * share)),
        all=format_number(cells),
        share=_format_percent(share),
    )


def _format_hidden(share: float, low: float, high: float) -> str:
    if math.isnan(share):
        return ""
    if high == 0:
        return _("none")
    return _(
        "about {share} ({low} to {high})",
        share=_format_percent(share),
        low=_format_digits(low),
        high=_format_percent(high),
    )


def _format_error(children: float, relative: float) -> str:
    if math.isnan(children):
        return ""
    error = _("{children} children", children=translate(f"{children:.1f}"))
    return error if math.isnan(relative) else f"{error}, {_format_percent(relative)}"


def _format_percent(share: float) -> str:
    """Return a share (0 to 1) as text in per cent; empty for NaN."""
    return "" if math.isnan(share) else f"{_format_digits(share)}{SEPARATORS[find_language()][2]}%"


def _format_digits(share: float) -> str:
    """Return a share (0 to 1) as text in per cent without the sign, with a decimal if it is under 10 % and not 0."""
    value = _SHARE * share
    return translate(f"{value:.{0 if value >= _FEW or value == 0 else 1}f}")
