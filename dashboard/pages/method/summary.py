"""What the Method page says, from the manifest of the release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from dashboard.site.text import _, translate
from data.reference import registry
from data.release import Release
from data.tables.periods import Calendar, Period
from data.tables.spec import CATEGORIES
from geo.layers import LAYERS
from geo.layers.core import View
from geo.layers.core.words import LEVELS
from geo.layers.output import terms

__all__ = [
    "describe_boundaries",
    "describe_chances",
    "describe_noise",
    "describe_periods",
    "draw_chances",
    "list_key_facts",
    "list_limits",
    "list_protections",
    "list_steps",
    "read_noise",
    "tabulate_hidden",
    "tabulate_layers",
    "tabulate_sources",
]

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_TRUE = (1, 4, 12)
_HIDDEN = ("few", "almost_none", "not_searched", "withheld", "no_data")
_MEASURES = {
    "children": "Children met for the first time",
    "encounters": "Encounters",
    "effort": "Outreach days",
    "services": "Services",
    "staff": "Staff",
    "capacity": "Places",
    "communities": "Communities",
    "flows": "Flows",
    "model": "Table of the risk model",
}
_GRAINS = {"month": "month", "quarter": "quarter", "year": "year", "whole": "whole time"}


def list_key_facts(release: Release) -> list[tuple[str, str]]:
    """Return the few parameters that matter most: words and value."""
    tact, parameters = release.manifest["tact"], _read_parameters(release)
    facts = [
        (
            _("Smallest count of children shown"),
            str(release.k) if release.tier == "public" else _("1, with its margin"),
        ),
        (
            _("Largest noise on a count of children"),
            f"±{parameters['largest']}" if "largest" in parameters else "",
        ),
        (_("Released"), str(release.manifest.get("created") or "")[:10]),
        (_("Records of"), _format_span(tact)),
    ]
    return [(words, value) for words, value in facts if value]


def _format_span(tact: Mapping[str, Any]) -> str:
    first, last = tact.get("first"), tact.get("last")
    return Period.parse(f"{first}/{last}").label if first and last else ""


def _read_parameters(release: Release) -> dict[str, Any]:
    return dict(release.manifest["tact"].get("parameters") or {})


def list_steps() -> list[tuple[str, str]]:
    """Return the steps from a record to a number on the map: name and text."""
    return [
        (
            _("Record"),
            _(
                "A partner meets a child and writes down the municipality, never a place in it. While the "
                "file is read, a secret key turns the child's identifier into a code that nobody can turn "
                "back; the identifier itself is never stored."
            ),
        ),
        (
            _("Vault"),
            _(
                "Records lie encrypted, and only the data officer's command line opens them. This "
                "page and the map have neither the path nor the key."
            ),
        ),
        (
            _("Count"),
            _(
                "In tables of children each child counts once, in the area and time of its first "
                "encounter in the whole programme, with what was written down that day. Later meetings "
                "with the same child are not counted there."
            ),
        ),
        (
            _("Protect"),
            _("Counts of children carry noise, and what could give somebody away is hidden, as told below."),
        ),
        (
            _("Attack"),
            _(
                "Before a release is published, the product tries to work out hidden and protected "
                "numbers from the sums and differences of all that it shows, together with all earlier "
                "releases. Where that succeeds, nothing is published."
            ),
        ),
        (
            _("Release"),
            _(
                "What is left is written once and never changed. A correction is a new release. "
                "Every number that you see here or in a file comes from it."
            ),
        ),
    ]


def list_protections() -> list[str]:
    """Return how children and communities are protected, besides the noise."""
    return [
        _(
            "Services for protection, shelter and return are shown by country, county or region only, "
            "and only where at least three operators run them. Where some may be left out, a total says "
            "“at least”. Staff and places of services are never public."
        ),
        _("Community affiliation of children is no breakdown of any table."),
        _(
            "The partners' estimates of communities are shown as areas with a range, never as "
            "settlements. They may stand over children met and services, so that services reach them, and "
            "never over effort, risk or what rests on it."
        ),
        _(
            "The data officer can forget a child, or all that a partner brought: the records leave the "
            "vault at once, and a restored backup forgets them again. Published numbers stay as they are "
            "until enough children have changed."
        ),
        _("No page asks anything of the internet."),
    ]


def describe_noise(release: Release) -> list[str]:
    """Return what the noise does, with the numbers of this release."""
    parameters = _read_parameters(release)
    largest, k = parameters.get("largest", 5), release.k
    sentences = [
        _(
            "Counts of children carry noise of at most {largest}, up or down, zero on average; it can "
            "also be none. Where no child was met, the count stays zero. The same children always show "
            "the same number.",
            largest=largest,
        ),
        _(
            "Counts of 7 to 15 carry wider noise than others, though never more than that: the threshold "
            "lies among them, and whether a number is shown must not tell of one child."
        )
        if parameters.get("variance_near_k", 0) > parameters.get("variance", 0)
        else "",
        _(
            "So numbers do not add up exactly: a total and its parts may differ by up to {largest} "
            "for each of them.",
            largest=largest,
        ),
        _(
            "In tables of encounters a child counts at most {cap} times in an area and period, and the "
            "noise is up to {most}.",
            cap=parameters["cap"],
            most=parameters["cap"] * largest,
        )
        if "cap" in parameters
        else "",
    ]
    if release.tier == "public":
        sentences.append(
            _(
                "A count of children below {k} is not shown, and zero is not told from few. The rule "
                "looks at the noisy number, never at the true one, so it gives nothing away either.",
                k=k,
            )
        )
        sentences.append(
            _(
                "Outreach days, services and estimates of communities carry no noise and stand in classes. "
                "The lowest class holds zero, so that nobody learns where nobody looks."
            )
        )
    else:
        sentences.append(
            _(
                "On the partner tier small numbers are shown with their margin, hence the agreement: "
                "the tier is protected, not anonymous."
            )
        )
        sentences.append(
            _(
                "Outreach days, services, staff and places carry no noise. Estimates of communities stand "
                "in classes."
            )
        )
    sentences.append(_("Published figures stand as they were published."))
    if parameters.get("frozen", True):
        sentences.append(
            _(
                "A published number is repeated by later releases until at least {k} different "
                "children behind it have changed, so that a correction gives nobody away.",
                k=k,
            )
        )
    return [sentence for sentence in sentences if sentence]


def read_noise(release: Release) -> pd.DataFrame:
    """Return the chance of each shown number for some true numbers: columns true, shown, chance."""
    parameters = _read_parameters(release)
    table, steps = parameters.get("table"), parameters.get("perturbations")
    if not table or not steps:
        return pd.DataFrame(columns=["true", "shown", "chance"])
    rows = [
        (true, true + step, share)
        for true in _TRUE
        for step, share in zip(steps, table[min(true, len(table) - 1)], strict=True)
        if share > 0
    ]
    return pd.DataFrame(rows, columns=["true", "shown", "chance"])


def draw_chances(rows: pd.DataFrame) -> list[alt.Chart]:
    """Draw what the noise makes of 1, 4 and 12 children met, one chart each, with the same scale."""
    return [_draw_chance(rows[rows["true"] == true], int(true)) for true in sorted(rows["true"].unique())]


def _draw_chance(rows: pd.DataFrame, true: int) -> alt.Chart:
    bars = alt.Chart(rows, title=_("{count} met", count=true)).mark_bar(color="#1B4B8F")
    chart: alt.Chart = bars.encode(
        x=alt.X("shown:O", title=None, axis=alt.Axis(labelAngle=0, ticks=False)),
        y=alt.Y(
            "chance:Q",
            axis=alt.Axis(format=".0%", tickCount=4, title=None, ticks=False, domain=False),
            scale=alt.Scale(domain=[0, 0.6]),
        ),
        tooltip=[
            alt.Tooltip("shown:O", title=_("number")),
            alt.Tooltip("chance:Q", title=_("chance"), format=".1%"),
        ],
    ).properties(width=alt.Step(17), height=210)
    plain = chart.configure_view(stroke=None).configure_axisX(grid=False)
    titled: alt.Chart = plain.configure_title(anchor="start", fontSize=14)
    return titled


def describe_chances(release: Release) -> str:
    """Return what the charts show, and what happens to small numbers on this tier."""
    sentence = _("How likely each number is to come out when 1, 4 or 12 children were met.")
    if release.tier == "public":
        sentence += " " + _("Those below {k} are then hidden.", k=release.k)
    return sentence


def tabulate_hidden(release: Release) -> pd.DataFrame:
    """Return for each table the share of cells with a number, and of each state, in per cent."""
    rows = []
    for resource in release.manifest["resources"]:
        about = resource.get("tact") or {}
        if about.get("measure") not in _MEASURES or not about.get("states"):
            continue
        by = [b for b in about.get("breakdown", []) if b in CATEGORIES or b == "origin"]
        states = about["states"]
        row: dict[str, object] = {
            _("Table"): _(_MEASURES[about["measure"]]),
            _("By"): ", ".join(_(b.replace("_", " ")) for b in by) or "—",
            _("Areas"): translate(LEVELS[about["level"]]).lower(),
            _("Period"): _(_GRAINS[about["grain"]]),
            _("Shown, %"): round(100 * (states.get("number", 0) + states.get("class", 0)), 1),
        }
        row |= {_(_SHORT[s]): round(100 * states.get(s, 0), 1) for s in _HIDDEN}
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.loc[:, [c for c in table if table[c].dtype != float or table[c].any()]]


_SHORT = {
    "few": "Few, %",
    "almost_none": "Almost none, %",
    "not_searched": "Not searched, %",
    "withheld": "Withheld, %",
    "no_data": "No data, %",
}


def describe_periods(release: Release) -> str:
    """Return how time is divided."""
    calendar = Calendar(int(release.manifest["tact"].get("first_month", 6)))
    return _(
        "The programme's year begins in {month}; quarters and years follow it. Published figures keep "
        "the calendar year of their source.",
        month=_(_MONTHS[calendar.first_month - 1]),
    )


def tabulate_layers(release: Release) -> pd.DataFrame:
    """Return the layers with the question that each answers and what it does not say."""
    rows = []
    for layer in LAYERS:
        levels = layer.levels(release)
        if levels:
            legend = layer.read(release, View(levels[0], "")).legend
            rows.append((translate(layer.title), translate(layer.question), translate(legend.note)))
    return pd.DataFrame(rows, columns=[_("Layer"), _("Question"), _("What to bear in mind")])


def list_limits() -> list[str]:
    """Return what the data are not."""
    return [
        _(
            "They are not the number of trafficked children. They are children whom the partners met; "
            "where nobody looks, nobody is met."
        ),
        _(
            "They are not a ranking of areas. More outreach finds more children, so effort stands "
            "beside every change."
        ),
        _(
            "They say nothing about a person, a settlement or a community. Communities are shown so that "
            "services reach them: over children met on the partner tier, over services on both tiers, never "
            "over effort, risk or what rests on it. Nothing says that a community causes trafficking."
        ),
        _("Published figures are of other years and other methods. They are shown, and not computed with."),
    ]


def tabulate_sources(release: Release) -> pd.DataFrame:
    """Return all sources with licence and credit."""
    named = [_("What"), _("Source"), _("Licence"), _("Credit")]
    return terms.list_sources(release).set_axis(named, axis=1)


def describe_boundaries(release: Release) -> list[str]:
    """Return which boundaries are used, and how exact they are."""
    sentences = [
        _(
            "Numbers are counted in the classification of 61 municipalities and 12 counties in "
            "Albania, 325 municipalities, Mount Athos and 13 regions in Greece. Municipalities that "
            "were split in 2019 count in the one that they came from."
        )
    ]
    if terms.has_approximate_boundaries(release):
        sentences.append(
            _(
                "Boundaries are approximate: cells around places, clipped to coast and region, not "
                "official lines. Official ones can be imported into a workspace."
            )
        )
        sentences += [s.note for s in registry() if s.name.startswith("Approximate")]
    return [*sentences, terms.describe_boundaries(release)]
