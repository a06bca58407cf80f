"""A release as tables and maps, as docs/python.md describes it; built on the product's own packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import pandas as pd

from data.errors import InputError, ReleaseError
from data.release import WITHDRAWN, find_release, read_blocked, read_withdrawn
from data.release import Release as _Folder
from data.tables.spec import TIERS
from data.tables.states import STATES
from geo import areas as geography
from geo.layers import LAYERS, find_layer
from geo.layers.core import Layer as _Definition
from geo.layers.core import View
from geo.layers.output import terms, wide
from geo.layers.reading.tables import release_key
from tact.channel import Channel

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class Layer:
    """A layer that a release has.

    levels : the levels at which the release has the layer: country, region (a county in Albania), municipality.
    options : the choices of each option; the first is taken where none is given. A choice is listed if the release has
    it at one level or more.
    """

    id: str
    title: str
    question: str
    levels: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, repr=False)
class Release:
    """One tier of a release with its newest results, read-only; `open_release` returns it.

    Frames are copies: change them as you like. A column `state` is an ordered categorical with the categories
    `tact.STATES`; docs/researcher.md says what they mean. A missing `value` does not mean zero: the state
    says what the cell is.
    """

    _folder: _Folder

    def __repr__(self) -> str:
        """Return a text with the name and the tier."""
        return f"<Release {self.name}, {self.tier} tier>"

    @property
    def name(self) -> str:
        """The name of the release."""
        return self._folder.name

    @property
    def tier(self) -> Literal["partner", "public"]:
        """The tier of the release, "partner" or "public"."""
        return self._folder.tier

    @property
    def invented(self) -> bool:
        """Whether the numbers of the programme are invented."""
        return self._folder.invented

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to know before anything else: that numbers are invented, or that records of a partner are missing."""
        return tuple(terms.list_cautions(self._folder))

    @property
    def k(self) -> int:
        """The threshold: on the public tier, numbers of children below it are hidden."""
        return self._folder.k

    @property
    def citation(self) -> str:
        """The text with which to cite the release."""
        return terms.format_citation(self._folder)

    @property
    def licence(self) -> str:
        """The licence of the files of this tier."""
        return terms.find_licence(self._folder)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables, such as `children_region_year_pathway`.

        The parts of such a name are measure, level, length of the periods and, if the table has one, breakdown. Some
        tables have other names: `figures` (published figures), `indicators` (of the programme, if there are any) and
        `completeness` (what each partner sent; partner tier).
        """
        return self._folder.tables

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as it is stored, one row for each cell.

        Columns: area (code), period (ISO 8601), those of the breakdown, value and state; some tables also have margin,
        low, high and reconciled. (Those three have columns of their own.) In tables of counts `value` is
        the published number with its noise. It is missing unless the state is `number`. `reconciled` is the number
        adjusted so that parts add up. A published zero (`almost_none`, `not_searched`, `structural_zero`) may have it
        too, and it may then be above 0.

        The tables of risk exist once `tact risk` was run. They hold summaries of 4000 draws from the model, not the
        draws. Partner tier: `risk_region_whole_crossing` and `risk_region_quarter_crossing` have the rate divided by
        the national average (median, and lower and upper end of the 95 % interval) and the probability that the
        statement on it is true; `exceedance_...` has the probability that this ratio is above 1.5; `burden_...` has the
        children newly in need per quarter, with ranks. Public tier: `risk_region_year` has only classes.

        Raises ReleaseError if there is no such table, and ReleaseDamaged if its file was changed.
        """
        return _order_states(self._folder.table(name))

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers that the release has, in the order of the menu.

        Raises ReleaseDamaged if a file of the release was changed.
        """
        return tuple(self._describe(layer) for layer in LAYERS if layer.levels(self._folder))

    def _describe(self, layer: _Definition) -> Layer:
        levels = tuple(layer.levels(self._folder))
        options = {
            option.id: tuple(
                choice.id
                for choice in option.choices
                if any(layer.offers(self._folder, level, {option.id: choice.id}) for level in levels)
            )
            for option in layer.options
        }
        return Layer(layer.id, str(layer.title), str(layer.question), levels, options)

    def periods(self, layer: str, level: str = "region", **options: str) -> tuple[str, ...]:
        """Return the periods (ISO 8601) of a layer at a level, of all lengths, oldest first.

        Empty for a layer of published figures without periods. Raises InputError and ReleaseDamaged as `layer` does.
        """
        return self._list_periods(self._check(layer, level, options), level, options)

    def _list_periods(self, definition: _Definition, level: str, options: Mapping[str, str]) -> tuple[str, ...]:
        if not definition.periods(self._folder, View(level, "")):
            return ()
        return tuple(sorted(map(str, self._select_rows(definition, level, options)["period"].unique())))

    def _select_rows(self, definition: _Definition, level: str, options: Mapping[str, str]) -> pd.DataFrame:
        """Return the cells of a level for the choices of all options, of all periods."""
        rows = _read_rows(self._folder, release_key(self._folder), definition.id, level)
        for option, choice in self._complete(definition, options).items():
            rows = rows[rows[option] == choice]
        return rows

    def _complete(self, definition: _Definition, options: Mapping[str, str]) -> dict[str, str]:
        """Return a choice for each option of a layer: that of `options`, or the first that the release has."""
        first = {option: choices[0] for option, choices in self._describe(definition).options.items() if choices}
        return {**first, **options}

    def layer(self, layer: str, level: str = "region", period: str | None = None, **options: str) -> gpd.GeoDataFrame:
        """Return a layer as a map: a GeoDataFrame with one row for each area of the level, indexed by its code.

        CRS: EPSG:4326 (longitude, latitude). Compute areas and distances in EPSG:3035 (`to_crs(3035)`). An area
        without a known shape has no geometry.

        Columns: name, country, parent, km2 (computed in EPSG:3035), value, state, margin, low, high; noisy and
        noisy_margin (only for counts); source, year, note; columns that only this layer has; geometry. In the layer
        `encounters`, `value` is adjusted so that parts add up, and `margin` is its largest distance from the true
        count. `noisy` is the published number: use it with `channel`. `attrs` has title, unit, period (in words),
        source, margin, note, tier, citation and licence.

        period : one of `periods`; by default the latest of the longest periods. options : a choice for each of the
        layer's options; without one, the first that `layers` lists. Raises InputError for a layer, level, period,
        option or choice that the release does not have, also for a choice that it has at other levels alone, and
        ReleaseDamaged if a file of the release was changed.
        """
        definition = self._check(layer, level, options)
        if period is None:
            period = wide.choose_latest_view(self._folder, level).period
        elif period not in (periods := self._list_periods(definition, level, options)):
            listed = ", ".join(periods) or "none"
            raise InputError(f"Layer {layer} has no period {period!r} at level {level}. There are: {listed}.")
        data = definition.read(self._folder, View(level, period, self._complete(definition, options)))
        shapes = self._areas.frame(level).rename(columns={"name_en": "name"})
        shapes = shapes[["name", "country", "parent", "km2", "geometry"]].reindex(data.frame.index)
        frame = shapes.join(_order_states(data.frame))
        frame = frame[[*(name for name in frame.columns if name != "geometry"), "geometry"]].rename_axis("code")
        frame = frame.set_crs("EPSG:4326", allow_override=True)  # the same, with a short name
        legend = data.legend
        frame.attrs = {
            "title": str(legend.title), "unit": str(legend.unit), "period": str(legend.period),
            "source": str(legend.source), "margin": str(legend.margin), "note": str(legend.note),
            "tier": self.tier, "citation": self.citation, "licence": self.licence,
        }  # fmt: skip
        return frame

    def long_table(self, layer: str) -> pd.DataFrame:
        """Return all cells of a layer: one row for each area, period and choice of options.

        Each row has the names of its area and its state in words. The columns are those of the file that
        `tact export --format csv` writes. Raises InputError if the release does not have the layer, and ReleaseDamaged
        if a file of the release was changed.
        """
        return _order_states(wide.build_long_table(self._folder, self._check(layer)))

    def channel(self, measure: str = "children", level: str = "region") -> Channel:
        """Return the noise of the published counts of a measure (children, encounters or flows) at a level.

        On the partner tier municipalities show no number below a threshold; other levels show all numbers above 0.

        It is that of one draw. A number of the whole programme is the sum of the draws of its years.

        Raises InputError for a measure without noise, and for a release of an earlier version that was protected in
        another way.
        """
        return Channel._read(self._folder.manifest["tact"], measure, self._folder.find_threshold(level))  # noqa: SLF001

    @cached_property
    def _areas(self) -> geography.Areas:
        return geography.read_areas(self._folder.areas_file)

    def _check(
        self, layer: str, level: str | None = None, options: Mapping[str, str] = MappingProxyType({})
    ) -> _Definition:
        """Return the definition of a layer.

        Raises InputError for a layer, level, option or choice that the release does not have, or not at the level.
        """
        definition = find_layer(layer)
        description = self._describe(definition)
        if not description.levels or (level is not None and level not in description.levels):
            where = "" if level is None else f" at level {level!r}"
            raise InputError(
                f"This release has no layer {layer}{where}. Its levels are: {', '.join(description.levels) or 'none'}."
            )
        for option, choice in options.items():
            if option not in description.options:
                raise InputError(
                    f"Layer {layer} has no option {option!r}: {', '.join(description.options) or 'it has none'}."
                )
            if choice not in description.options[option]:
                raise InputError(
                    f"Option {option} is no {choice!r}. There are: {', '.join(description.options[option])}."
                )
        if level is not None and self._select_rows(definition, level, options).empty:
            others = [name for name in description.levels if len(self._select_rows(definition, name, options))]
            where = ", ".join(others) or "no level"
            raise InputError(f"Layer {layer} has no such numbers at level {level!r}. It has them at: {where}.")
        return definition


@lru_cache(maxsize=8)
def _read_rows(release: _Folder, _stamp: int, layer: str, level: str) -> pd.DataFrame:
    """Read all cells of a layer at a level once, because a release never changes. Never change this shared frame."""
    return find_layer(layer).rows(release, level)


def open_release(path: str | Path, tier: Literal["partner", "public"] = "public") -> Release:
    """Open a tier of a release and return it, with the newest results of the model for it.

    path : the folder of one release, `releases/NAME`; or the folder that contains `releases` (a workspace, or a folder
    that `tact publish` wrote), to open the release that readers are shown. Layers and tables that governance does not
    approve now are left out. Raises InputError for an unknown tier, ReleaseError if there is no such release or it was
    taken back, and ReleaseDamaged if its manifest or that of a result was changed.
    """
    if tier not in TIERS:
        raise InputError(f"No tier {tier!r}. There are: {', '.join(TIERS)}.")
    releases, name = find_release(Path(path))
    if name in read_withdrawn(releases):
        raise ReleaseError(f"Release {name} was taken back ({releases / WITHDRAWN}). Open another one.")
    results = releases.parent / "derived"
    derived = results if results.is_dir() else None
    return Release(_Folder.open(releases, tier, name, read_blocked(releases), derived))


def _order_states(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of a frame in which the column `state`, if there is one, is an ordered categorical."""
    if "state" not in frame:
        return frame.copy()
    return frame.assign(state=pd.Categorical(frame["state"], categories=list(STATES), ordered=True))
