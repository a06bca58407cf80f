"""The encounter: the one kind of record that is about children."""

from __future__ import annotations

import pandas as pd

from data.schema import vocabulary as v
from data.schema.column import Column, RecordKind, Rule
from data.schema.shared_columns import AXIS, MUNICIPALITY, PARTNER, area_countries


def _same(left: str, right: str) -> Rule:
    def broken(frame: pd.DataFrame) -> pd.Series:
        return (frame[left] != "") & (_country(frame[right]) != frame[left])

    return Rule(
        left,
        (left, right),
        f"the country is not that of the {right}",
        f"the country of the {right}, or an empty cell",
        broken,
    )


def _country(areas: pd.Series) -> pd.Series:
    """Give each area code its country; an empty code gives an empty text."""
    return areas.map(area_countries()).fillna("").astype("str")


def _internal_crosses(frame: pd.DataFrame) -> pd.Series:
    origin, destination = _country(frame["origin"]), _country(frame["destination"])
    both = (origin != "") & (destination != "")
    return (frame["pathway"] == "internal") & both & (origin != destination)


def _wrong_way(frame: pd.DataFrame) -> pd.Series:
    origin, destination = _country(frame["origin"]), _country(frame["destination"])
    wrong = (origin == "GR") | (destination == "AL")
    return (frame["pathway"] == "al_to_gr") & wrong


ENCOUNTER = RecordKind(
    "encounter",
    "Encounters",
    "One row for each time that a child was met.",
    (
        Column(
            "date",
            "Date",
            "The day of the encounter.",
            "date",
            required=True,
            example="2007-05-31",
        ),
        MUNICIPALITY,
        Column(
            "child_id",
            "Child identifier",
            "The partner's own identifier of the child, the same in every row of that child. It is "
            "replaced by a keyed hash while it is read and never stored. Never a name.",
            "identifier",
            required=True,
            example="K-0412",
            stored=False,
        ),
        Column(
            "child",
            "Child",
            "Keyed hash (HMAC-SHA256) of the programme number where there is one, else of partner "
            "and child identifier.",
            "hash",
            required=True,
            given=False,
        ),
        Column(
            "programme_number",
            "Programme number",
            "The number that partners share for this child, where there is one; it links their "
            "records. Give it in every row of the child. Hashed, never stored.",
            "identifier",
            example="P-118",
            stored=False,
        ),
        Column(
            "programme_child",
            "Programme number, hashed",
            "Keyed hash of the shared programme number, or empty.",
            "hash",
            given=False,
        ),
        Column(
            "country",
            "Country",
            "The country of the municipality. May be left out: the municipality says it.",
            "category",
            example="AL",
            allowed=v.COUNTRIES,
            derived=True,
        ),
        Column(
            "stage",
            "Stage",
            "How far the exploitation, or the way out of it, had come on that day.",
            "category",
            required=True,
            example="at_risk",
            allowed=v.STAGES,
        ),
        Column(
            "pathway",
            "Pathway",
            "Whether the child is or was moved within a country or across a border.",
            "category",
            required=True,
            example="internal",
            allowed=v.PATHWAYS,
        ),
        Column(
            "form",
            "Form of exploitation",
            "The form of exploitation, or the one that the child is at risk of.",
            "category",
            required=True,
            example="begging",
            allowed=v.FORMS,
        ),
        AXIS,
        Column(
            "found",
            "How it came about",
            "Whether the encounter was reported to the partner or discovered by outreach.",
            "category",
            required=True,
            example="discovered",
            allowed=v.FOUND,
        ),
        Column(
            "sex",
            "Sex",
            "The child's sex. An empty cell means not known.",
            "category",
            example="female",
            allowed=v.SEXES,
            default="unknown",
        ),
        Column(
            "age_band",
            "Age band",
            "The child's age on that day, in bands. An empty cell means not known. Never a date of birth.",
            "category",
            example="10-13",
            allowed=v.AGES,
            default="unknown",
        ),
        Column(
            "community",
            "Community affiliation",
            "Only where the child or family has said so; used for equity and never for risk. An "
            "empty cell means not known.",
            "category",
            example="unknown",
            allowed=v.AFFILIATIONS,
            default="unknown",
        ),
        Column(
            "origin",
            "Municipality of origin",
            "Where the child comes from, if that is known and lies in Albania or Greece.",
            "area",
            example="Elbasan",
        ),
        Column(
            "destination",
            "Municipality of destination",
            "Where the child was taken or meant to go, if that is known and lies in Albania or Greece.",
            "area",
            example="Durrës",
        ),
        PARTNER,
        Column(
            "record_number",
            "Record number",
            "The partner's number of this record. With it, the same number with other content is "
            "a correction. Without it a record is known by all its fields.",
            "text",
            example="2007-0193",
            longest=80,
        ),
    ),
    v.ALL_PERSONAL,
    (
        _same("country", "municipality"),
        Rule(
            "pathway",
            ("pathway", "origin", "destination"),
            "an internal pathway with origin and destination in different countries",
            "origin and destination in one country, or another pathway",
            _internal_crosses,
        ),
        Rule(
            "pathway",
            ("pathway", "origin", "destination"),
            "a pathway from Albania to Greece whose origin or destination says otherwise",
            "an origin in Albania and a destination in Greece, or an empty cell",
            _wrong_way,
        ),
    ),
)
