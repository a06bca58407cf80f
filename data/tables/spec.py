"""The release plan: all tables that a release may contain.

A table is a measure at one area level and one period grain, with at most one breakdown. Only tables of the partner tier
may have two: `model`, and services and service places of whole countries by axis and duty bearer. Tables outside the
plan cannot be requested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal, TypeVar

from data.tables.periods import Grain

_Known = TypeVar("_Known")
Tier = Literal["partner", "public"]
Level = Literal["country", "region", "municipality"]
Measure = Literal[
    "children", "encounters", "effort", "services", "staff", "capacity", "communities", "flows", "returns", "model",
    "dark_figure", "families", "household_children",
]  # fmt: skip
TIERS: tuple[Tier, ...] = ("partner", "public")
LEVELS: tuple[Level, ...] = ("country", "region", "municipality")
# Counts of families, and of the children whose household number is known; each has a salt of its own.
FAMILIES: tuple[Measure, ...] = ("families", "household_children")
# Counts of children, of families or of encounters: the numbers that get noise.
COUNTED: frozenset[Measure] = frozenset({"children", "encounters", "flows", "returns", "model", *FAMILIES})
# The others (protection, return and reintegration) are restricted: by county or region only, and only where enough
# operators work.
OPEN_AXES: frozenset[str] = frozenset({"prevention", "coordination"})
# Breakdowns of services that count the open axes alone: municipalities show no others, so a difference would tell which
# duty bearers work on restricted axes in a county.
OPEN_ALONE: tuple[tuple[str, ...], ...] = (("duty_bearer",), ("carrier",), ("help",))

# The categories of each breakdown, in their order. `origin` has the areas of the table's level.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "pathway": ("internal", "al_to_gr", "other_cross_border", "none_known"),
    "stage": ("at_risk", "recruited", "in_exploitation", "identified", "returning", "reintegrating"),
    "form": ("begging", "street_work", "sexual_exploitation", "labour", "crime", "other"),
    "axis": ("prevention", "protection", "assisted_voluntary_return", "reintegration", "coordination"),
    "sex": ("female", "male", "unknown"),
    "age_band": ("0-5", "6-9", "10-13", "14-17", "unknown"),
    "found": ("reported", "discovered"),
    "crossing": ("internal", "cross_border"),
    # The way home of a child who was first met while returning; unknown if one of its ends is not known or abroad.
    "return_way": ("gr_to_al", "al_to_gr", "inside", "unknown"),
    "duty_bearer": ("state", "anti_trafficking_police", "municipality", "school", "ngo", "community"),
    # Who carries a service: the partner, partner and state together, the state after a hand-over, the partner again, or
    # the state all along.
    "carrier": ("partner", "shared", "handed_over", "returned", "state"),
    # Kinds of help of a service, which counts once in each kind that it gives. Shelters are in no table.
    "help": ("social", "psychological", "legal", "economic", "health", "education", "other_help"),
    "group": ("roma", "egyptian", "roma_and_egyptian"),
    "victim_status": ("victim", "potential_victim", "declined", "no_victim", "other_status", "unknown"),
    "status_decided_by": ("police", "court", "state_service", "non_governmental", "other_body", "unknown"),
    "citizenship_group": ("own_country", "eu_country", "other_country", "stateless", "unknown"),
    "recruitment_method": (
        *("through_family", "through_friends", "online", "advertisement", "work_or_school", "other_method", "unknown"),
    ),
    "means_of_control": (
        *("threats", "violence", "psychological_abuse", "debt_or_earnings", "false_promises", "restriction"),
        *("other_means", "unknown"),
    ),
}
# Breakdowns for partners alone, of whole countries, by year or the whole programme, in no plan unless a policy asks
# for them: in a county, one of their categories could be one child; in public, all of them together say too much.
OF_COUNTRIES = ("victim_status", "status_decided_by", "citizenship_group", "recruitment_method", "means_of_control")


def name_knowledge(measure: str, level: str, grain: str) -> str:
    """Return the name of what is known of the numbers of a measure.

    Municipalities have a threshold of their own, and numbers of the whole programme the noise of each year.
    """
    return "|".join((measure, *(name for name in ("municipality", "whole") if name in (level, grain))))


def find_knowledge(knowledge: Mapping[str, _Known], measure: str, level: str, grain: str) -> _Known | None:
    """Return what is known of the numbers of a measure, at a level and for periods of a grain, by `name_knowledge`.

    Earlier versions had no threshold for municipalities, and drew the whole programme as they drew a year.
    """
    names = (name_knowledge(measure, level, grain), name_knowledge(measure, "", grain), measure)
    return next((knowledge[name] for name in names if name in knowledge), None)


def table_name(measure: str, level: str, grain: str, *breakdown: str) -> str:
    """Return the name of a table: measure, level, grain and breakdown, joined by underscores."""
    return "_".join((measure, level, grain, *breakdown))


@dataclass(frozen=True)
class TableSpec:
    """One table of a release."""

    measure: Measure
    level: Level
    grain: Grain
    breakdown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table's name in the release."""
        return table_name(self.measure, self.level, self.grain, *self.breakdown)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that, with area and period, identify the table's rows; communities always have a group."""
        return ("group",) if self.measure == "communities" else self.breakdown

    @property
    def of_open_axes(self) -> bool:
        """Whether the table counts only prevention and coordination, as OPEN_ALONE do."""
        return self.breakdown in OPEN_ALONE

    @property
    def counted(self) -> bool:
        """Whether the table counts children or encounters, so that its numbers get noise."""
        return self.measure in COUNTED


Plan = Mapping[Tier, tuple[TableSpec, ...]]


def is_sum_of_years(spec: TableSpec, plan: Plan) -> bool:
    """Return whether the numbers of a table of the whole programme are the sums of the numbers of its years.

    Partners alone have such a table, and the table of its years. Where the public has it, some of its years may be
    hidden, and a sum would give them away: the whole is then a sum of numbers of the years that nobody sees.
    """
    is_whole = spec.counted and spec.grain == "whole"
    return is_whole and spec not in plan.get("public", ()) and replace(spec, grain="year") in plan.get("partner", ())


@dataclass(frozen=True)
class Block:
    """Tables that a plan lists together: every combination of measures, levels, periods and breakdowns.

    An empty breakdown is the total. why: the reason, for readers of the plan.
    """

    measures: tuple[Measure, ...]
    levels: tuple[Level, ...]
    periods: tuple[Grain, ...]
    breakdowns: tuple[tuple[str, ...], ...] = ((),)
    why: str = ""

    @property
    def specs(self) -> tuple[TableSpec, ...]:
        """The tables, in order."""
        combined = product(self.measures, self.levels, self.periods, self.breakdowns)
        return tuple(TableSpec(*names) for names in combined)


_ALL: tuple[Level, ...] = ("country", "region", "municipality")
_WIDE: tuple[Level, ...] = ("country", "region")
_LONG: tuple[Grain, ...] = ("year", "whole")
_NESTED: tuple[Grain, ...] = ("quarter", "year", "whole")

_SPLIT = ((), ("axis",), ("duty_bearer",), ("help",))
_WHO_DOES_WHAT = ("axis", "duty_bearer")

DEFAULT_BLOCKS: Mapping[Tier, tuple[Block, ...]] = {
    "partner": (
        Block(
            ("children",),
            _ALL,
            _NESTED,
            ((), ("pathway",), ("stage",)),
            "Children identified or met by outreach, each counted once.",
        ),
        Block(
            ("children",),
            _WIDE,
            _LONG,
            (("form",), ("axis",), ("sex",), ("age_band",), ("found",)),
            "More breakdowns of them, for larger areas and longer periods.",
        ),
        Block(("encounters",), _ALL, _NESTED, why="All encounters, also repeated ones with the same child."),
        Block(("effort",), _ALL, _NESTED, why="Outreach days, without which counts of children cannot be understood."),
        Block(
            ("services", "staff", "capacity"),
            _ALL,
            ("quarter",),
            _SPLIT,
            "Services, staff and service places; by duty bearer or kind of help, prevention and coordination alone.",
        ),
        Block(
            ("services", "capacity"),
            ("country",),
            ("quarter",),
            (_WHO_DOES_WHAT,),
            "Which duty bearer does what, for whole countries alone.",
        ),
        Block(
            ("services",),
            _WIDE,
            ("quarter",),
            (("carrier",),),
            "Hand-over of prevention and coordination: services of partners and of the state.",
        ),
        Block(("communities",), _ALL, ("year",), why="Community estimates, only with the Roma partner's approval."),
        Block(("flows",), _WIDE, _LONG, (("origin",),), "Flows: where children come from and where they were taken."),
        Block(
            ("returns",),
            ("country",),
            _LONG,
            (("return_way",),),
            "Returns: the way home of children who were first met while returning, for whole countries alone.",
        ),
        Block(
            FAMILIES,
            ("country",),
            _LONG,
            why="Families, and the children whose household number is known, for whole countries alone.",
        ),
        Block(
            ("model",),
            ("region", "municipality"),
            ("quarter",),
            (("crossing", "found"),),
            "Input of the risk model; the only table with two breakdowns.",
        ),
        Block(
            ("dark_figure",),
            ("country",),
            ("whole",),
            why="How many children there are, met or not, as an interval; only if governance.toml approves it.",
        ),
    ),
    "public": (
        Block(("children",), _WIDE, _LONG, why="Children identified or met by outreach, each counted once."),
        Block(
            ("children",),
            ("region",),
            ("whole",),
            (("pathway",),),
            "More breakdowns for counties or regions would say too much about one child.",
        ),
        Block(
            ("children",),
            ("country",),
            ("whole",),
            (("pathway",), ("stage",), ("form",), ("axis",), ("sex",), ("age_band",)),
        ),
        Block(("children",), ("country",), ("year",), (("pathway",), ("stage",))),
        Block(("effort",), _WIDE, ("year",), why="As ranges."),
        Block(("services",), _WIDE, ("year",), _SPLIT, "As ranges; staff and service places are never public."),
        Block(("communities",), _WIDE, ("year",), why="Community estimates, only with the Roma partner's approval."),
    ),
}

DEFAULT_PLAN: Plan = {
    tier: tuple(spec for block in blocks for spec in block.specs) for tier, blocks in DEFAULT_BLOCKS.items()
}


@dataclass(frozen=True)
class Allowed:
    """The tables that a plan may request for a measure on a tier.

    narrower: the levels of each breakdown that is allowed at fewer levels than the measure. longer: the periods of each
    breakdown that is allowed for fewer periods than the measure.
    """

    levels: tuple[Level, ...]
    periods: tuple[Grain, ...]
    breakdowns: tuple[tuple[str, ...], ...] = ((),)
    narrower: Mapping[tuple[str, ...], tuple[Level, ...]] = field(default_factory=dict)
    longer: Mapping[tuple[str, ...], tuple[Grain, ...]] = field(default_factory=dict)

    def find_levels(self, breakdown: tuple[str, ...]) -> tuple[Level, ...]:
        """Return the levels at which a breakdown is allowed."""
        return self.narrower.get(breakdown, self.levels)

    def find_periods(self, breakdown: tuple[str, ...]) -> tuple[Grain, ...]:
        """Return the periods for which a breakdown is allowed."""
        return self.longer.get(breakdown, self.periods)


_OF_CHILDREN = ((), *((name,) for name in ("pathway", "stage", "form", "axis", "sex", "age_band", "found")))
_BY_COUNTRY = tuple((name,) for name in OF_COUNTRIES)

# Everything that a plan may hold. What is missing here is missing on purpose: nothing finer than a county,
# a region or a year is public, and no staff, place, flow, encounter or breakdown of OF_COUNTRIES; community affiliation
# is no breakdown.
MAY_HOLD: Mapping[Tier, Mapping[Measure, Allowed]] = {
    "partner": {
        "children": Allowed(
            _ALL,
            _NESTED,
            (*_OF_CHILDREN, *_BY_COUNTRY),
            dict.fromkeys(_BY_COUNTRY, ("country",)),
            dict.fromkeys(_BY_COUNTRY, _LONG),
        ),
        "encounters": Allowed(_ALL, _NESTED),
        "effort": Allowed(_ALL, _NESTED),
        "services": Allowed(
            _ALL,
            ("quarter", "year"),
            (*_SPLIT, _WHO_DOES_WHAT, ("carrier",)),
            {_WHO_DOES_WHAT: ("country",), ("carrier",): _WIDE},
        ),
        "staff": Allowed(_ALL, ("quarter", "year"), _SPLIT),
        "capacity": Allowed(_ALL, ("quarter", "year"), (*_SPLIT, _WHO_DOES_WHAT), {_WHO_DOES_WHAT: ("country",)}),
        "communities": Allowed(_ALL, ("year",)),
        "flows": Allowed(_WIDE, _LONG, (("origin",),)),
        "returns": Allowed(("country",), _LONG, (("return_way",),)),
        **dict.fromkeys(FAMILIES, Allowed(("country",), _LONG)),
        "model": Allowed(("region", "municipality"), ("quarter",), (("crossing", "found"),)),
        "dark_figure": Allowed(("country",), ("whole",)),
    },
    "public": {
        "children": Allowed(_WIDE, _LONG, _OF_CHILDREN),
        "effort": Allowed(_WIDE, ("year",)),
        "services": Allowed(_WIDE, ("year",), _SPLIT),
        "communities": Allowed(_WIDE, ("year",)),
    },
}
