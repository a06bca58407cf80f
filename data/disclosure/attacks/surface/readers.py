"""Readers of exported files: the tables and texts of a file from any program.

A table is a DataFrame with the headings of the file; titles are the words on the shapes of a picture; a text is
anything that a person or a script could read, except geometry. The surface attack reports a file that cannot be read.
"""

from __future__ import annotations

import io
import json
import math
import re
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

import pandas as pd
import pyarrow.parquet as pq

from data.disclosure.attacks.surface import workbook

# Errors that a damaged or unknown file may raise.
UNREADABLE = (
    ValueError,
    LookupError,
    OSError,
    ET.ParseError,
    expat.ExpatError,
    sqlite3.Error,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
)


class Title(NamedTuple):
    """The words of a shape in a picture, the code of its area ("" for none), and the numbers in its attributes."""

    area: str
    words: str
    numbers: Mapping[str, float]


Content = tuple[str, pd.DataFrame | str | list[Title]]  # place in the file, and its content

# Tables of a GeoPackage without data: extents, numbers of rows, indexes.
_BOOKKEEPING = re.compile(r"^(gpkg_(?!metadata$)|rtree_|sqlite_)")
_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_CONTAINERS = {".zip", ".kmz", ".qgz"}
_MOST_DEEP = 3  # containers inside each other
# Bytes unpacked: exports are five to fifty times as large unpacked as packed. Small ones may be more.
_LARGEST, _MOST_TIMES, _SMALL = 2_000_000_000, 100, 50_000_000
_TEXTS = {".txt", ".cff", ".bib", ".md", ".css", ".csvt", ".prj", ".cpg"}
_MARKUP = {".xml", ".qml", ".qmd", ".qlr", ".qgs"}
_SILENT_KEYS = {b"pandas", b"geo", b"ARROW:schema"}


def read_contents(path: Path, codes: Container[str] = ()) -> Iterator[Content]:
    """Yield the place and the content of all tables, texts and titles of a file.

    `codes`: the area codes, used to assign values in scripts and JSON to areas. Raises ValueError for a kind of file
    without a reader, and one of the errors in UNREADABLE for a damaged file.
    """
    yield from _content(path.name, path.suffix.lower(), path.read_bytes(), codes)


def _content(name: str, suffix: str, data: bytes, codes: Container[str], depth: int = 0) -> Iterator[Content]:
    if suffix in _CONTAINERS:
        yield from _archive(name, data, codes, depth)
    elif suffix in _MARKUP:
        yield from ((name, what) for what in _markup(data, codes))
    elif suffix in (".json", ".geojson", ".jsonld"):
        for table in collect_tables(json.loads(data.decode("utf-8")), codes):
            yield name, table
    elif suffix == ".html":
        yield from _page(name, data.decode("utf-8", "replace"), codes)
    elif suffix == ".js":
        yield from _script(name, data.decode("utf-8", "replace"), codes)
    elif suffix in READERS:
        for where, what in READERS[suffix](data):
            yield f"{name}{where}", what
    else:
        msg = f"{name}: no reader for files of this kind"
        raise ValueError(msg)


def _archive(name: str, data: bytes, codes: Container[str], depth: int) -> Iterator[Content]:
    """Yield the contents of all parts of an archive.

    Raises ValueError for an archive that unpacks to far more than an export, or lies inside too many others.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # No part is read further than to the size that it states.
        size = sum(part.file_size for part in archive.infolist())
        if depth >= _MOST_DEEP or size > _LARGEST or size > max(_SMALL, _MOST_TIMES * len(data)):
            msg = f"{name}: unpacks to {size:,} bytes, or is packed too often"
            raise ValueError(msg)
        for inner in archive.namelist():
            for where, what in _content(inner, Path(inner).suffix.lower(), archive.read(inner), codes, depth + 1):
                yield f"{name}/{where}", what


def _markup(data: bytes, codes: Container[str]) -> Iterator[pd.DataFrame | str]:
    """Yield the text of a markup file, such as a QGIS project, and the numbers that stand beside an area in it.

    Raises ValueError for a file that defines entities, because entities can make a small file very large.
    """
    pieces: list[str] = []
    elements: list[dict[str, str]] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.CharacterDataHandler = parser.CommentHandler = pieces.append
    parser.ProcessingInstructionHandler = lambda _target, text: pieces.append(text)
    parser.EntityDeclHandler = _refuse_entity

    def start(_name: str, attributes: dict[str, str]) -> None:
        pieces.extend(attributes.values())
        elements.append(attributes)

    parser.StartElementHandler = start
    parser.Parse(data, True)
    yield " ".join(pieces)
    rows = [{**cells, "area": code} for cells in elements for code in cells.values() if _is_area(code, codes)]
    rows += [row for piece in pieces for row in _list_beside(piece, codes)]
    if rows:
        yield pd.DataFrame(rows)


def _refuse_entity(name: str, *_: object) -> None:
    msg = f"defines the entity {name}"
    raise ValueError(msg)


def _is_area(word: str, codes: Container[str]) -> bool:
    """Return whether a word is the code of an area, and no short number."""
    return word in codes and (not word.isdigit() or len(word) >= _LONG_CODE)


def _list_beside(text: str, codes: Container[str]) -> Iterator[dict[str, str]]:
    """Yield each number of an expression, such as CASE WHEN area = 'AL-11' THEN 7, with the area that precedes it."""
    area = ""
    for word in _PARTS.findall(DATES.sub(" ", text)):
        if _is_area(word, codes):
            area = word
        elif area and _PLAIN.fullmatch(word):
            yield {"area": area, "value": word}


_LONG_CODE = 6  # digits, as those of Albanian municipalities have
_PARTS = re.compile(r"[\w.-]*\w")
DATES = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:.]+Z?)?(/\S+)?|\d+(\.\d+){2,}|[0-9a-f]{12,}", re.IGNORECASE)


def _csv(data: bytes) -> Iterator[Content]:
    text = data.decode("utf-8-sig")
    yield "", pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)


def _parquet(data: bytes) -> Iterator[Content]:
    table = pq.read_table(io.BytesIO(data))
    described = {k: v for k, v in (table.schema.metadata or {}).items() if k not in _SILENT_KEYS}
    yield from ((f" metadata {k.decode()}", v.decode("utf-8", "replace")) for k, v in described.items())
    columns = [n for n, t in zip(table.column_names, table.schema.types, strict=True) if "binary" not in str(t)]
    yield "", table.select(columns).to_pandas()


def _script(name: str, text: str, codes: Container[str]) -> Iterator[Content]:
    """Yield the text of a script or page, and the values beside areas in all JSON in it (`collect_tables`)."""
    yield name, text
    # Code has many braces that begin no value, and each try costs the length of the text.
    decoder, position, opening = json.JSONDecoder(), 0, re.compile(r'\{(?=\s*["}])|\[(?=\s*["{\[\]\d\-tfnNI])')
    while (match := opening.search(text, position)) is not None:
        try:
            value, position = decoder.raw_decode(text, match.start())
        except ValueError:
            position = match.end()
            continue
        for table in collect_tables(value, codes):
            yield name, table


def _page(name: str, text: str, codes: Container[str]) -> Iterator[Content]:
    """Yield the contents of a page as those of a script, and a table for each layer and level of an atlas.

    See dashboard/map/atlas.py for the data of an atlas.
    """
    yield from _script(name, text, codes)
    for block in _DATA.findall(text):
        value = json.loads(block)
        if "styles" in value:
            for level, codes_of_level in value["codes"].items():
                for layer in value["layers"]:
                    views = [view for choice in layer["choices"] for view in choice["levels"].get(level, ())]
                    rows = [row for view in views for row in read_view(view, codes_of_level, value["states"])]
                    yield f"{name} {layer['id']} {level}", pd.DataFrame(rows, columns=_CELL)


_DATA = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.DOTALL)
_RUN = re.compile(r"\((\d+)\)$")
_SEVERAL = re.compile(r"[,(]")
_VIEW = {"period", "grain", "when", "style", "s", "v", "m", "low", "high"}
_CELL = ["area", "period", "state", "value", "margin", "low", "high"]


def read_view(view: Mapping[str, str], codes: list[str], states: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Yield the cells of a view as rows of a table.

    A view has one character for each area (a digit is a class, a letter a state), and numbers for each digit. `codes`:
    the areas. `states`: the state for each letter. Raises ValueError if a view has anything else, too many or too few
    numbers, or classes that do not follow from its numbers.
    """
    if unknown := set(view) - _VIEW:
        msg = f"a view of an atlas holds more than its cells: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    marks = re.sub(r"(.)\((\d+)\)", lambda run: run[1] * int(run[2]), view["s"])
    count, one_margin = sum(mark.isdigit() for mark in marks), not _SEVERAL.search(view.get("m", ""))
    numbers = zip(*(_spread(view.get(name, ""), count) for name in ("v", "m", "low", "high")), strict=True)
    classes = set()
    for area, mark in zip(codes, marks, strict=True):
        if not mark.isdigit():
            yield area, view.get("period", ""), states[mark], *[math.nan] * 4
            continue
        value, margin, low, high = (float(text or "nan") for text in next(numbers))
        if math.isnan(value):
            rest = math.nan if one_margin else margin
            yield area, view.get("period", ""), "class", value, rest, low, high
        else:
            classes.add((value, int(mark)))
            yield area, view.get("period", ""), "number", value, margin, low, high
    for (smaller, lower), (larger, upper) in pairwise(sorted(classes)):
        if smaller == larger or lower > upper:
            msg = "the classes of an atlas do not follow from its numbers"
            raise ValueError(msg)


def _spread(text: str, count: int) -> list[str]:
    """Return the parts of a text with commas. "x(4)" stands for four times x; a single part stands for all.

    Raises ValueError if there are not `count` parts.
    """
    parts = [part for run in text.split(",") for part in [_RUN.sub("", run)] * int((_RUN.search(run) or [0, 1])[1])]
    if len(parts) not in ((1, count) if count else (1,)) or (text and not count):
        msg = "an atlas has more or fewer numbers than areas with a number"
        raise ValueError(msg)
    return parts * count if len(parts) == 1 else parts


def _svg(data: bytes) -> Iterator[Content]:
    """Yield the data of the shapes of a picture (dashboard/briefing/sheet.py), their titles, and the picture's words.

    Outlines are left out.
    """
    shapes = list(ET.fromstring(data).iter())  # noqa: S314 (our own export)
    cells = [{name[5:]: v for name, v in shape.attrib.items() if name.startswith("data-")} for shape in shapes]
    classes = {(shape.get("fill"), cell["words"]) for shape, cell in zip(shapes, cells, strict=True) if "words" in cell}
    yield "", pd.DataFrame([cell for cell in cells if "area" in cell], dtype=object)
    yield "", list(_list_titles(zip(shapes, cells, strict=True), classes))
    yield "", " ".join(text for shape in shapes for text in (shape.text, shape.tail, shape.get("aria-label")) if text)


def _list_titles(
    shapes: Iterable[tuple[ET.Element, dict[str, str]]], classes: Container[tuple[str | None, str]]
) -> Iterator[Title]:
    """Yield the title of each shape that has words.

    A shape's words are "place: what it shows". If what it shows is only the class of its colour, the place alone is
    kept. `classes`: each colour of the legend with the words of its class.
    """
    for shape, cell in shapes:
        words = " ".join(child.text or "" for child in shape if child.tag.endswith("title"))
        if words:
            place, _colon, content = words.partition(": ")
            numbers = {name: float(value) for name, value in cell.items() if _PLAIN.fullmatch(value)}
            yield Title(cell.get("area", ""), place if (shape.get("fill"), content) in classes else words, numbers)


def _text(data: bytes) -> Iterator[Content]:
    yield "", data.decode("utf-8", "replace")


def collect_tables(value: object, codes: Container[str]) -> Iterator[pd.DataFrame]:
    """Yield the values of a JSON document that belong to an area, as a table.

    A value belongs to the nearest area code that contains it (as a key, as a member called area, code or id, or as the
    first element of a list), or to the code at the same position of a neighbouring list. Geometry is left out.
    Yields nothing if no value belongs to an area.
    """
    rows: list[dict[str, Any]] = []
    _walk(value, None, codes, rows)
    if rows:
        yield pd.DataFrame(rows)


def _walk(value: object, area: str | None, codes: Container[str], rows: list[dict[str, Any]]) -> None:
    if isinstance(value, dict):
        named = (value.get(name) for name in ("area", "code", "id"))
        area = next((n for n in named if isinstance(n, str) and n in codes), area)
        nested = {k: v for k, v in value.items() if isinstance(v, (dict, list))}
        plain = {k: v for k, v in value.items() if k not in nested} if nested else value
        if area is not None and plain:
            rows.append({**plain, "area": area})
        rows.extend({"area": k, "value": v} for k, v in plain.items() if k in codes)
        _zip_lists([v for v in nested.values() if isinstance(v, list)], codes, rows)
        for name, inner in nested.items():
            if name not in _GEOMETRY:
                _walk(inner, name if name in codes else area, codes, rows)
    elif isinstance(value, list):
        if value and isinstance(value[0], str) and value[0] in codes:  # a row whose first cell is its area
            area = value[0]
        for inner in value:
            if isinstance(inner, (dict, list)):
                _walk(inner, area, codes, rows)
            elif area is not None and not isinstance(inner, str):
                rows.append({"area": area, "value": inner})


_GEOMETRY = {"geometry", "coordinates", "arcs", "bbox", "centre"}


def _zip_lists(lists: list[list[Any]], codes: Container[str], rows: list[dict[str, Any]]) -> None:
    """Add rows of area and value for each list of area codes and each list of equal length beside it."""
    for named in lists:
        if named and all(isinstance(n, str) and n in codes for n in named):
            for other in lists:
                if other is not named and len(other) == len(named):
                    pairs = zip(named, other, strict=True)
                    rows.extend({"area": n, "value": v} for n, v in pairs if not isinstance(v, (dict, list)))


def _xlsx(data: bytes) -> Iterator[Content]:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        for sheet in workbook.read_sheets(book):
            rows = [cells for _, cells in sheet.rows]
            yield from ((f" {sheet.name}", frame) for frame in _find_header(rows))
        for name in book.namelist():
            if name.startswith(("docProps/", "xl/comments", "xl/drawings")) and name.endswith(".xml"):
                yield f" {name}", " ".join(ET.fromstring(book.read(name)).itertext())  # noqa: S314 (our own export)


def _find_header(rows: list[list[object]]) -> Iterator[pd.DataFrame]:
    """Yield the rows above the first row that has only texts; then the rows below it, with that row as headings."""
    names: list[object] = [f"column {number + 1}" for number in range(max(map(len, rows), default=0))]
    filled = [row + [None] * (len(names) - len(row)) for row in rows]
    place = next((n for n, row in enumerate(rows) if len(row) > 1 and all(isinstance(v, str) and v for v in row)), -1)
    if place != 0:
        yield pd.DataFrame(filled[:place] if place > 0 else filled, columns=names)
    if place >= 0:
        yield pd.DataFrame(filled[place + 1 :], columns=[*rows[place], *names[len(rows[place]) :]])


def _geopackage(data: bytes) -> Iterator[Content]:
    with closing(sqlite3.connect(":memory:")) as file:
        file.deserialize(data)
        listed = file.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        for (name,) in listed:
            if _BOOKKEEPING.match(name):
                continue
            columns = file.execute(f"PRAGMA table_info({_quoted(name)})").fetchall()
            names = [c[1] for c in columns if not c[5] and c[2].upper() not in _SHAPES]
            if names:
                column_list = ", ".join(_quoted(c) for c in names)
                rows = file.execute(f"SELECT {column_list} FROM {_quoted(name)}").fetchall()  # noqa: S608
                yield f" {name}", pd.DataFrame(rows, columns=names)


_SHAPES = {"BLOB", "GEOMETRY", "POINT", "MULTIPOINT", "POLYGON", "MULTIPOLYGON", "LINESTRING", "MULTILINESTRING"}


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _png(data: bytes) -> Iterator[Content]:
    """Yield the text and EXIF chunks of a PNG picture (PNG specification, chapter 11.3), and what follows its end."""
    position = 8
    while position + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        position += length + 12
        if kind == b"tEXt":
            yield f" {kind.decode()}", body.replace(b"\0", b": ").decode("latin-1")
        elif kind == b"zTXt":
            key, _, rest = body.partition(b"\0")
            yield (f" {kind.decode()}", f"{key.decode('latin-1')}: {zlib.decompress(rest[1:]).decode('latin-1')}")
        elif kind == b"iTXt":
            yield f" {kind.decode()}", _international(body)
        elif kind == b"eXIf":
            yield " eXIf", body.decode("latin-1")
        elif kind == b"IEND" and position < len(data):
            yield " after its end", data[position:].decode("latin-1")


def _international(body: bytes) -> str:
    key, _, rest = body.partition(b"\0")
    packed, rest = rest[0], rest[2:]
    text = rest.split(b"\0", 2)[2]
    return f"{key.decode()}: {(zlib.decompress(text) if packed else text).decode('utf-8', 'replace')}"


READERS: dict[str, Callable[[bytes], Iterator[Content]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".xlsx": _xlsx,
    ".gpkg": _geopackage,
    ".qgd": _geopackage,  # what QGIS stores beside a project
    ".png": _png,
    ".svg": _svg,
    **dict.fromkeys(_TEXTS, _text),
}
