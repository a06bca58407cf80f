"""GeoJSON (RFC 7946) of rows with shapes: longitude and latitude to a tenth of a metre."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

_DIGITS = 6
MEDIA_TYPE = "application/geo+json"


def round_shapes(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes (degrees) rounded to six decimals, with outer rings counter-clockwise. None stays None."""
    oriented = shapely.orient_polygons(shapes, exterior_cw=False)
    return np.asarray(shapely.transform(oriented, lambda xy: xy.round(_DIGITS)))


def format_shape(shape: shapely.Geometry | None) -> str:
    """Return a rounded shape as JSON; null for None or an empty shape."""
    return "null" if shape is None or shape.is_empty else str(shapely.to_geojson(shape))


def format_feature(identifier: str, shape: str, row: Mapping[str, Any]) -> str:
    """Return a feature as JSON; `shape` is the JSON of its geometry and `row` holds its properties.

    Raises ValueError for NaN and infinity in `row`.
    """
    start = f'{{"type":"Feature","id":{format_json(identifier)},"geometry":{shape}'
    return f'{start},"properties":{format_json(row)}}}'


def format_json(value: object) -> str:
    """Return JSON with unescaped letters; raises ValueError for NaN and infinity."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
