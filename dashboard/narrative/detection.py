"""Sentences on how many children are in need and what share of them was met, for the pages and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from dashboard.site.text import _, format_number, translate
from data.capture import Reason
from data.message import mark
from data.release import Release
from data.tables.spec import table_name

if TYPE_CHECKING:
    from risk.report.manifest import ModelCard

INTERVALS = table_name("dark_figure", "country", "whole")
REASONS: Mapping[Reason, str] = {
    "few_lists": mark("fewer than three partners have met children here."),
    "no_estimate": mark("the partners' lists overlap in a way that allows any number."),
    "little_overlap": mark("too few children were met by two partners or more."),
    "models_disagree": mark("models that fit equally well give numbers that differ more than threefold."),
    "too_wide": mark("the upper end would be more than five times the lower one."),
}


# Of 100 very likely statements, how many were right in invented worlds: benchmarks/studies/spread.py, 23 of each kind.
_RIGHT = {"spread": "0.35", "right": "93", "wide": "0.5", "fewer": "84"}


def word_spread() -> str:
    """Return the sentence that says up to which spread of detection between areas the words for certainty hold."""
    return _(
        "The words hold as long as areas differ in how well teams find children by a spread of up to {spread} "
        "(standard deviation of the log): of 100 “very likely” at least {right} were right in invented worlds. At a "
        "spread of {wide} only {fewer} were, so there the words would not hold.",
        **{name: translate(number) for name, number in _RIGHT.items()},
    )


def describe_intervals(intervals: pd.DataFrame, names: Mapping[str, str]) -> list[str]:
    """Return a sentence for each country: how many children are in need, met or not, or why this cannot be told.

    intervals : the table INTERVALS; without rows, as on the public tier, there are no sentences. names : the names of
    the countries, by code.
    """
    sentences = []
    for row in intervals.to_dict("records"):
        country = names[str(row["area"])]
        if row["state"] == "class":
            ends = (format_number(float(row[end])) for end in ("low", "high"))
            sentences.append(format_interval(country, *ends))
        else:
            sentences.append(format_reason(country, row["reason"]))
    return sentences


def format_interval(country: str, least: str, most: str) -> str:
    """Return the sentence on how many children are in need in a country; least, most : the ends of the interval."""
    return _("{country}: {least} to {most} children in need, met or not.", country=country, least=least, most=most)


def format_reason(country: str, reason: Reason) -> str:
    """Return the sentence that says why the number of children in need in a country cannot be told."""
    template = _("{country}: how many children are in need, met or not: cannot tell; {reason}")
    return template.format(country=country, reason=_(REASONS[reason]))


def describe_share_found(card: ModelCard, names: Mapping[str, str], release: Release) -> list[str]:
    """Return sentences on the share of the children in need that the risk model takes as met, for each country.

    names : the names of the countries, by code. Empty if the model used published intervals that the release does not
    show now, for example because their approval was withdrawn after the model was fitted.
    """
    if card.share_found and INTERVALS not in release.tables:
        return []
    sentences = [
        _(
            "{country}: {least} to {most} % of the children in need were met. This follows from the published interval "
            "of how many there are, and so from children whom several partners met. If some children are much "
            "harder to meet than others, it was less.",
            country=names[code],
            least=format_number(round(100 * low)),
            most=format_number(round(100 * high)),
        )
        for code, (low, high) in card.share_found.items()
    ]
    least, most = (format_number(round(100 * share)) for share in card.share_assumed)
    if not card.share_found:
        template = _(
            "The model assumes that {least} to {most} % of the children in need were met: the release has no interval "
            "of how many there are."
        )
    elif set(card.countries) - set(card.share_found):
        template = _("For the other country the model assumes that {least} to {most} % were met: it has no interval.")
    else:
        return sentences
    return [*sentences, template.format(least=least, most=most)]
