"""Write a GeoPackage: map layers with styles and descriptions, and plain tables.

The same release gives the same rows: the release's time replaces the time of writing.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyogrio

if TYPE_CHECKING:
    import geopandas as gpd

_SPECIAL = frozenset("!;")
# As QGIS creates them.
_STYLE_COLUMNS = (
    "id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
    *(f"{name} TEXT(256)" for name in ("f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column")),
    "styleName TEXT(30)",
    "styleQML TEXT",
    "styleSLD TEXT",
    "useAsDefault BOOLEAN",
    "description TEXT",
    "owner TEXT(30)",
    "ui TEXT(30)",
    "update_time DATETIME",
)


@dataclass
class Content:
    """The content of a file: map layers with their styles (QML) and descriptions, and plain tables."""

    maps: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


def write_geopackage(path: Path, content: Content, timestamp: str) -> None:
    """Write or replace the file; `timestamp` is the time (ISO 8601) stored in it; if empty, the start of 1970.

    A time without a time zone is taken as UTC.

    The file is written in a temporary folder beside it and then moved. Only if the path contains "!" or ";", which have
    a special meaning for GDAL, this folder is in the system's folder for temporary files: there a killed process would
    leave it.
    """
    parent = path.parent.absolute()
    aside = None if _SPECIAL.intersection(str(parent)) else parent
    with tempfile.TemporaryDirectory(prefix=".tact-", dir=aside) as folder:
        draft = Path(folder) / "layers.gpkg"
        _fill(draft, content, timestamp)
        shutil.move(draft, path)


def _fill(path: Path, content: Content, timestamp: str) -> None:
    # The bytes of a spatial index that a second thread builds would depend on the scheduler.
    pyogrio.set_gdal_config_options({"OGR_GPKG_ALLOW_THREADED_RTREE": "NO"})
    for name, frame in [*content.maps.items(), *content.tables.items()]:
        is_map = name in content.maps
        pyogrio.write_dataframe(
            frame,
            path,
            layer=name,
            driver="GPKG",
            append=path.exists(),
            use_arrow=True,
            layer_options={"DESCRIPTION": content.descriptions.get(name, "")}
            | ({"GEOMETRY_NAME": "geometry"} if is_map else {}),
            **({"geometry_type": "MultiPolygon", "promote_to_multi": True} if is_map else {}),
        )
    with closing(sqlite3.connect(path)) as file, file:
        _add_styles(file, content.styles, content.descriptions, timestamp)
        file.execute("UPDATE gpkg_contents SET last_change = ?", (_moment(timestamp),))
    with closing(sqlite3.connect(path)) as file:
        file.execute("VACUUM")


def _moment(timestamp: str) -> str:
    moment = pd.Timestamp(timestamp or "1970-01-01T00:00:00Z")
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _add_styles(
    file: sqlite3.Connection, styles: Mapping[str, str], descriptions: Mapping[str, str], timestamp: str
) -> None:
    """Write the table in which QGIS stores the default style of each layer."""
    file.execute(f"CREATE TABLE layer_styles ({', '.join(_STYLE_COLUMNS)})")
    rows = [
        ("", "", name, "geometry", name, style, "", True, descriptions.get(name, ""), "", None, _moment(timestamp))
        for name, style in styles.items()
    ]
    file.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    file.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'Default styles for QGIS')"
    )
