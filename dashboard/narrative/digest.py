"""What is new in a release: a comparison of two releases of one tier, by the numbers that both show.

A number is reported as changed only if the noise of both releases cannot explain the difference: no single true number
can lead to both published numbers (`compare_cells`). This module reads only the two releases and the results computed
from them, so the comparison reveals nothing that they do not reveal (docs/disclosure.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from dashboard.narrative.judgement import AreaJudgement, Change, GapAnswer, judge_areas
from dashboard.narrative.risk import RISING, name_certainty, name_claim, name_pathways, read_claims
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, name_regions, read_area_names, read_risk_manifest
from dashboard.site.text import (
    _,
    cache_by_language,
    format_number,
    format_period,
    format_plural,
    format_quantity,
    translate,
)
from data.errors import InputError
from data.tables.periods import Period
from geo.layers import LAYERS
from geo.layers.core import View
from geo.layers.core.change import Cell, compare_cells
from geo.layers.core.words import describe_state
from geo.layers.encounters import COUNTED as ENCOUNTERS
from geo.layers.services import COUNTED as SERVICES

_LEVEL = "region"
_SILENT = 2  # quarters without outreach
_MOST_AREAS, _MOST_PERIODS, _MOST_NAMES = 10, 3, 6


@dataclass(frozen=True)
class Topic:
    """A part of what is new: its title and its sentences."""

    title: str
    sentences: tuple[str, ...]


@cache_by_language(maxsize=16)
def describe_news(current: CurrentRelease, earlier: CurrentRelease) -> tuple[Topic, ...]:
    """Return what changed from the earlier release to the current one. Topics without news are left out.

    Raises InputError for releases of different tiers.
    """
    if current.tier != earlier.tier:
        msg = f"Release {earlier.release.name!r} is of tier {earlier.tier!r}, not {current.tier!r}: compare one tier."
        raise InputError(msg)
    t = speak_to_reader(current)
    started, ended = _list_alerts(t, current, earlier), _list_alerts(t, earlier, current, ended=True)
    missing = [release.release.name for release in (current, earlier) if read_risk_manifest(release) is None]
    notes = [_("Release {name} has no results on risk, so risk was not compared.", name=name) for name in missing]
    topics = {
        _("Class of risk"): [*(notes if len(missing) == 1 else []), *_list_classes(t, current, earlier)],
        _("New alerts"): started,
        _("Alerts that have ended"): ended,
        _("Children identified or met: numbers that changed by more than their noise"): _list_counts(
            t, current, earlier
        ),
        _("Services"): _list_services(t, current, earlier),
        _("New periods and layers"): _list_contents(current, earlier),
    }
    pairs = ((title, tuple(sentences)) for title, sentences in topics.items())
    return tuple(Topic(title, sentences) for title, sentences in pairs if sentences)


def find_rises(areas: Mapping[str, AreaJudgement]) -> dict[tuple[str, str], Change]:
    """Return the changes of areas and pathways whose rate rose in the last year, by area code and pathway."""
    return {
        (code, pathway): change
        for code, judged in areas.items()
        for pathway, change in judged.changes.items()
        if change.claim in RISING
    }


def find_new_rises(
    areas: Mapping[str, AreaJudgement], before: Mapping[str, AreaJudgement]
) -> dict[tuple[str, str], Change]:
    """Return the rises that are new, by area code and pathway.

    A rise is new if the earlier release has a change for this area and pathway, and that change is no rise.
    """
    known = find_rises(before)
    return {
        (code, pathway): change
        for (code, pathway), change in find_rises(areas).items()
        if (code, pathway) not in known and code in before and pathway in before[code].changes
    }


def find_gaps(areas: Mapping[str, AreaJudgement], answer: GapAnswer = "gap") -> set[tuple[str, str]]:
    """Return pairs (area code, axis of work): `answer` is the answer to whether the reach of services has a gap."""
    return {(code, axis) for code, judged in areas.items() for axis, gap in judged.gaps.items() if gap == answer}


def find_unsearched(current: CurrentRelease) -> set[str]:
    """Return the codes of the areas without any outreach in the last two quarters.

    Without quarters of outreach in the release, the shortest periods that it has are used. Empty if the release does
    not show outreach in counties and regions, or shows fewer than two periods.
    """
    silent = _find_by_outreach(current, ("not_searched",))
    return set.intersection(*silent) if len(silent) == _SILENT else set()


def find_newly_unsearched(current: CurrentRelease, earlier: CurrentRelease) -> set[str]:
    """Return the areas of `find_unsearched` for which the earlier release shows outreach in its last two quarters."""
    return find_unsearched(current) & set().union(*_find_by_outreach(earlier, ("number", "class")))


def _find_by_outreach(current: CurrentRelease, states: Collection[str]) -> list[set[str]]:
    """Return the areas whose outreach has one of these states, for each period of `find_unsearched`, oldest first."""
    if not current_release.has_layer(current, "effort", _LEVEL, ()):
        return []
    periods = current_release.list_periods(current, "effort", _LEVEL, "", ())[-_SILENT:]
    frames = current_release.read_series(current, "effort", _LEVEL, periods, ()).values()
    return [{str(code) for code in frame.index[frame["state"].isin(list(states))]} for frame in frames]


def _list_classes(t: Speech, current: CurrentRelease, earlier: CurrentRelease) -> Iterator[str]:
    """Yield a sentence for each area whose class of risk has changed.

    An area without a class in one of the releases is not compared.
    """
    before, now = _read_classes(earlier), _read_classes(current)
    for key, (claim, certainty) in now.items():
        was, was_certain = before.get(key, ("", ""))
        if claim and was and claim != was:
            code, about = key
            yield _(
                "{area}, {about}: {now}; before: {before}.",
                area=t.name_area(code),
                about=about,
                now=_word_claim(claim, certainty),
                before=_word_claim(was, was_certain),
            )


def _read_classes(current: CurrentRelease) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the codes of claim and certainty by area code and name of the pathway.

    On the public tier the keys are area code and year, and the certainty is empty.
    """
    if current.tier == "partner":
        return {
            (code, name_pathways()[pathway]): (rate.claim, rate.certainty)
            for code, judged in judge_areas(current).items()
            for pathway, rate in judged.rates.items()
        }
    rows = current_release.read_table(current, "risk_region_year")
    if rows.empty:
        return {}
    about = map(format_period, rows["period"].astype(str))
    return {
        (area, year): (claim, "")
        for area, year, claim in zip(rows["area"].astype(str), about, read_claims(rows), strict=True)
    }


def _word_claim(claim: str, certainty: str) -> str:
    sure = name_certainty(certainty)
    return f"{name_claim(claim)} ({sure})" if sure else name_claim(claim)


def _list_alerts(t: Speech, here: CurrentRelease, there: CurrentRelease, *, ended: bool = False) -> list[str]:
    """Return sentences on the alerts of release `here` that release `there` does not have.

    ended : whether `here` is the earlier release; then the sentences say that these alerts have ended.
    """
    sentences = []
    if read_risk_manifest(here) and read_risk_manifest(there):
        sentences = [*_list_risk_alerts(t, here, there, ended=ended), *_list_breaks(here, there, ended=ended)]
    silent = find_newly_unsearched(here, there)
    if codes := [code for code in name_regions(here) if code in silent]:
        areas = t.list_areas(codes, _MOST_NAMES)
        words = _("{areas}: outreach is recorded again.") if ended else _("{areas}: not searched for two quarters.")
        sentences.append(words.format(areas=areas))
    return sentences


def _list_risk_alerts(t: Speech, here: CurrentRelease, there: CurrentRelease, *, ended: bool) -> Iterator[str]:
    mine, others = judge_areas(here), judge_areas(there)
    for code, pathway in find_new_rises(mine, others):
        if ended and not others[code].changes[pathway].claim:
            continue  # it cannot be told whether the rise has ended
        words = _("{area}, {pathway}: no rise any more.") if ended else _("{area}, {pathway}: the rate rose.")
        yield words.format(area=t.name_area(code), pathway=name_pathways()[pathway])
    # What was withheld, or could not be told, is not new.
    gaps = find_gaps(mine) & find_gaps(others, "none")
    for axis in sorted({axis for _code, axis in gaps}):
        areas = t.list_areas([code for code in mine if (code, axis) in gaps], _MOST_NAMES)
        words = _("No gap any more, {axis}: {areas}.") if ended else _("New gap, {axis}: {areas}.")
        yield words.format(axis=t.name_kind(axis), areas=areas)


def _list_breaks(here: CurrentRelease, there: CurrentRelease, *, ended: bool) -> Iterator[str]:
    names, mine, others = read_area_names(here), _find_breaks(here), _find_breaks(there)
    words = _("{place}: no possible break from {quarter} on any more.")
    if not ended:
        words = _("{place}: a possible break in the series from {quarter} on. Did recording change?")
    for period, place in sorted(mine - others):
        yield words.format(place=names.get(place, place), quarter=format_period(period))


def _find_breaks(current: CurrentRelease) -> set[tuple[str, str]]:
    manifest = read_risk_manifest(current)
    return {(jump.period, jump.place) for _pathway, jump in manifest.trends.jumps} if manifest else set()


def _list_counts(t: Speech, current: CurrentRelease, earlier: CurrentRelease) -> list[str]:
    """Return a sentence for each county or region with a change that noise cannot explain, largest changes first.

    If there are more than `_MOST_AREAS` such areas, the last sentence says how many were left out.
    """
    changes: list[tuple[float, str]] = []
    for code in name_regions(current):
        before, now = (ENCOUNTERS.history(r.release, _LEVEL, code, {}) for r in (earlier, current))
        sizes = {
            period: _measure_change(before[period], now[period], _find_reach(period, current, earlier))
            for period in before.keys() & now
        }
        periods = sorted((period for period in sizes if sizes[period] > 0), key=lambda period: (-sizes[period], period))
        if periods:
            parts = [_word_count(period, before[period], now[period], current.release.k) for period in periods]
            changes.append((sizes[periods[0]], f"{t.name_area(code)}: {_shorten(t, parts)}."))
    changes.sort(key=lambda change: -change[0])
    rest = len(changes) - _MOST_AREAS
    more = [format_plural("and {count} more", "and {count} more", rest)] if rest > 0 else []
    return [*(sentence for _size, sentence in changes[:_MOST_AREAS]), *more]


def _find_reach(period: str, *shown: CurrentRelease) -> float:
    """Return the largest number of children of a county that may stand behind a cell without a number."""
    return max(each.release.find_reach(_LEVEL, Period.parse(period).grain) for each in shown)


def _measure_change(before: Cell, now: Cell, reach: float) -> float:
    """Return the smallest possible change of the true number; 0 if noise can be the only reason or one is unknown."""
    change = compare_cells(before, now, reach, 0.0)
    return 0.0 if change is None else max(change.low, -change.high, 0.0)


def _word_count(period: str, before: Cell, now: Cell, k: int) -> str:
    return _(
        "{now} in {period} (before: {before})",
        period=format_period(period),
        now=_word_cell(now, k),
        before=_word_cell(before, k),
    )


def _word_cell(cell: Cell, k: int) -> str:
    published = cell.published
    if published.state != "number":
        words = format_quantity(published.value, published.low, published.high) or describe_state(published.state, k)
        return translate(words)
    number = format_number(published.value)
    return f"{number}\u00a0±{format_number(published.margin)}" if published.margin > 0 else number


def _shorten(t: Speech, parts: list[str]) -> str:
    rest = len(parts) - _MOST_PERIODS
    more = [format_plural("{count} more", "{count} more", rest)] if rest > 0 else []
    return t.join_parts([*parts[:_MOST_PERIODS], *more])


def _list_services(t: Speech, current: CurrentRelease, earlier: CurrentRelease) -> Iterator[str]:
    """Yield a sentence for each county or region whose number of services changed by more than noise can explain.

    The last period of the earlier release is compared with the last period of the current one.
    """
    before, now = _read_services(earlier), _read_services(current)
    for code in name_regions(current):
        if code in before and code in now and _measure_change(before[code], now[code], 0.0) > 0:
            yield _(
                "{area}: {now} services (before: {before}).",
                area=t.name_area(code),
                now=_word_cell(now[code], current.release.k),
                before=_word_cell(before[code], earlier.release.k),
            )


def _read_services(current: CurrentRelease) -> dict[str, Cell]:
    periods = SERVICES.periods(current.release, View(_LEVEL, ""))
    if not periods:
        return {}
    histories = {code: SERVICES.history(current.release, _LEVEL, code, {}) for code in name_regions(current)}
    return {code: history[periods[-1]] for code, history in histories.items() if periods[-1] in history}


def _list_contents(current: CurrentRelease, earlier: CurrentRelease) -> Iterator[str]:
    """Yield sentences on new periods of children met, and on layers that are newly shown, withheld or gone."""
    before, now = (ENCOUNTERS.periods(r.release, View(_LEVEL, "")) for r in (earlier, current))
    if before and (added := [period for period in now if period > max(before)]):
        yield _("Numbers of children met, new: {periods}.", periods=", ".join(map(format_period, added)))
    shown, was_shown = _list_layers(current), _list_layers(earlier)
    resources = replace(earlier.release, without=frozenset(), added=()).manifest["resources"]
    withheld = {str(resource.get("tact", {}).get("measure")) for resource in resources} & earlier.release.without
    for layer in LAYERS:
        title = translate(layer.title)
        if layer.id in withheld:
            yield _("{layer}: withheld at present.", layer=title)
        elif layer.id in shown - was_shown:
            yield _("{layer}: shown from this release on.", layer=title)
        elif layer.id in was_shown - shown:
            yield _("{layer}: not shown any more.", layer=title)


def _list_layers(current: CurrentRelease) -> set[str]:
    """Return the ids of the layers of the release itself. Those of the risk model, computed later, are left out."""
    release = replace(current.release, added=())
    return {layer.id for layer in LAYERS if layer.levels(release)}
