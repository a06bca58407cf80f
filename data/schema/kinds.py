"""The six kinds of record, each column defined once, in plain language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from data.schema import vocabulary as v
from data.schema.column import Column, RecordKind, Rule
from data.schema.encounter import ENCOUNTER
from data.schema.shared_columns import AXIS, MUNICIPALITY, PARTNER


def _ends_early(frame: pd.DataFrame) -> pd.Series:
    return (frame["valid_to"] != "") & (frame["valid_to"] < frame["valid_from"])


def _handed_alone(frame: pd.DataFrame) -> pd.Series:
    return (frame["handed_from"] != "") & (frame["handed_to"] == "")


def _no_value(frame: pd.DataFrame) -> pd.Series:
    return frame["number"].isna() & frame["share"].isna()


def _only_share(frame: pd.DataFrame) -> pd.Series:
    return (frame["measure"] == "roma_share_of_national") & frame["share"].isna()


def _only_number(frame: pd.DataFrame) -> pd.Series:
    counted = ["population", "victims", "children_victims", "found_by_mobile_units"]
    return frame["measure"].isin([*counted, "mobile_unit_regions"]) & frame["share"].notna()


EFFORT = RecordKind(
    "effort",
    "Outreach effort",
    "One row for each day or week in which a partner searched, also where nobody was found.",
    (
        Column(
            "date",
            "Day or week",
            "The day of the outreach; for a week, any day of it or the week's number.",
            "day_or_week",
            required=True,
            example="2007-05-28",
        ),
        Column(
            "span",
            "Span",
            "Whether the row stands for one day or for one week. Empty means a day, or a week where "
            "the date is written as one.",
            "category",
            example="day",
            allowed=v.SPANS,
            derived=True,
        ),
        MUNICIPALITY,
        PARTNER,
        Column(
            "days",
            "Outreach days",
            "Working days of outreach, all workers together.",
            "decimal",
            required=True,
            example="1.5",
            minimum=0.01,
            maximum=1000,
        ),
        Column(
            "kind",
            "Kind of outreach",
            "What kind of outreach it was.",
            "category",
            required=True,
            example="street_outreach",
            allowed=v.OUTREACH,
        ),
    ),
    v.ALL_PERSONAL,
)

SERVICE = RecordKind(
    "service",
    "Services",
    "One row for each service that an operator offers in a municipality.",
    (
        replace(
            MUNICIPALITY,
            meaning="The municipality in which the service is offered, never its address. A code, or the "
            "name in Latin, Albanian or Greek spelling.",
        ),
        Column(
            "operator",
            "Operator",
            "The organisation that runs the service. Never a person, never an address.",
            "text",
            required=True,
            example="Municipal social service",
        ),
        Column(
            "duty_bearer",
            "Duty bearer",
            "Which of the six categories of duty bearers the operator belongs to.",
            "category",
            required=True,
            example="municipality",
            allowed=v.DUTY_BEARERS,
        ),
        AXIS,
        Column("staff", "Staff", "People who work in it.", "whole", example="4", minimum=0, maximum=10000),
        Column(
            "capacity",
            "Capacity",
            "Children it can serve at one time.",
            "whole",
            example="20",
            minimum=0,
            maximum=100000,
        ),
        Column(
            "valid_from",
            "From",
            "The first day on which the service was there.",
            "date",
            required=True,
            example="2006-06-01",
            earliest="1950-01-01",
        ),
        Column(
            "valid_to",
            "To",
            "The last day on which it was there. Empty: it still is.",
            "date",
            example="2008-12-31",
            earliest="1950-01-01",
            future=True,
        ),
        Column(
            "handed_from",
            "Handed over from",
            "Who ran it before, where it was handed over.",
            "category",
            example="ngo",
            allowed=v.DUTY_BEARERS,
        ),
        Column(
            "handed_to",
            "Handed over to",
            "Who runs it since, where it was handed over.",
            "category",
            example="municipality",
            allowed=v.DUTY_BEARERS,
        ),
    ),
    v.ALL_PERSONAL,
    (
        Rule(
            "valid_to",
            ("valid_from", "valid_to"),
            "the last day lies before the first",
            "a day on or after valid_from, or an empty cell",
            _ends_early,
        ),
        Rule(
            "handed_to",
            ("handed_from", "handed_to"),
            "handed over from someone, but to nobody",
            "a duty bearer in both cells, or in none",
            _handed_alone,
        ),
    ),
)

_ANY_AREA = Column(
    "area",
    "Area",
    "The country, county, region or municipality, by its code, as in the forms' sheet Areas. Tirana, "
    "Durrës, Fier and others name both a county and a municipality.",
    "area",
    required=True,
    example="AL-04",
    level=None,
)
_SOURCE = Column(
    "source",
    "Source",
    "Who counted or estimated it, so that a reader can find it.",
    "text",
    required=True,
    example="Census of Albania 2011",
    longest=300,
)
_YEAR = Column(
    "year",
    "Year",
    "The year that the number describes.",
    "year",
    required=True,
    example="2011",
    minimum=1900,
)
_ANY_PARTNER = Column(
    "partner",
    "Partner",
    "The organisation that gives this number, where it is a partner.",
    "text",
    example="Amaro Drom",
    longest=80,
)

COMMUNITY = RecordKind(
    "community",
    "Community estimates",
    "One row for each estimate of a Roma or Egyptian population in an area. Never a settlement.",
    (
        _ANY_AREA,
        Column(
            "group",
            "Group",
            "Whom the estimate counts.",
            "category",
            required=True,
            example="roma",
            allowed=v.GROUPS,
        ),
        Column(
            "estimate",
            "Estimate",
            "How many people.",
            "whole",
            required=True,
            example="1640",
            minimum=0,
            maximum=1_000_000,
        ),
        _YEAR,
        _SOURCE,
        _ANY_PARTNER,
    ),
    v.ALL_PERSONAL,
)

_PERIOD = Column(
    "period",
    "Period",
    "The time that the number describes: a calendar year, or a month, quarter or year by its first day.",
    "period",
    required=True,
    example="2008",
)

INDICATOR = RecordKind(
    "indicator",
    "Indicators",
    "One row for each value of a programme indicator, with its target where there is one.",
    (
        _ANY_AREA,
        _PERIOD,
        Column(
            "indicator",
            "Indicator",
            "The programme's short code of the indicator.",
            "code",
            required=True,
            example="schools_engaged",
            longest=60,
        ),
        Column("value", "Value", "What was reached.", "decimal", required=True, example="14"),
        Column("target", "Target", "What was to be reached, where that was set.", "decimal", example="20"),
        Column(
            "unit",
            "Unit",
            "What the value counts.",
            "text",
            required=True,
            example="schools",
            longest=60,
        ),
        _SOURCE,
        _ANY_PARTNER,
    ),
    v.ALL_PERSONAL - {"names", "addresses"},
)

FIGURE = RecordKind(
    "figure",
    "Published figures",
    "One row for each number that anyone can look up, with its source. Public: not protected, "
    "copied unchanged into every release.",
    (
        _ANY_AREA,
        _PERIOD,
        Column(
            "measure",
            "Measure",
            "What the figure counts.",
            "category",
            required=True,
            example="population",
            allowed=v.MEASURES,
        ),
        Column("number", "Number", "How many.", "decimal", example="240377", minimum=0, maximum=1e10),
        Column("share", "Share", "A part of one, as 0.25.", "decimal", example="0.25", minimum=0, maximum=1),
        _SOURCE,
        replace(_YEAR, meaning="The year that the source gives for it; mostly the one in the period."),
        Column(
            "status",
            "Status",
            "How firm the figure is. Provisional and unverified ones are shown as provisional.",
            "category",
            required=True,
            example="census",
            allowed=v.STATUSES,
        ),
        Column(
            "note",
            "Note",
            "What a reader must know beside the figure.",
            "text",
            example="self-declared",
            longest=500,
        ),
    ),
    v.ALL_PERSONAL - {"names", "addresses"},
    (
        Rule(
            "number",
            ("number", "share"),
            "neither a number nor a share",
            "a number, a share, or both",
            _no_value,
        ),
        Rule(
            "share",
            ("measure", "share"),
            "this measure is a share and has none",
            "a part of one, as 0.25",
            _only_share,
        ),
        Rule("share", ("measure", "share"), "this measure has no share", "an empty cell", _only_number),
    ),
)

KINDS: Mapping[str, RecordKind] = MappingProxyType(
    {kind.name: kind for kind in (ENCOUNTER, EFFORT, SERVICE, COMMUNITY, INDICATOR, FIGURE)}
)
