"""Writing workbooks: typed cells, bold headers, frozen panes, filters; the same content, the same bytes.

Written directly (ECMA-376) because the tables have hundreds of thousands of rows. A text is always a
shared string, never a formula, and is made safe before that for whoever saves the sheet as CSV.
"""

from __future__ import annotations

import re
import zipfile
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import InputError
from data.workspace.safe_text import shown

__all__ = ["write"]

_MOST_ROWS = 1_048_576
_MOST_CHARACTERS = 32_767
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TEXT, _HEADER, _WRAPPED, _NUMBER = 0, 1, 2, 3
_WIDEST = 60
# Characters that XML 1.0 cannot hold.
_UNFIT = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))
# A spreadsheet reads "_x003D_" as "=", unless its first mark is written like that itself.
_CODED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def write(path: Path, sheets: dict[str, pd.DataFrame], title: str) -> None:
    """Write one sheet a table, in order; raise InputError for a table that is too long for a sheet."""
    strings: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for number, (name, table) in enumerate(sheets.items(), start=1):
            _refuse_long(name, table)
            _put(file, f"xl/worksheets/sheet{number}.xml", _sheet(table, strings))
        _put(file, "xl/sharedStrings.xml", _shared(strings))
        for part, text in _parts(list(sheets), title).items():
            _put(file, part, text)


def _refuse_long(name: str, table: pd.DataFrame) -> None:
    if len(table) >= _MOST_ROWS:
        msg = (
            f"{name!r} has {len(table):,} rows; a sheet holds {_MOST_ROWS - 1:,}. "
            "Choose fewer layers, or export csv or parquet."
        )
        raise InputError(msg)


def _put(file: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(entry, text)


def _letters(column: int) -> str:
    text = ""
    while column >= 0:
        column, rest = divmod(column, 26)
        text = chr(65 + rest) + text
        column -= 1
    return text


def _sheet(table: pd.DataFrame, strings: dict[str, int]) -> str:
    columns = [_cells(table.iloc[:, i], strings) for i in range(table.shape[1])]
    head = "".join(_text_cell(str(name), strings, _HEADER) for name in table.columns)
    rows = "".join(f"<row>{''.join(row)}</row>" for row in zip(*columns, strict=True))
    last = f"{_letters(max(table.shape[1] - 1, 0))}{len(table) + 1}"
    widths = "".join(
        f'<col min="{i}" max="{i}" width="{_width(table, i - 1)}" customWidth="1"/>'
        for i in range(1, table.shape[1] + 1)
    )
    return (
        f'{_HEAD}<worksheet xmlns="{_NAMESPACE}"><dimension ref="A1:{last}"/><sheetViews>'
        '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
        'state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
        f"<cols>{widths}</cols><sheetData><row>{head}</row>{rows}</sheetData>"
        f'<autoFilter ref="A1:{last}"/></worksheet>'
    )


def _width(table: pd.DataFrame, column: int) -> int:
    """Fit a column to its heading and its first rows."""
    texts = [str(table.columns[column]), *table.iloc[:200, column].dropna().astype("str")]
    return min(_WIDEST, max(8, 2 + max(map(len, texts))))


def _cells(column: pd.Series, strings: dict[str, int]) -> list[str]:
    if pd.api.types.is_bool_dtype(column.dtype):
        return ["<c/>" if pd.isna(v) else f'<c t="b"><v>{int(v)}</v></c>' for v in column]
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        return [f'<c s="{_NUMBER}"><v>{v:.15g}</v></c>' if np.isfinite(v) else "<c/>" for v in values]
    codes, known = pd.factorize(column)
    style = _WRAPPED if any(len(str(v)) > _WIDEST for v in known) else _TEXT
    cells = [_text_cell(str(v), strings, style) for v in known]
    return [cells[c] if c >= 0 else "<c/>" for c in codes]


def _text_cell(text: str, strings: dict[str, int], style: int) -> str:
    if not text:
        return "<c/>"
    safe = shown(text.translate(_UNFIT))[:_MOST_CHARACTERS]
    return f'<c t="s" s="{style}"><v>{strings.setdefault(safe, len(strings))}</v></c>'


def _shared(strings: dict[str, int]) -> str:
    literal = (escape(_CODED.sub("_x005F_", text), quote=False) for text in strings)
    texts = "".join(f'<si><t xml:space="preserve">{text}</t></si>' for text in literal)
    return f'{_HEAD}<sst xmlns="{_NAMESPACE}" uniqueCount="{len(strings)}">{texts}</sst>'


def _parts(names: list[str], title: str) -> dict[str, str]:
    """Write the parts that hold a workbook together."""
    sheets = "".join(
        f'<sheet name="{escape(name[:31])}" sheetId="{i}" r:id="rId{i}"/>' for i, name in enumerate(names, 1)
    )
    kind = f"{_OFFICE}/worksheet"
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{kind}" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(names) + 1)
    )
    more = "".join(
        f'<Relationship Id="rId{len(names) + i}" Type="{_OFFICE}/{part}" Target="{part}.xml"/>'
        for i, part in enumerate(("styles", "sharedStrings"), 1)
    )
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{main}.worksheet+xml"/>'
        for i in range(1, len(names) + 1)
    )
    return {
        "xl/workbook.xml": (
            f'{_HEAD}<workbook xmlns="{_NAMESPACE}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{relations}{more}</Relationships>'
        ),
        "xl/styles.xml": _STYLES,
        "_rels/.rels": (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" '
            'Target="docProps/core.xml"/></Relationships>'
        ),
        "docProps/core.xml": (
            f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
            f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{escape(title)}</dc:title>'
            "<dc:creator>TACT Map</dc:creator></cp:coreProperties>"
        ),
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{main}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{main}.styles+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{main}.sharedStrings+xml"/>'
            '<Override PartName="/docProps/core.xml" '
            f'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>{overrides}</Types>'
        ),
    }


_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_NAMESPACE}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><color rgb="FFFFFFFF"/><name val="Calibri"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid">'
    '<fgColor rgb="FF0F6B66"/><bgColor indexed="64"/></patternFill></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="2" borderId="0" xfId="0" applyFont="1" applyFill="1" '
    'applyAlignment="1"><alignment vertical="top"/></xf>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyAlignment="1">'
    '<alignment vertical="top" wrapText="1"/></xf>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
