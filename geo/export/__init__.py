"""Export layers as GeoPackage, GeoJSON, CSV, XLSX and GeoParquet, each with codebook, method and licence.

All content comes from one release through the layers; a public release contains public tables only, so nothing else
can get into its files. Layers that may not be combined (geo/layers/__init__.py) get separate files. Every file
states its tier, its release and whether it is invented; so does every row of a layer, except in the long tables of a
GeoPackage.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError
from data.release import Release
from data.workspace.safe_text import escape_frame
from geo.export import geojson, gpkg, package, qgis, xlsx
from geo.layers import LAYERS, find_layer, group_layers
from geo.layers.core import Layer, LayerData
from geo.layers.output import terms, wide
from geo.layers.output.columns import EVERY_ROW, build_codebook

__all__ = ["FORMATS", "build_about", "export_layers", "list_layers", "name_together", "pack_files", "split_layers"]

_AS_TEXT = (
    "Read the column “code” as text, or some codes will be damaged. "
    'In pandas: read_csv(file, dtype={"code": str}). '
    'In R: read.csv(file, fileEncoding = "UTF-8-BOM", colClasses = c(code = "character")).'
)
_COMMUNITIES = "communities"
# Columns that the long tables of a GeoPackage leave out: its area layers and tables "about" and "codebook" have them.
_SAID_ELSEWHERE = ["name_local", "country", "parent", "period_label", "state_words", "data", "tier", "release"]


def list_layers(release: Release) -> tuple[Layer, ...]:
    """List the layers for which the release has data."""
    return tuple(layer for layer in LAYERS if layer.levels(release))


def split_layers(release: Release, layers: Iterable[str] | None = None) -> list[tuple[Layer, ...]]:
    """Return the layers of the release in groups; the layers of one group may be in the same file.

    layers : identifiers of the wanted layers, by default all. Raises InputError for an unknown layer, and when the
    release has none of the wanted layers.
    """
    identifiers = {find_layer(name).id for name in layers} if layers is not None else {layer.id for layer in LAYERS}
    available = [layer.id for layer in list_layers(release) if layer.id in identifiers]
    if not available:
        msg = f"The {release.tier} tier of release {release.name} has none of these layers."
        raise InputError(msg)
    return [tuple(find_layer(name) for name in names) for names in group_layers(release.tier, available)]


def export_layers(
    release: Release,
    folder: Path,
    formats: Iterable[str],
    layers: Iterable[str] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> list[Path]:
    """Write the layers (all by default) into a folder in each format, and return the files.

    `progress` is called with the number of finished steps (a format of one group of layers) and the number of all
    steps. Raises InputError if `formats` is empty, for an unknown format or layer, when the release has none of the
    layers, and for a table that is too long for a sheet of a workbook.
    """
    wanted = list(dict.fromkeys(formats))
    unknown = [f for f in wanted if f not in FORMATS]
    if unknown or not wanted:
        msg = f"No format {', '.join(unknown) or '(none given)'}. There are: {', '.join(FORMATS)}."
        raise InputError(msg)
    work = [(FORMATS[name], part) for name in wanted for part in split_layers(release, layers)]
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for number, (write, part) in enumerate(work, start=1):
        files += write(release, folder, part)
        if progress is not None:
            progress(number, len(work))
    return list(dict.fromkeys(files))


def pack_files(files: Iterable[Path]) -> bytes:
    """Return a ZIP archive of files; the same files give the same bytes."""
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files, key=lambda p: p.name):
            entry = zipfile.ZipInfo(path.name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return whole.getvalue()


def name_together(release: Release, layers: tuple[Layer, ...]) -> str:
    """Return the name, without suffix, of a file with these layers; it says if all are community layers."""
    name = terms.name_files(release, invented=wide.has_invented_numbers(release, layers))
    return f"{name}-{_COMMUNITIES}" if all(layer.nature == "community" for layer in layers) else name


def _layer_stem(release: Release, layer: Layer) -> str:
    return f"{terms.name_files(release, invented=wide.has_invented_numbers(release, [layer]))}-{layer.id}"


def read_shapes(release: Release) -> gpd.GeoDataFrame:
    """Read the areas' shapes in full resolution, indexed by code (EPSG:4326).

    Raises ReleaseDamaged if the file of areas is missing or was changed.
    """
    areas = gpd.read_parquet(release.areas_file).set_index("code")
    return areas[["geometry"]]


def _map(release: Release, shapes: gpd.GeoDataFrame, layer: Layer, level: str) -> tuple[gpd.GeoDataFrame, LayerData]:
    rows, data = wide.build_map_table(release, layer, level)
    geometry = shapes["geometry"].reindex(rows.index)
    return gpd.GeoDataFrame(rows.reset_index(), geometry=list(geometry), crs=4326), data


def build_about(release: Release, layers: tuple[Layer, ...]) -> pd.DataFrame:
    """Return the description of a file with these layers. Columns: key, value."""
    return pd.DataFrame(list(terms.describe_file(release, layers).items()), columns=["key", "value"], dtype="str")


def _described(release: Release, data: LayerData) -> str:
    legend = data.legend
    same = legend.title.lower() == legend.unit.lower()
    subject = legend.title if same else f"{legend.title}, {legend.unit}"
    parts = (
        terms.INVENTED if data.invented else "",
        f"{subject}, {legend.period}. Source: {legend.source}.",
        f"{legend.margin[:1].upper()}{legend.margin[1:]}." if legend.margin else "",
        legend.note,
        terms.TIERS[release.tier],
        terms.describe_boundaries(release),
    )
    return " ".join(filter(None, parts))


def _geopackage(release: Release, folder: Path, layers: tuple[Layer, ...]) -> list[Path]:
    content, shapes = gpkg.Content(), read_shapes(release)
    for layer in layers:
        for level in layer.levels(release):
            name = f"{layer.id}_{level}"
            content.maps[name], data = _map(release, shapes, layer, level)
            content.styles[name] = qgis.format_style(data, release.find_threshold(level))
            content.descriptions[name] = _described(release, data)
        repeated = _SAID_ELSEWHERE if layer.of_figures else [*_SAID_ELSEWHERE, "source"]
        content.tables[f"{layer.id}_all"] = wide.build_long_table(release, layer).drop(columns=repeated)
    content.tables["codebook"] = build_codebook(release, layers)
    content.tables["about"] = build_about(release, layers)
    content.tables["sources"] = terms.list_sources(release)
    path = folder / f"{name_together(release, layers)}.gpkg"
    gpkg.write_geopackage(path, content, str(release.manifest.get("created") or ""))
    return [path]


def _geojson(release: Release, folder: Path, layers: tuple[Layer, ...]) -> list[Path]:
    shapes, files = read_shapes(release), []
    for layer in layers:
        for level in layer.levels(release):
            frame, data = _map(release, shapes, layer, level)
            path = folder / f"{_layer_stem(release, layer)}-{level}.geojson"
            description = {**terms.describe_file(release, (layer,)), "description": _described(release, data)}
            path.write_text(_format_geojson(frame, description), encoding="utf-8", newline="\n")
            files += [path, _style_beside(path, data, release.find_threshold(level))]
    return [*files, *_write_explanations(release, folder, layers)]


def _style_beside(path: Path, data: LayerData, least: int) -> Path:
    style = path.with_suffix(".qml")
    style.write_text(qgis.format_style(data, least), encoding="utf-8", newline="\n")
    return style


def _format_geojson(frame: gpd.GeoDataFrame, description: dict[str, str]) -> str:
    shapes = map(geojson.format_shape, geojson.round_shapes(frame.geometry.to_numpy()))
    rows = frame.drop(columns="geometry").to_dict("records")
    features = [
        geojson.format_feature(row["code"], shape, {k: _json_value(v) for k, v in row.items()})
        for row, shape in zip(rows, shapes, strict=True)
    ]
    body = ",\n".join(features)
    return f'{{"type":"FeatureCollection","tact":{geojson.format_json(description)},"features":[\n{body}\n]}}\n'


def _json_value(value: object) -> object:
    """Convert a cell to a JSON value: None if the cell is missing; whole numbers without decimals."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.item() if hasattr(value, "item") else value


def _csv(release: Release, folder: Path, layers: tuple[Layer, ...]) -> list[Path]:
    files, resources = [], []
    for layer in layers:
        table = wide.build_long_table(release, layer)
        files.append(folder / f"{_layer_stem(release, layer)}.csv")
        write_csv(files[-1], table)
        resources.append(package.describe_csv(files[-1], layer.id, package.list_fields(layer, table)))
    stem = name_together(release, layers)
    about = terms.describe_file(release, layers)
    described = package.describe_package(
        release, "-".join(layer.id for layer in layers), about["title"], about.get("method", ""), resources
    )
    files.append(folder / f"{stem}-datapackage.json")
    files[-1].write_text(f"{geojson.format_json(described)}\n", encoding="utf-8", newline="\n")
    return [*files, *_write_explanations(release, folder, layers)]


def _write_explanations(release: Release, folder: Path, layers: tuple[Layer, ...]) -> list[Path]:
    """Write the codebook and the read-me as separate files, for formats that cannot contain them; return the files."""
    stem = name_together(release, layers)
    book, readme = folder / f"{stem}-codebook.csv", folder / f"{stem}-README.txt"
    write_csv(book, build_codebook(release, layers))
    readme.write_text(_readme(release, layers), encoding="utf-8", newline="\n")
    return [book, readme]


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV for spreadsheets, see `encode_csv`."""
    path.write_bytes(encode_csv(table))


def encode_csv(table: pd.DataFrame) -> bytes:
    """Return a CSV in UTF-8 with a byte order mark, for spreadsheets.

    Columns of whole numbers are written without ".0". Texts that a spreadsheet would take for formulas are escaped.
    """
    safe = escape_frame(table)
    for name in safe.select_dtypes("float").columns:
        if (safe[name].dropna() % 1 == 0).all():
            safe[name] = safe[name].astype("Int64")
    return safe.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")


def _readme(release: Release, layers: tuple[Layer, ...]) -> str:
    description = terms.describe_file(release, layers)
    states = build_codebook(release, layers).query("kind == 'state'")
    credit = terms.list_sources(release)
    sections = {
        "About": [f"{key.replace('_', ' ')}: {value}" for key, value in description.items()],
        "States": [f"{v}: {m}" for v, m in zip(states["value"], states["meaning"], strict=True)],
        "Rows": [EVERY_ROW],
        "Reading": [_AS_TEXT],
        "Layers": [f"{layer.id}: {layer.question} {_note(release, layer)}" for layer in layers],
        "Sources": [" | ".join(filter(None, row)) for row in credit.itertuples(index=False, name=None)],
    }
    return "\n".join("\n".join([name, "-" * len(name), *lines, ""]) for name, lines in sections.items())


def _note(release: Release, layer: Layer) -> str:
    return layer.read(release, wide.choose_latest_view(release, layer.levels(release)[0])).legend.note


def _excel(release: Release, folder: Path, layers: tuple[Layer, ...]) -> list[Path]:
    sheets = {"About": build_about(release, layers)}
    sheets |= {layer.title: wide.build_long_table(release, layer) for layer in layers}
    sheets |= {"Codebook": build_codebook(release, layers), "Sources": terms.list_sources(release)}
    path = folder / f"{name_together(release, layers)}.xlsx"
    xlsx.write_workbook(path, sheets, terms.describe_file(release, layers)["title"])
    return [path]


def _geoparquet(release: Release, folder: Path, layers: tuple[Layer, ...]) -> list[Path]:
    shapes, files = read_shapes(release), []
    for layer in layers:
        description = {f"tact:{k}": v for k, v in terms.describe_file(release, (layer,)).items()}
        for level in layer.levels(release):
            frame, data = _map(release, shapes, layer, level)
            path = folder / f"{_layer_stem(release, layer)}-{level}.parquet"
            frame.to_parquet(path, index=False, compression="zstd")
            _write_metadata(path, {**description, "tact:description": _described(release, data)})
            files += [path, _style_beside(path, data, release.find_threshold(level))]
        path = folder / f"{_layer_stem(release, layer)}-all.parquet"
        pq.write_table(
            pa.Table.from_pandas(wide.build_long_table(release, layer), preserve_index=False), path, compression="zstd"
        )
        _write_metadata(path, description)
        files.append(path)
    stem = name_together(release, layers)
    files.append(folder / f"{stem}-codebook.parquet")
    pq.write_table(pa.Table.from_pandas(build_codebook(release, layers), preserve_index=False), files[-1])
    return files


def _write_metadata(path: Path, description: dict[str, str]) -> None:
    """Add entries to the metadata of a Parquet file, which is written again."""
    table = pq.read_table(path)
    pq.write_table(
        table.replace_schema_metadata({**(table.schema.metadata or {}), **description}), path, compression="zstd"
    )


FORMATS: dict[str, Callable[[Release, Path, tuple[Layer, ...]], list[Path]]] = {
    "gpkg": _geopackage,
    "geojson": _geojson,
    "csv": _csv,
    "xlsx": _excel,
    "parquet": _geoparquet,
}
