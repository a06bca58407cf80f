"""The content of the Coverage page: which services people can reach, where there is a gap, and who runs them.

Access comes from what `tact risk` wrote beside the release (risk/access/tables.py), the rest from the
release's own tables of services. Withheld values are shown as withheld; they never count as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from dashboard.map.view import MapView, find_latest
from dashboard.narrative.access import has_access
from dashboard.narrative.judgement import Amount, judge_areas
from dashboard.narrative.speech import speak_to_reader
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, load_areas, name_regions, read_area_names, read_country_names
from dashboard.site.text import _, cache_by_language, capitalise, format_number, format_quantity, translate
from geo.layers.access import SURE, WAYS, format_chance
from geo.layers.core import Choice
from geo.layers.core.service_choices import AXES, BEARERS, HELP, WHICH_SERVICES

_LEVEL = "region"
_MEASURES = {"places": "access", "gap": "accessgap", "minutes": "accesstime"}
_EVERY = "all"
_NAMED = 3
_NGO, _COMMUNITY = "duty_bearer-ngo", "duty_bearer-community"


def name_measures() -> dict[str, str]:
    """Return the names of the measures of access, by id."""
    return {
        "places": _("Service places within reach"),
        "gap": _("Gaps"),
        "minutes": _("Travel time to the nearest service"),
    }


def name_services(current: CurrentRelease) -> dict[str, str]:
    """Return the names of the services that can be chosen, by id: all, or of an axis, duty bearer or kind of help."""
    name = "access" if has_access(current) else "services"
    offered = (o for o in WHICH_SERVICES.choices if current_release.has_layer(current, name, _LEVEL, (("of", o.id),)))
    return {choice.id: _name_kind(choice) for choice in offered}


def has_kinds_of_help(current: CurrentRelease) -> bool:
    """Return whether the release has services by kind of help; those from before the breakdown have none."""
    return any(choice.id in name_services(current) for choice in HELP)


def _name_kind(choice: Choice) -> str:
    label = translate(choice.label)
    if not choice.group:
        return label
    return _("{group}: {choice}", group=translate(choice.group), choice=label)


def make_view(current: CurrentRelease, show: str, kind: str, area: str = "") -> MapView:
    """Return the view of the map for services of a kind. It shows a measure of access, or else the number of services.

    show : the id of the measure; not used if access was not calculated. area : the code of the area that is outlined.
    """
    layer, options = ("access", {"show": show, "of": kind}) if has_access(current) else ("services", {"of": kind})
    view = MapView(layer, level=_LEVEL, options={layer: options}, area=area)
    return replace(view, period=find_latest(view, current))


@cache_by_language(maxsize=64)
def read_access(current: CurrentRelease, show: str, kind: str) -> pd.DataFrame:
    """Read a measure of access to services of a kind: a row for each county or region, indexed by code.

    They are in alphabetical order, one country after the other.

    show : "places" (service places within reach for 100 children in need), "gap" or "minutes". The columns are those of
    the table, with name and land (the name of the country). Empty if there is no such table. Never change the shared
    frame.
    """
    by, _dash, category = kind.partition("-")
    stem = f"{_MEASURES[show]}_{_LEVEL}_quarter"
    rows = current_release.read_table(current, f"{stem}_{by}" if category else stem)
    if rows.empty:
        return rows
    access = (rows[rows[by] == category] if category else rows).set_index("area")
    access = access.loc[[code for code in name_regions(current) if code in access.index]]
    known = load_areas(current.release).table.loc[access.index]
    names = read_area_names(current)
    return access.assign(name=names.reindex(known.index), land=known["country"].map(names).astype(str))


def list_headlines(current: CurrentRelease) -> list[str]:
    """Return sentences with the main findings: gaps on each axis, the longest travel times, and unknown times."""
    return [
        *(_format_axis(current, axis) for axis in AXES if len(read_access(current, "gap", axis.id))),
        *_list_farthest(current),
    ]


def _format_axis(current: CurrentRelease, axis: Choice) -> str:
    """Return sentences on the areas with a gap on an axis of work, and on the number of areas where it is not known."""
    t, frame = speak_to_reader(current), read_access(current, "gap", axis.id)
    name = capitalise(translate(axis.label))
    hidden, unsure = (int((frame["state"] == state).sum()) for state in ("withheld", "cannot_tell"))
    if hidden == len(frame):
        return _("{axis}: withheld to protect people.", axis=name)
    gaps = frame[frame["low"] >= SURE]
    sentences = [
        _("{axis}: a gap in {areas}.", axis=name, areas=t.join_and(gaps["name"]))
        if len(gaps)
        else _("{axis}: no area has a likely gap.", axis=name)
    ]
    if unsure:
        sentences.append(_("Cannot tell for {unsure} of {all} areas.", unsure=unsure, all=len(frame)))
    if hidden:
        sentences.append(_("For {hidden} areas all services within reach are withheld.", hidden=hidden))
    return " ".join(sentences)


def _list_farthest(current: CurrentRelease) -> Iterator[str]:
    """Yield sentences on the areas with the longest travel times, and on the areas with unknown travel time."""
    t, frame = speak_to_reader(current), read_access(current, "minutes", _EVERY)
    if frame.empty:
        return
    far = frame.sort_values("value", ascending=False, kind="stable").head(_NAMED)
    times = [
        _("{area} ({minutes} minutes)", area=row["name"], minutes=format_number(row["value"]))
        for row in far[far["value"].notna()].to_dict("records")
    ]
    if times:
        yield _("Longest travel times to the nearest service shown: {areas}.", areas=t.join_and(times))
    for way, words in WAYS.items():
        if (frame["way"] == way).any():
            areas, label = t.join_and(frame.loc[frame["way"] == way, "name"]), capitalise(translate(words))
            yield _("{way}: {areas}.", way=label, areas=areas)


def all_withheld(current: CurrentRelease, kind: str) -> bool:
    """Return whether access to services of a kind is withheld in all areas; False if it was not calculated."""
    frame = read_access(current, "places", kind)
    return len(frame) > 0 and bool((frame["state"] == "withheld").all())


def tabulate_access(current: CurrentRelease, kind: str) -> pd.DataFrame:
    """Return need and all three measures of access to services of a kind in words, a row for each area."""
    places, gaps, times = (read_access(current, show, kind) for show in _MEASURES)
    judged = judge_areas(current)
    rows = {
        _("Area"): places["name"],
        _("Country"): places["land"],
        _("Children in need"): [_format_need(judged[code].need if code in judged else None) for code in places.index],
        _("Service places for 100 of them"): [_format_places(row) for row in places.to_dict("records")],
        _("95 % interval"): [_format_interval(*e) for e in zip(places["lower"], places["upper"], strict=True)],
        _("Gap"): [_format_gap(row) for row in gaps.to_dict("records")],
        _("Chance of a gap"): [_format_chance(row) for row in gaps.to_dict("records")],
        _("Minutes to the nearest"): [format_minutes(row) for row in times.to_dict("records")],
    }
    return pd.DataFrame(rows)


def _format_interval(low: float, high: float) -> str:
    return "" if pd.isna(low) else _("{low} to {high}", low=format_number(low), high=format_number(high))


def _format_need(need: Amount | None) -> str:
    if need is None:
        return _("cannot tell")
    return _("{value} ({interval})", value=format_number(need.value), interval=_format_interval(need.low, need.high))


def _format_places(row: Mapping[Any, Any]) -> str:
    if row["state"] == "cannot_tell":
        return _("cannot tell")
    return translate(format_quantity(row["value"], row["low"])) or _("withheld")


def _format_gap(row: Mapping[Any, Any]) -> str:
    if row["state"] == "withheld":
        return _("withheld")
    if row["state"] == "cannot_tell":
        return _("cannot tell")
    return _("gap") if row["low"] >= SURE else _("no gap")


def _format_chance(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["chance"]):
        return ""
    return translate(format_chance(float(row["chance"]), most=bool(row["at_least"])))


def format_minutes(row: Mapping[Any, Any]) -> str:
    """Return the minutes to the nearest service as text, or why there are none; `row` : of the measure "minutes"."""
    if row["way"] in WAYS:
        return translate(WAYS[str(row["way"])])
    if pd.isna(row["value"]):
        return _("withheld") if row["state"] == "withheld" else _("none in the country")
    minutes = format_number(row["value"])
    return _("{minutes}; a withheld service may be nearer", minutes=minutes) if row["nearer"] else minutes


def tabulate_carriers(current: CurrentRelease) -> pd.DataFrame:
    """Return a table of the numbers of services in the last period: a row for each duty bearer, a column per country.

    A number is followed by its share in per cent if all numbers of the country are known and their sum is above 0.
    """
    counted = {bearer.id: _read_services(current, "country", bearer.id) for bearer in BEARERS}
    rows = {capitalise(translate(bearer.label)): counted[bearer.id] for bearer in BEARERS}
    columns = {
        name: _format_shares([frame.loc[land].to_dict() for frame in counted.values()])
        for land, name in read_country_names(current).items()
    }
    return pd.DataFrame({_("Duty bearer"): list(rows), **columns})


def _read_services(current: CurrentRelease, level: str, kind: str) -> pd.DataFrame:
    """Read the number of services of a kind in the last period: a row for each area of the level, indexed by code."""
    period = find_latest(MapView("services", level=level, options={"services": {"of": kind}}), current)
    return current_release.read_layer(current, "services", level, period, (("of", kind),)).frame


def _format_shares(rows: list[dict[Any, Any]]) -> list[str]:
    total = sum(float(row["value"]) for row in rows)  # NaN if one is not known
    return [_format_share(row, total) for row in rows]


def _format_share(row: Mapping[Any, Any], total: float) -> str:
    value = translate(format_quantity(row["value"], row["low"], row["high"])) or _("withheld")
    if not total > 0:
        return value
    return _("{value} ({share} %)", value=value, share=format_number(round(100 * float(row["value"]) / total)))


def suggest_handover(current: CurrentRelease) -> list[str]:
    """Return a sentence on the areas where both NGOs and public bodies run services, and one on those with only NGOs.

    A sentence without areas is left out.
    """
    by_ngo = _find_at_work(current, [_NGO])
    by_others = _find_at_work(current, [bearer.id for bearer in BEARERS if bearer.id not in (_NGO, _COMMUNITY)])
    t, names = speak_to_reader(current), read_area_names(current)
    beside, alone = ([names[c] for c in by_ngo if (c in by_others) == there] for there in (True, False))
    sentences = []
    if beside:
        template = _(
            "In {areas} both NGOs and public bodies run services of prevention or coordination: "
            "hand-over can begin there."
        )
        sentences.append(template.format(areas=t.join_and(beside)))
    if alone:
        template = _("In {areas} only NGOs are shown to run services of prevention or coordination.")
        sentences.append(template.format(areas=t.join_and(alone)))
    return sentences


def _find_at_work(current: CurrentRelease, bearers: Iterable[str]) -> list[str]:
    """Return the codes of the counties and regions where the release shows a service of any of these duty bearers."""
    frames = (_read_services(current, _LEVEL, kind)[["value", "low"]] for kind in bearers)
    at_work = pd.concat([frame.gt(0) for frame in frames], axis=1).any(axis=1)
    return [str(code) for code in at_work.index[at_work]]
