"""The forecast ledger: forecasts registered before their quarter arrived, and their scores when it has arrived.

An entry holds, for every forecaster, draws of the *published* number of children by area, quarter ahead and pathway,
stored as the number of draws of each value: quantiles, probabilities and all scores follow from them. So noise is part
of the forecast, and the forecast is compared with the numbers that a later release publishes, never with true counts.

A quarter has arrived when a release shows it. An entry made after that is late: it is marked and never scored. Entries
that were computed afterwards on invented data are marked as reconstructed, and never mixed with others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from data.errors import ReleaseError
from data.release import Release, names
from data.tables.periods import Period
from data.tables.spec import table_name
from data.workspace.hash_chain import Chain, Entry
from data.workspace.types import Floats
from data.workspace.version import code_version
from risk.evaluation import Evaluation, Verdict, score_forecast, summarise_scores
from risk.evaluation.baselines import BASELINES
from risk.evaluation.panel import Panel
from risk.evaluation.risk_model import MODEL, ModelForecaster, build_panel
from risk.model import RiskModel
from risk.model.burden import TOP
from risk.model.draws import Draws
from risk.model.forecast import forecast_counts
from risk.model.observations import Observations

KIND = "forecast"
COUNTS = table_name("model", "region", "quarter", "crossing", "found")  # the table that is forecast
AHEAD, DRAWS, SEED = 4, 1000, 0  # quarters, draws of each forecaster


def make_entry(
    release: Release,
    history: Panel,
    forecasts: Mapping[str, Floats],
    last_published: str,
    exceeding: Floats | None = None,
    *,
    silent: Collection[str] = (),
    reconstructed: bool = False,
) -> dict[str, Any]:
    """Return the content of an entry with the forecasts after the quarters of a history.

    `forecasts` are draws of each forecaster, (d, A, AHEAD, P), by name.
    `last_published` is the last quarter that any release shows: a forecast that begins with it, or earlier, is late.
    `exceeding` are probabilities that the rate is more than 1.5 times the country's, (A, P): registered, never scored.
    `silent` are areas on which no statement is possible: nothing is registered for them.
    """
    targets = list(_list_next(history.quarters[-1]))
    heard = [position for position, code in enumerate(history.areas) if code not in silent]
    history, forecasts = _select_areas(history, heard), {name: draws[:, heard] for name, draws in forecasts.items()}
    return {
        "kind": KIND,
        "release": release.name,
        "release_sha256": release.checksum,
        "tier": release.tier,
        "invented": release.invented,
        "code_version": code_version(),
        "origin": Period.parse(targets[0]).start.isoformat(),
        "last_known": history.quarters[-1],
        "last_published": last_published,
        "late": not reconstructed and last_published >= targets[0],
        "reconstructed": reconstructed,
        "targets": targets,
        "areas": list(history.areas),
        "pathways": list(history.pathways),
        "exceeding": [] if exceeding is None else np.round(exceeding[heard], 4).tolist(),
        "top": {name: _compute_top(draws, history.countries) for name, draws in forecasts.items()},
        "values": {name: _count_values(draws) for name, draws in forecasts.items()},
    }


def draw_forecasts(observations: Observations, draws: Draws) -> dict[str, Floats]:
    """Draw the published counts of the next quarters by the model, from draws of its fit, and by each baseline.

    Each is (d, A, AHEAD, P).
    """
    effort = observations.continue_effort(AHEAD)
    counts = forecast_counts(draws, observations, effort, seed=SEED, published=True)
    # Draws are shuffled, so that the first ones are a sample.
    return {MODEL: counts[:DRAWS].sum(axis=-1).astype(float), **_draw_baselines(build_panel(observations))}


def reconstruct_entries(release: Release, observations: Observations, quarters: int = 4) -> Iterator[dict[str, Any]]:
    """Yield the entries that would have been made before each of the last `quarters` quarters, from the data before it.

    Raises ReleaseError if the data are not invented: a forecast of real records is registered in time or never.
    """
    if not release.invented:
        raise ReleaseError(f"Release {release.name} is real: forecasts of the past are never made up for it.")
    whole, last_published = build_panel(observations), find_last_quarter(release)
    for origin in range(len(observations.quarters) - quarters, len(observations.quarters)):
        history = whole.until(origin)
        by_model = ModelForecaster(observations, RiskModel()).forecast(history, AHEAD, DRAWS, SEED)
        forecasts, silent = {MODEL: by_model, **_draw_baselines(history)}, observations.silent_places
        yield make_entry(release, history, forecasts, last_published, silent=silent, reconstructed=True)


def _draw_baselines(history: Panel) -> dict[str, Floats]:
    return {name: forecaster.forecast(history, AHEAD, DRAWS, SEED) for name, forecaster in BASELINES.items()}


def is_registered(chain: Chain, release: Release, history: Panel) -> bool:
    """Return whether the ledger has a forecast of this release after this history; a first one is never replaced."""
    wanted = {"release_sha256": release.checksum, "last_known": history.quarters[-1], "reconstructed": False}
    forecasts = (entry.content for entry in chain.entries if entry.content["kind"] == KIND)
    return any(all(content[key] == value for key, value in wanted.items()) for content in forecasts)


def find_last_quarter(release: Release) -> str:
    """Return the last quarter that this release, or any other in the same folder, shows; empty if none shows any."""
    releases = release.folder.parent.parent
    quarters = []
    for name in names(releases):
        with suppress(ReleaseError):  # of figures alone, or of another tier
            quarters.append(str(Release.open(releases, release.tier, name).table(COUNTS)["period"].max()))
    return max(quarters, default="")


def _list_next(quarter: str) -> Iterator[str]:
    """Yield the identifiers of the AHEAD quarters after a quarter."""
    period = Period.parse(quarter)
    for _ in range(AHEAD):
        period = period.next()
        yield period.id


def _count_values(draws: Floats) -> list[list[int]]:
    """Return for each cell each drawn value, followed by the number of times that it was drawn.

    draws : (d, A, AHEAD, P). The cells are in the order of areas, then quarters, then pathways.
    """
    counted = (np.unique(cell, return_counts=True) for cell in draws.reshape(len(draws), -1).T)
    return [[int(number) for pair in zip(*pairs, strict=True) for number in pair] for pairs in counted]


def _compute_top(draws: Floats, countries: Sequence[str]) -> list[float]:
    """Return the probability that each area is among the TOP of its country, eq. (93), from draws, (d, A, AHEAD, P).

    Areas are ranked by the sum of children over all quarters and pathways.
    """
    return [round(float(share), 4) for share in _is_top(draws.sum(axis=(2, 3)), countries).mean(axis=0)]


def _is_top(totals: Floats, countries: Sequence[str]) -> Floats:
    """Return 1.0 for each area if fewer than TOP areas of its country have a larger total, else 0.0.

    The shape is (..., A), in and out.
    """
    codes = np.array(countries)
    out = np.zeros(totals.shape)
    for code in dict.fromkeys(countries):
        inside = codes == code
        country_totals = totals[..., inside]
        out[..., inside] = (country_totals[..., None, :] > country_totals[..., :, None]).sum(axis=-1) < TOP
    return out


def read_draws(content: Mapping[str, Any], forecaster: str) -> Floats:
    """Return the draws of a forecaster in an entry, sorted, (d, A, AHEAD, P)."""
    cells = [np.repeat(cell[::2], cell[1::2]) for cell in content["values"][forecaster]]
    shape = (len(content["areas"]), len(content["targets"]), len(content["pathways"]))
    return np.stack(cells, axis=1).astype(float).reshape(-1, *shape)


def read_complete_panel(observations: Observations) -> Panel:
    """Return the published counts, summed over ways of finding; NaN where the count of any way is not published.

    All forecasters are scored on the same counts. The scores are only those of published counts; the number of counts
    left out is reported with them.
    """
    panel = build_panel(observations)
    complete = (observations.published >= 0).all(axis=-1)
    return replace(panel, counts=np.where(complete, panel.counts, np.nan))


@dataclass(frozen=True)
class AreaRecord:
    """The scores of an area.

    counts : number of scored counts. log, wis : mean scores of the model. log_best, wis_best : those of the best
    baseline. in_80, in_95 : share of counts (0 to 1) in these intervals of the model. pit : mean PIT of the model.
    """

    area: str
    counts: int
    log: float
    log_best: float
    wis: float
    wis_best: float
    in_80: float
    in_95: float
    pit: float


@dataclass(frozen=True)
class TrackRecord:
    """The scores of all registered forecasts whose quarter has arrived.

    reconstructed : whether the entries are reconstructed ones. entries : number of entries that are scored. late :
    number of late entries, which are not scored. origins : first day of the first quarter of each forecast. left_out :
    number of counts that are not published. scores : rows by forecaster: log, wis, crps, counts, in_50, in_80, in_95
    and the tenths of the PIT. ahead : rows by forecaster and quarters ahead: log, crps, wis, dss and counts. top : rows
    by forecaster: Brier score of the probabilities of being among the five areas of a country with the most children,
    and the number of these probabilities; empty until all quarters of an entry have arrived with all counts published.
    verdict : the model against the baseline with the best log score on the same counts. This baseline is chosen when
    the scores are known, so it is the hardest to beat. areas : the scores of each area.
    """

    reconstructed: bool
    entries: int
    late: int
    origins: tuple[str, ...]
    left_out: int
    scores: tuple[Mapping[str, Any], ...]
    ahead: tuple[Mapping[str, Any], ...]
    top: tuple[Mapping[str, Any], ...]
    verdict: Verdict
    areas: tuple[AreaRecord, ...]

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> TrackRecord:
        """Read the plain values of a track record in a manifest."""
        tables = {name: tuple(values[name]) for name in ("scores", "ahead", "top", "origins")}
        areas = tuple(AreaRecord(**row) for row in values["areas"])
        return cls(**{**values, **tables, "areas": areas, "verdict": Verdict.read(values["verdict"])})


def list_forecasts(chain: Chain) -> list[Entry]:
    """List the entries that can be scored: the first of each origin that is not late; reconstructed ones separately."""
    forecasts = [entry for entry in chain.entries if entry.content["kind"] == KIND and not entry.content["late"]]
    first: dict[tuple[str, bool], Entry] = {}
    for entry in forecasts:
        first.setdefault((entry.content["origin"], entry.content["reconstructed"]), entry)
    return list(first.values())


def score_ledger(chain: Chain, observations: Observations) -> TrackRecord | None:
    """Compute the scores of registered forecasts against the numbers of a release; None if no count can be scored.

    Reconstructed entries are scored only as long as no other entry can be scored.
    """
    panel = read_complete_panel(observations)
    arrived = [entry for entry in list_forecasts(chain) if entry.content["targets"][0] in panel.quarters]
    genuine = [entry for entry in arrived if not entry.content["reconstructed"]]
    counted = genuine or arrived
    area_codes = {code for entry in counted for code in entry.content["areas"]}
    panel = _select_areas(panel, [place for place, code in enumerate(panel.areas) if code in area_codes])
    frames = [frame for entry in counted for frame in _score_entry(entry, panel)]
    if not frames or all(frame["log"].isna().all() for frame in frames):
        return None
    forecasters = dict.fromkeys(name for entry in counted for name in entry.content["values"])
    evaluation = summarise_scores(frames, panel, forecasters, SEED)
    rivals = [evaluation.beats(MODEL, name) for name in forecasters if name != MODEL]
    verdict = min(rivals, key=lambda rival: rival.gained)
    unknown = evaluation.cells["observed"].isna() & (evaluation.cells["forecaster"] == MODEL)
    return TrackRecord(
        reconstructed=not genuine,
        entries=len(counted),
        late=sum(entry.content["kind"] == KIND and entry.content["late"] for entry in chain.entries),
        origins=tuple(entry.content["origin"] for entry in counted),
        left_out=int(unknown.sum()),
        scores=tuple(_list_rows(_join_scores(evaluation))),
        ahead=tuple(_list_rows(evaluation.scores)),
        top=tuple(_score_top(counted, panel)),
        verdict=verdict,
        areas=tuple(_score_areas(evaluation, verdict.baseline)),
    )


def _select_areas(panel: Panel, places: Sequence[int]) -> Panel:
    """Return a panel that has only the areas at these positions, and no neighbours."""
    return replace(
        panel,
        areas=tuple(panel.areas[place] for place in places),
        countries=tuple(panel.countries[place] for place in places),
        expected=panel.expected[places],
        counts=panel.counts[places],
        effort=panel.effort[places],
        edges=np.empty((0, 2), np.int64),  # no score depends on neighbours
    )


def _score_entry(entry: Entry, panel: Panel) -> Iterator[pd.DataFrame]:
    content = entry.content
    origin = panel.quarters.index(content["targets"][0])
    places = [place for place, code in enumerate(panel.areas) if code in content["areas"]]
    part = _select_areas(panel, places)
    keep = [content["areas"].index(code) for code in part.areas]
    ahead = min(len(content["targets"]), len(panel.quarters) - origin)
    for name in content["values"]:
        draws = read_draws(content, name)[:, keep, :ahead]
        frame = score_forecast(part, name, origin, draws, SEED)
        yield frame.assign(area=np.array(places)[frame["area"]])


def _score_top(entries: Sequence[Entry], panel: Panel) -> Iterator[dict[str, Any]]:
    """Yield the Brier score of each forecaster's probabilities, eq. (93).

    Only entries are used whose quarters have all arrived, with all counts published.
    """
    errors: dict[str, list[float]] = {}
    for content in (entry.content for entry in entries):
        if content["targets"][-1] not in panel.quarters or not set(content["areas"]) <= set(panel.areas):
            continue
        part = _select_areas(panel, [panel.areas.index(code) for code in content["areas"]])
        first = panel.quarters.index(content["targets"][0])
        totals = part.counts[:, first : first + len(content["targets"])].sum(axis=(1, 2))
        if not np.isnan(totals).any():
            in_top = _is_top(totals, part.countries)
            for name, chances in content["top"].items():
                errors.setdefault(name, []).extend((np.array(chances) - in_top) ** 2)
    for name, squares in errors.items():
        yield {"forecaster": name, "brier": float(np.mean(squares)), "chances": len(squares)}


def _join_scores(evaluation: Evaluation) -> pd.DataFrame:
    """Return mean scores and calibration of each forecaster over all quarters ahead, the best log score first."""
    cells = evaluation.cells.dropna(subset=["observed"])
    groups = cells.groupby("forecaster", observed=True)
    means = groups[["log", "wis", "crps"]].mean().assign(counts=groups.size()).reset_index()
    return means.merge(evaluation.calibration, on="forecaster").sort_values("log", ascending=False)


def _score_areas(evaluation: Evaluation, best: str) -> Iterator[AreaRecord]:
    cells = evaluation.cells.dropna(subset=["observed"])
    rows = {name: cells[cells["forecaster"] == name] for name in (MODEL, best)}
    rival = rows[best].groupby("area", observed=True)[["log", "wis"]].mean()
    for area, area_cells in rows[MODEL].groupby("area", observed=True):
        means = area_cells[["log", "wis", "in_80", "in_95", "pit"]].mean()
        other = rival.loc[area]
        yield AreaRecord(
            str(area), len(area_cells), *map(float, (means["log"], other["log"], means["wis"], other["wis"])),
            *map(float, (means["in_80"], means["in_95"], means["pit"])),
        )  # fmt: skip


def _list_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.assign(forecaster=table["forecaster"].astype(str))
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
