"""The layers of a view as the map needs them: each layer with its words and the size of its circles."""

from __future__ import annotations

from dashboard.map import values
from dashboard.map.values import Mark
from dashboard.map.view import MapView
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, Options
from dashboard.site.text import _, cache_by_language, translate
from data.release import Release
from data.tables.states import STATES, ZEROS
from geo.areas import Areas
from geo.layers.core import LayerData
from geo.layers.core.words import describe_state

# Radius of the largest circle in pixels: small areas get small circles, so that neighbours do not overlap.
_LARGEST_RADIUS = {"country": 28.0, "region": 22.0, "municipality": 15.0}
# The largest circle stands for at least this value, so that a map of low numbers does not look like one of high ones.
_SMALLEST_MAXIMUM = 25.0


def read_marks(current: CurrentRelease, view: MapView) -> list[Mark]:
    """Read the layers of a view with their words, the main layer first."""
    return [read_mark(current, name, view.level, view.period, view.key(name)) for name in view.layers]


@cache_by_language(maxsize=4096)
def read_mark(current: CurrentRelease, name: str, level: str, period: str, options: Options) -> Mark:
    """Read a layer with its words in the reader's language."""
    return make_mark(current_release.read_layer(current, name, level, period, options), level, current.release)


def make_mark(data: LayerData, level: str, release: Release) -> Mark:
    """Return a layer of a release at a level with its words in the reader's language."""
    labels = tuple(translate(label) for label in data.style.labels)
    title, unit = translate(data.legend.title), translate(data.legend.unit)
    radius = _LARGEST_RADIUS[level] * min(1.0, data.style.largest / _SMALLEST_MAXIMUM) ** 0.5
    words = describe_states(release, level)
    adjusted = {str(state): _("{state}; adjusted: {number}", state=words[state], number="{number}") for state in ZEROS}
    return Mark(data, title, unit, labels, words, radius, adjusted)


def describe_states(release: Release, level: str) -> dict[str, str]:
    """Return the words for each state of a release at a level, by its code, in the reader's language."""
    least = release.find_threshold(level)
    return {state: translate(describe_state(state, release.k, least)) for state in STATES}


def describe_view(current: CurrentRelease, areas: Areas, view: MapView) -> str:
    """Return a view for the map as a JavaScript literal."""
    titled = len(view.layers) > 1
    layers = [
        _describe_layer(current, areas, name, view.level, view.period, view.key(name), titled=titled)
        for name in view.layers
    ]
    return values.describe_map(layers, view.level, view.period, view.area, projector=view.projector)


@cache_by_language(maxsize=4096)
def _describe_layer(
    current: CurrentRelease, areas: Areas, name: str, level: str, period: str, options: Options, *, titled: bool
) -> str:
    mark = read_mark(current, name, level, period, options)
    return values.describe_layer(mark, areas.map_geometry(level)["codes"], titled=titled)
