"""Yearly tables of children in the breakdowns and codes of standards for trafficking data, and the crosswalk to them.

Each row is one released cell of a whole country: nothing is added up, subtracted or estimated here. A cell that is not
in the release gets the state "not_released" and no number. A standard counts victims, but the tables of a release
by sex, age and form count all children identified or met; the column `counted` says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from data.errors import InputError
from data.message import mark
from data.reference import crosswalk
from data.release import Release
from data.tables.periods import Grain, Period
from data.tables.population import compute_rate, count_people, list_used_censuses
from data.tables.spec import CATEGORIES
from geo.layers.reading import tables
from geo.layers.reading.counted import Slice, read_cells
from geo.layers.reading.published import name_source

LAYER = "encounters"  # the layer with the same cells
NOT_RELEASED, NOT_RECORDED = "not_released", "not_recorded"
ALL = "all"  # the category of a total
_GRAINS: tuple[Grain, ...] = ("year", "whole")
_NUMBERS = ["value", "state", "margin", "noisy", "noisy_margin"]
_WHOLE_POPULATION = ("", "stage", "form")  # breakdowns whose parts are compared with all people of a country
# What the children of a stage are in terms of the standards; all other rows count every child identified or met.
COUNTED: Mapping[str, str] = {
    "children_met": mark("All children identified or met, also those at risk who are no victims."),
    "registered_victims": mark(
        "Formally identified victims: children who were already identified when they were first met."
    ),
    "presumed_victims": mark(
        "Potential victims: children who were recruited or exploited when first met, not yet formally identified."
    ),
    "at_risk": mark("Children at risk, who are no victims and are outside every standard."),
    "after_exploitation": mark(
        "Children who were returning or being reintegrated when first met; a standard does not count them again."
    ),
}
_OF_STAGE = {
    "at_risk": "at_risk",
    "recruited": "presumed_victims",
    "in_exploitation": "presumed_victims",
    "identified": "registered_victims",
    "returning": "after_exploitation",
    "reintegrating": "after_exploitation",
}
OUTCOMES: Mapping[str, str] = {
    "code": mark("It becomes this code."),
    "part": mark("It is a part of this code, which other categories become, too."),
    "if_registered": mark("It becomes this code only if the person is registered as a victim."),
    "approximate": mark("This code is only near to it, so the tables do not use it."),
    "not_counted": mark("The standard does not count it."),
    "no_code": mark("It gets no code."),
}
BASES: Mapping[str, str] = {
    "read": mark("The code or the column was read in the standard's own files."),
    "excerpt": mark("The words were read in a short published description of the standard, not in its list of codes."),
    "unverified": mark("Unverified: from general knowledge; no text of the standard was read for it."),
}
NOTES: Mapping[str, str] = {
    "": "",
    "at_risk": mark("A child at risk is no victim in any standard."),
    "presumed": mark("Whether such a child was registered later is not in the release."),
    "registered": mark("Only children who were already formally identified when they were first met."),
    "again": mark("The standard does not count the same person again."),
    "one_row": mark("One row for each person, in the year of registration."),
    "citizenship": mark("A pathway is no citizenship: the citizenship group is a table of its own."),
    "country": mark("The country of exploitation is not recorded; a pathway is recorded for children at risk, too."),
    "events": mark("The standard has no field for the pathway, only the country of each event, which is not recorded."),
    "band": mark("The standard has only children and adults."),
    "bands": mark("The age bands of the standard do not fit those of the programme."),
    "age": mark("The standard asks for years of age, and the programme records bands."),
    "edition": mark("A column of the edition of 2020 only; the synthetic edition has no such column."),
    "several": mark("The standard has several codes for what the programme calls other."),
    "gender": mark("The standard has gender, the programme sex."),
    "missing": mark("The standard writes missing or withheld values as -99."),
    "not_a_victim": mark("Supported, but no victim; NotAVictimOfTrafficking would be wrong."),
    "decision": mark("A potential victim in the Albanian procedure is PossibleVictimOfTrafficking."),
    "crime": mark("The standard has no code for forced crime."),
    "conditions": mark(
        "The standard also counts who meets the conditions without a formal identification, or declined it."
    ),
    "registered_later": mark("Whether such a child is registered as a victim is not recorded."),
    "one_country": mark("The standard asks for the country, and the programme records groups of countries alone."),
    "recruiter": mark("The standard asks who recruited the person, the programme how."),
    "finer": mark("The standard has several codes for what the programme has as one category."),
    "first": mark("Of several answers the programme records one alone, the standard all."),
    "means_without_group": mark("Drugs and long hours of work have codes of their own in the standard."),
}


@dataclass(frozen=True)
class Standard:
    """A standard for trafficking data: its name, its tables, and what is missing.

    about: which of its documents were read. tables: the title of each table, by the breakdown of the release. missing:
    what the standard asks for and no table has, each with "not_released" or "not_recorded". rates: whether the standard
    asks for numbers per 100,000 people.
    """

    id: str
    name: str
    about: str
    tables: Mapping[str, str]
    missing: Mapping[str, str]
    rates: bool = False


_STATUS, _AGE = mark("Registered and presumed victims"), mark("Children by age band")
_SEX, _FORM = mark("Children by sex"), mark("Children by form of exploitation")
_TOGETHER = mark("Sex, age and form of exploitation together")
_ADULTS = mark("Adults")
_CITIZENSHIP = mark("Country of citizenship")
_ALL_MEANS = mark("All methods of recruitment and means of control of a child")
_ONE_ROW = mark("One row for each person")
_FOUR = {"stage": _STATUS, "sex": _SEX, "age_band": _AGE, "form": _FORM}
_LEGAL, _CONTROL = mark("Children by legal status as victims"), mark("Children by means of control")
STANDARDS: Mapping[str, Standard] = {
    "eurostat": Standard(
        "eurostat",
        "Eurostat crim_thb",
        mark(
            "Eurostat's yearly figures of trafficking in human beings. Only its description of January 2024 was read, "
            "not the lists of codes."
        ),
        {**_FOUR, "victim_status": _LEGAL, "citizenship_group": mark("Children by citizenship group")},
        {
            mark("Suspected and convicted persons"): NOT_RECORDED,
            _ADULTS: NOT_RECORDED,
            mark("Legal status and sex together"): NOT_RELEASED,
            mark("Sex and age together"): NOT_RELEASED,
        },
    ),
    "ctdc": Standard(
        "ctdc",
        "CTDC Global Dataset",
        mark(
            "The columns of the Global Dataset of the Counter Trafficking Data Collaborative, edition of April 2020. "
            "Its code book was not read. The dataset has a row for each victim; these tables have counts."
        ),
        {**_FOUR, "means_of_control": _CONTROL},
        {
            _ONE_ROW: NOT_RELEASED,
            _CITIZENSHIP: NOT_RECORDED,
            mark("Country of exploitation"): NOT_RECORDED,
            _ALL_MEANS: NOT_RECORDED,
            mark("Relation to the recruiter"): NOT_RECORDED,
            _ADULTS: NOT_RECORDED,
        },
    ),
    "htcds": Standard(
        "htcds",
        "HTCDS 2.0",
        mark(
            "The Human Trafficking Case Data Standard 2.0 of IOM (24 December 2021, licence CC BY 4.0). IOM does not "
            "endorse this product. The standard describes cases; these tables have counts."
        ),
        {
            "stage": _STATUS,
            "sex": _SEX,
            "form": _FORM,
            "victim_status": _LEGAL,
            "means_of_control": _CONTROL,
            "status_decided_by": mark("Children by who identified them as victims"),
            "recruitment_method": mark("Children by method of recruitment"),
        },
        {
            _ONE_ROW: NOT_RELEASED,
            mark("Age when trafficked, in years"): NOT_RECORDED,
            _CITIZENSHIP: NOT_RECORDED,
            _ALL_MEANS: NOT_RECORDED,
            mark("Country of each event"): NOT_RECORDED,
        },
    ),
    "sdg": Standard(
        "sdg",
        "SDG 16.2.2",
        mark(
            "Victims of human trafficking per 100,000 people, by sex, age and form of exploitation. Unverified: the "
            "UN's description of the indicator was not read. More victims found may mean better detection."
        ),
        _FOUR,
        {_TOGETHER: NOT_RELEASED, _ADULTS: NOT_RECORDED},
        rates=True,
    ),
}
# All breakdowns that the tables of the standards use.
BREAKDOWNS = tuple(dict.fromkeys(by for standard in STANDARDS.values() for by in standard.tables))


def find_standard(name: str) -> Standard:
    """Return a standard by its identifier, a key of STANDARDS. Raises InputError for an unknown one."""
    if name not in STANDARDS:
        raise InputError(f"No standard {name!r}. There are: {', '.join(STANDARDS)}.")
    return STANDARDS[name]


def build_crosswalk(standard: Standard) -> pd.DataFrame:
    """Return the crosswalk to a standard: one row for each category of the programme, with the code of the standard."""
    rows = crosswalk()
    return rows[rows["standard"] == standard.id].reset_index(drop=True)


def offers_tables(release: Release) -> bool:
    """Return whether a release counts the children of whole countries, by year or for the whole time."""
    return bool(_list_periods(release))


def build_tables(release: Release, standard: Standard) -> dict[str, pd.DataFrame]:
    """Return the tables of a standard by their breakdown; the totals come first in each table.

    A table has one row for each category, country and period (years, and the whole time), with at least the columns of
    `FIELDS` in geo/export/report.py. Raises InputError if the release counts no children of whole countries.
    """
    if not offers_tables(release):
        raise InputError(
            f"Release {release.name}, tier {release.tier}, counts no children of whole countries by year. "
            "Choose another release: tact releases"
        )
    return {by: _build_table(release, standard, by) for by in standard.tables}


def _build_table(release: Release, standard: Standard, by: str) -> pd.DataFrame:
    keys = [("", ALL), *((by, category) for category in CATEGORIES[by])]
    stamp = tables.release_key(release)
    rows = pd.concat([_read_category(release, stamp, *key) for key in keys], ignore_index=True)
    rows = rows.merge(build_crosswalk(standard), on=["breakdown", "category"], how="left")
    periods = {period: Period.parse(period) for period in rows["period"].unique()}
    rows = rows.assign(
        standard=standard.id,
        standard_field=rows["field"],
        standard_code=rows["code"],
        area_name=rows["area"].map(tables.load_areas(release)["name_en"]),
        period_label=rows["period"].map({name: period.label for name, period in periods.items()}),
        first_day=rows["period"].map({name: period.start.isoformat() for name, period in periods.items()}),
        last_day=rows["period"].map({name: period.end.isoformat() for name, period in periods.items()}),
        year=rows["period"].map({name: _find_year(period) for name, period in periods.items()}).astype("Int64"),
        counted=rows["category"].map(_OF_STAGE).where(rows["breakdown"] == "stage").fillna("children_met"),
        unit="children",
        publisher="TACT Map",
        source=f"{'Invented' if release.invented else 'Programme'} records, release {release.name}",
        data="invented" if release.invented else "programme",
        tier=release.tier,
        release=release.name,
    )
    return _add_rates(release, rows) if standard.rates else rows


def _find_year(period: Period) -> int | None:
    is_calendar_year = period.grain == "year" and period.start.month == 1
    return period.start.year if is_calendar_year else None


@lru_cache(maxsize=128)  # every category, for several standards
def _read_category(release: Release, _stamp: int, by: str, category: str) -> pd.DataFrame:
    """Return the cells of a category in every country and period; "not_released" where the release has none.

    The frame is shared: never change it.
    """
    part = Slice("children", by, category) if by else Slice("children")
    cells = [read_cells(release, part, "country", grain) for grain in _GRAINS]
    numbers = pd.concat([c for c in cells if not c.empty] or cells).set_index(["area", "period"])[_NUMBERS]
    every = pd.MultiIndex.from_product(
        [tables.list_areas(release, "country"), _list_periods(release)], names=["area", "period"]
    )
    rows = numbers.reindex(every).reset_index()
    return rows.assign(state=rows["state"].fillna(NOT_RELEASED), breakdown=by, category=category)


def _list_periods(release: Release) -> list[str]:
    """List the years, then the whole time, for which the release counts the children of countries."""
    totals = [read_cells(release, Slice("children"), "country", grain) for grain in _GRAINS]
    return [period for cells in totals for period in sorted(cells["period"].unique())]


def _add_rates(release: Release, rows: pd.DataFrame) -> pd.DataFrame:
    """Add population, population_source, per_100000 and per_100000_margin.

    They are missing or empty except in the yearly rows of breakdowns in _WHOLE_POPULATION that the standard counts.
    """
    years = [period for period in rows["period"].unique() if Period.parse(period).grain == "year"]
    figures, areas = tables.load_table(release, "figures"), tables.load_areas(release)
    people = count_people(figures, areas, years)
    people_by_period = (
        people.rename_axis("area").melt(ignore_index=False, var_name="period", value_name="population").reset_index()
    )
    population = rows.merge(people_by_period, on=["area", "period"], how="left")["population"]
    population = population.where(rows["breakdown"].isin(_WHOLE_POPULATION) & (rows["outcome"] != "not_counted"))
    used = list_used_censuses(figures, areas, years)
    named = used.assign(name=[name_source(str(s), float(y)) for s, y in zip(used["source"], used["year"], strict=True)])
    joined = named.groupby(["area", "period"])["name"].agg(lambda names: "; ".join(sorted(set(names))))
    sources = rows[["area", "period"]].merge(joined.reset_index(), on=["area", "period"], how="left")["name"]
    return rows.assign(
        population=population,
        population_source=sources.where(population.notna(), "").fillna(""),
        per_100000=compute_rate(rows["value"].astype(float), population),
        per_100000_margin=compute_rate(rows["margin"].astype(float), population),
    )


def judge_table(rows: pd.DataFrame, by: str) -> str:
    """Return "released" if a release has all rows of a breakdown, "in_part" if some, "not_released" if none."""
    parts = rows.loc[rows["breakdown"] == by, "state"]
    missing = parts == NOT_RELEASED
    return "not_released" if missing.all() else "in_part" if missing.any() else "released"
