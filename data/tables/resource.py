"""The description of a table in a Data Package: columns, types, title and unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from data.schema.vocabulary import COUNTRIES, MEASURES, STATUSES
from data.tables.spec import CATEGORIES, LEVELS, OPEN_ALONE
from data.tables.states import STATES

DOI_ADDRESS = "https://doi.org/"  # before a DOI, in the "id" of a Data Package
# Why there is no interval of the dark figure; empty where there is one.
_REASONS = ("few_lists", "little_overlap", "no_estimate", "models_disagree", "too_wide", "no_fit", "")
# What each column of codes may hold.
_CODES: Mapping[str, tuple[str, ...]] = {
    **CATEGORIES,
    "state": STATES,
    "reason": _REASONS,
    "level": LEVELS,
    "country": tuple(COUNTRIES),
    "measure": tuple(MEASURES),
    "status": tuple(STATUSES),
    "counts": ("people", "services", "things"),
    "record": ("outreach", "reported", "discovered", "all"),
}
_COLUMNS = {
    "area": "Code of the area; see the resource areas.",
    "period": "The period, as an ISO 8601 interval: a start and a length, or a first and a last day.",
    "value": "The number, if the state is number. The method says whether it has noise.",
    "state": f"What the cell is: {', '.join(STATES)}.",
    "margin": "The margin: the largest possible distance between the number and the true number; empty if "
    "the number has no noise.",
    "reconciled": "The whole number nearest to the published ones with which parts add up to totals; empty if the cell "
    "shows neither a number nor a published zero.",
    "low": "Lower limit of the range, if the state is class.",
    "high": "Upper limit of the range; empty if there is none.",
    "reason": f"Why there is no interval, if the state is cannot_tell: {', '.join(filter(None, _REASONS))}.",
    "number": "The figure as published, where it is a number.",
    "share": "The figure as published, where it is a share, from 0 to 1.",
    "source": "Who published the figure; begins with “Invented” if it was made up.",
    "invented": "Whether the figure was invented for practice; figures that come with the product are real.",
    "origin": "Code of the area that the children come from; column area is where they were taken.",
    "crossing": "internal, or cross_border.",
    "return_way": "The way home of children who were first met, in this area, while returning.",
    "duty_bearer": "Who runs the service. Without an axis beside it: services of prevention and coordination alone.",
    "carrier": "Who carries the service: partner, shared, handed_over, returned, or state (all along); services of "
    "prevention and coordination alone.",
    "help": "Kind of help that the service gives; one with several kinds counts once in each. Services of prevention "
    "and coordination alone.",
    "indicator": "The code of the indicator.",
    "unit": "What the indicator counts.",
    "counts": "How the indicator is protected: as people, services or things.",
    "target": "The value that should be reached, if there is one.",
    "partner": "The partner who gives the number.",
    "alpha": "First parameter of the Beta law of the share of a quarter's children that has come by now; see beta.",
    "beta": "Second parameter of that law.",
    "record": "What the partner sent: outreach (days), or children who were reported or discovered; of children only "
    "whether they were at least the threshold, decided on a number with noise.",
}
UNITS = {
    "children": "children",
    "encounters": "encounters",
    "effort": "outreach days",
    "services": "services",
    "staff": "people",
    "capacity": "service places",
    "communities": "people (estimate)",
    "flows": "children",
    "returns": "children",
    "model": "children",
    "families": "families",
    "household_children": "children whose household number is known",
    "dark_figure": "children, met or not (estimate)",
}


def describe_resource(
    name: str, path: str, sha256: str, size: int, schema: pa.Schema, about: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the description of a Parquet file for the manifest of a Data Package.

    sha256: its checksum. size: bytes. about: what the product itself needs to know of a table of a release, such as its
    measure; None for other files, which get no title.
    """
    measure = str(about["measure"]) if about is not None else ""
    fields = [_describe_field(schema.field(i), measure) for i in range(len(schema))]
    described: dict[str, Any] = {
        "name": name,
        "path": path,
        "profile": "data-resource",
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": size,
        "hash": sha256,
        "schema": {"fields": fields},
    }
    if about is not None:
        described["title"] = _format_title(about)
        described["tact"] = dict(about)
    return described


def _describe_field(field: pa.Field, measure: str) -> dict[str, Any]:
    """Return the description of a column.

    A table of a result has no measure (""), and may have other codes in a column of the same name.
    """
    kind = "string"
    if pa.types.is_integer(field.type):
        kind = "integer"
    elif pa.types.is_floating(field.type):
        kind = "number"
    elif pa.types.is_boolean(field.type):
        kind = "boolean"
    elif pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
        kind = "any"  # WKB
    described: dict[str, Any] = {"name": field.name, "type": kind}
    if field.name in _COLUMNS:
        described["description"] = _COLUMNS[field.name]
    if field.name in _CODES and (measure or field.name in ("level", "country")):
        # An indicator may have no axis or no duty bearer.
        empty = ("",) if measure == "indicators" and field.name in CATEGORIES else ()
        described["constraints"] = {"enum": [*_CODES[field.name], *empty]}
    return described


def _format_title(about: Mapping[str, Any]) -> str:
    if about["measure"] == "figures":
        return "Published figures, copied unchanged" + (", some invented" if about["invented"] else "")
    if about["measure"] == "indicators":
        return "Indicators of the programme, with targets"
    if about["measure"] == "completeness":
        return "What each partner sent, by country and quarter"
    if about["measure"] == "late":
        return "How much of the last quarter has come, by country"
    by = f", by {' and '.join(about['breakdown'])}" if about["breakdown"] else ""
    open_alone = ", prevention and coordination alone" if tuple(about["breakdown"]) in OPEN_ALONE else ""
    return f"{UNITS[about['measure']]} by {about['level']} and {about['grain']}{by}{open_alone}".capitalize()
