"""The content of the Method page, from the manifest of the release."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from dashboard.site.text import MONTH_NAMES, _, format_period, translate
from data.message import mark
from data.reference import registry
from data.release import Release
from data.tables.periods import Calendar
from geo.layers import LAYERS
from geo.layers.core import View
from geo.layers.core.words import LEVELS
from geo.layers.output import terms

_TRUE = (1, 4, 12)
_HIDDEN = ("few", "almost_none", "not_searched", "withheld", "cannot_tell", "no_data")
_MEASURES = {
    "children": mark("Children identified or met"),
    "encounters": mark("Encounters"),
    "effort": mark("Outreach days"),
    "services": mark("Services"),
    "staff": mark("Staff"),
    "capacity": mark("Service places"),
    "communities": mark("Communities"),
    "flows": mark("Flows"),
    "returns": mark("Returns"),
    "families": mark("Families"),
    "household_children": mark("Children with a household number"),
    "model": mark("Input of the risk model"),
    "dark_figure": mark("Children in need, met or not (interval)"),
}
_BREAKDOWNS = {
    "pathway": mark("pathway"),
    "stage": mark("stage"),
    "form": mark("form of exploitation"),
    "axis": mark("axis"),
    "sex": mark("sex"),
    "age_band": mark("age band"),
    "found": mark("reported or met by outreach"),
    "crossing": mark("internal or cross-border"),
    "return_way": mark("way home"),
    "duty_bearer": mark("duty bearer"),
    "carrier": mark("who carries the service"),
    "help": mark("kind of help"),
    "group": mark("community"),
    "victim_status": mark("legal status as a victim"),
    "status_decided_by": mark("who identified the child as a victim"),
    "citizenship_group": mark("citizenship group"),
    "recruitment_method": mark("method of recruitment"),
    "means_of_control": mark("means of control"),
    "origin": mark("origin"),
}
_GRAINS = {"month": mark("month"), "quarter": mark("quarter"), "year": mark("year"), "whole": mark("whole programme")}


def list_key_facts(release: Release) -> list[tuple[str, str]]:
    """Return pairs (label, value) of the main facts: threshold, day of release, and days of records."""
    tact = release.manifest["tact"]
    first, last = tact.get("first"), tact.get("last")
    least = str(release.k) if release.tier == "public" else _("1, with its margin")
    k = release.find_threshold("municipality")
    if release.tier == "partner" and k > 1:
        least = _("1, of municipalities {k}, with its margin", k=k)
    facts = [
        (_("Threshold: smallest count of children shown"), least),
        (_("Released"), str(release.manifest.get("created") or "")[:10]),
        (_("Records of"), format_period(f"{first}/{last}") if first and last else ""),
    ]
    return [(words, value) for words, value in facts if value]


def read_parameters(release: Release) -> dict[str, Any]:
    """Return the parameters of the protection by name, from the manifest of a release; empty if it has none."""
    return dict(release.manifest["tact"].get("parameters") or {})


def list_steps() -> list[tuple[str, str]]:
    """Return the steps from a record to a number on the map, as pairs (name, text)."""
    return [
        (
            _("Record"),
            _(
                "A partner meets a child and writes down the municipality, never a more exact place. "
                "During import a secret key turns the child identifier into a code that cannot be "
                "turned back; the identifier is not stored."
            ),
        ),
        (
            _("Vault"),
            _(
                "Records are encrypted, and only the data officer can open them. This page and the "
                "map do not know where they are and have no key."
            ),
        ),
        (
            _("Count"),
            _(
                "In tables of children each child is counted once, in the area and period of the "
                "first encounter, with what was recorded that day. Later encounters are not counted "
                "there."
            ),
        ),
        (
            _("Protect"),
            _(
                "Counts of children have noise, and numbers that could say something about one child "
                "are withheld, as explained below."
            ),
        ),
        (
            _("Attack"),
            _(
                "Before a release is published, the product attacks it: it tries to calculate hidden "
                "numbers from all numbers of this and earlier releases. If an attack succeeds, "
                "nothing is published."
            ),
        ),
        (
            _("Release"),
            _(
                "A release is never changed; a correction is a new release. Every number here and in "
                "files comes from a release."
            ),
        ),
    ]


def list_protections() -> list[str]:
    """Return sentences on how children and communities are protected in addition to the noise."""
    return [
        _(
            "Services for protection, return and reintegration are never shown for municipalities, and "
            "elsewhere only where at least three operators run them. Other services have no such limit. "
            "Where some may be left out, a total says “at least”. Staff and service places are never public."
        ),
        _("No table shows the community affiliation of children."),
        _(
            "The partners' community estimates are shown as areas with a range, never as settlements. "
            "They can be shown with children identified or met and with services, so that services "
            "reach them, and never with outreach, risk or results based on them."
        ),
        _(
            "The data officer can delete all records of a child or of a partner. They leave the vault "
            "at once, and a restored backup deletes them again. Published numbers of final "
            "years stay as they are."
        ),
        _("No page uses the internet."),
    ]


def describe_noise(release: Release) -> list[str]:
    """Return sentences on the effect of the noise, with the numbers of this release."""
    parameters = read_parameters(release)
    largest, k = parameters.get("largest", 5), release.k
    sentences = [
        _(
            "Because of noise a published count of children is at most {largest} too high or too low, and exact "
            "on average. Where no child was met, it stays zero. The same children always give the "
            "same number.",
            largest=largest,
        ),
        _(
            "Counts of 7 to 15 have more noise than others, but never more than this, because the "
            "threshold is among them."
        )
        if parameters.get("variance_near_k", 0) > parameters.get("variance", 0)
        else "",
        _(
            "So published numbers do not add up exactly: a total and the sum of its parts may differ by up to "
            "{largest} for each number.",
            largest=largest,
        ),
        _(
            "Numbers of children are therefore adjusted so that parts add up to totals: areas, quarters and "
            "categories. The published number with noise is in the table of the map, in the table on Trends, and in "
            "the column noisy of each file. The margin is that of the published number and how far it was adjusted. "
            "A published zero may so become a small number."
        )
        if terms.has_reconciled_numbers(release)
        else "",
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
        sentences += [
            _(
                "A count of children below {k} is not shown, and zero looks the same as few. The rule "
                "uses the number with noise, not the true one.",
                k=k,
            ),
            _(
                "Outreach days, services and community estimates have no noise and are published as "
                "ranges. The lowest range includes zero, so that areas without outreach cannot be "
                "found."
            ),
        ]
    else:
        sentences += [
            _(
                "On the partner tier small numbers are shown with their margin, hence the agreement: "
                "the tier is protected, not anonymous."
            ),
            _(
                "Outreach days, services, staff and service places have no noise. Community estimates "
                "are published as ranges."
            ),
        ]
    sentences += [
        _("Published figures are shown unchanged."),
        _(
            "The numbers of a year are drawn once, when the year is final, and never changed. What is reported later "
            "is not counted in them, so that a correction gives nobody away."
        ),
    ]
    return [sentence for sentence in sentences if sentence]


def read_noise(release: Release) -> pd.DataFrame:
    """Return the probability (0 to 1) of each published number if the true number is 1, 4 or 12.

    Columns: true, shown, chance. Without rows if the manifest does not state the noise.
    """
    parameters = read_parameters(release)
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
    """Return a chart for each true number in `rows`, on the same scale, with the chances of the published numbers.

    rows : as `read_noise` returns them.
    """
    return [_draw_chance(rows[rows["true"] == true], int(true)) for true in sorted(rows["true"].unique())]


def _draw_chance(rows: pd.DataFrame, true: int) -> alt.Chart:
    bars = alt.Chart(rows, title=_("true number {count}", count=true)).mark_bar(color="#1B4B8F")
    chart: alt.Chart = bars.encode(
        x=alt.X("shown:O", title=None, axis=alt.Axis(labelAngle=0, ticks=False, grid=False)),
        y=alt.Y(
            "chance:Q",
            axis=alt.Axis(format=".0%", tickCount=4, title=None, ticks=False, domain=False),
            scale=alt.Scale(domain=[0, 0.6]),
        ),
        tooltip=[alt.Tooltip("shown:O", title=_("number")), alt.Tooltip("chance:Q", title=_("chance"), format=".1%")],
    ).properties(width=alt.Step(17), height=210)
    return chart


def tabulate_hidden(release: Release) -> pd.DataFrame:
    """Return a row for each table of the release: the per cent of cells that are shown, and of each hidden state.

    Columns of per cent that are 0 in all rows are left out.
    """
    rows = []
    for resource in release.manifest["resources"]:
        about = resource.get("tact") or {}
        if about.get("measure") not in _MEASURES or not about.get("states"):
            continue
        by = [b for b in about.get("breakdown", []) if b in _BREAKDOWNS]
        states = about["states"]
        row: dict[str, object] = {
            _("Table"): _(_MEASURES[about["measure"]]),
            _("By"): ", ".join(_(_BREAKDOWNS[b]) for b in by) or "—",
            _("Areas"): translate(LEVELS[about["level"]]).lower(),
            _("Period"): _(_GRAINS[about["grain"]]),
            _("Shown, %"): round(100 * (states.get("number", 0) + states.get("class", 0)), 1),
        }
        row |= {_(_SHORT[s]): round(100 * states.get(s, 0), 1) for s in _HIDDEN}
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.loc[:, [c for c in table if table[c].dtype != float or table[c].any()]]


_SHORT = {
    "few": mark("Fewer than the threshold, %"),
    "almost_none": mark("Almost none, %"),
    "not_searched": mark("Not searched, %"),
    "withheld": mark("Withheld, %"),
    "cannot_tell": mark("Cannot tell, %"),
    "no_data": mark("No data, %"),
}


def describe_periods(release: Release) -> str:
    """Return sentences on how time is divided into periods."""
    calendar = Calendar(int(release.manifest["tact"].get("first_month", 6)))
    return _(
        "The programme's year begins in {month}; quarters and years follow it. Published figures keep "
        "the calendar year of their source.",
        month=_(MONTH_NAMES[calendar.first_month - 1]),
    )


def tabulate_layers(release: Release) -> pd.DataFrame:
    """Return a table of the release's layers: title, the question that the layer answers, and what to bear in mind."""
    rows = []
    for layer in LAYERS:
        levels = layer.levels(release)
        if levels:
            legend = layer.read(release, View(levels[0], "")).legend
            rows.append((translate(layer.title), translate(layer.question), translate(legend.note)))
    return pd.DataFrame(rows, columns=[_("Layer"), _("Question"), _("What to bear in mind")])


def list_limits() -> list[str]:
    """Return sentences on the limits of the data: how they must not be interpreted."""
    return [
        _(
            "They are not the number of trafficked children. They are children identified or met by "
            "outreach; without outreach hardly any child is met."
        ),
        _(
            "They are not a ranking of areas. More outreach finds more children, so every change is "
            "shown with the outreach days."
        ),
        _(
            "They say nothing about a person, a settlement or a community. Communities are shown so "
            "that services reach them. Nothing here says that a community causes trafficking."
        ),
        _("Published figures come from other years and methods. They are shown, and nothing is calculated from them."),
    ]


def tabulate_sources(release: Release) -> pd.DataFrame:
    """Return a table of all sources of the release: content, source, licence and credit."""
    named = [_("What"), _("Source"), _("Licence"), _("Credit")]
    return terms.list_sources(release).set_axis(named, axis=1)


def describe_boundaries(release: Release) -> list[str]:
    """Return sentences on the boundaries of areas: which are used, and how exact they are."""
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
    return [*sentences, _(terms.describe_boundaries(release))]
