"""Pages of words: paragraphs, lists, definitions and tables as markup; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from markupsafe import Markup

from dashboard.text import html, joined

__all__ = ["definitions", "listed", "paragraphs", "steps", "table"]


def paragraphs(sentences: Iterable[str]) -> Markup:
    """Write one paragraph a text; nothing for empty ones."""
    return html('<div class="prose">{}</div>', joined(html("<p>{}</p>", one) for one in sentences if one))


def listed(sentences: Iterable[str]) -> Markup:
    """Write a list."""
    return html('<div class="prose"><ul>{}</ul></div>', joined(html("<li>{}</li>", one) for one in sentences))


def steps(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Write numbered steps, each with its name."""
    lines = joined(html("<li><b>{}.</b> {}</li>", name, text) for name, text in pairs)
    return html('<div class="prose"><ol>{}</ol></div>', lines)


def definitions(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Write the few values that matter side by side."""
    return html(
        '<dl class="keyed">{}</dl>',
        joined(html("<div><dt>{}</dt><dd>{}</dd></div>", words, value) for words, value in pairs),
    )


def table(frame: pd.DataFrame) -> Markup:
    """Write a table whose text wraps; the first column heads its row, numbers stand on the right."""
    numeric = [pd.api.types.is_numeric_dtype(frame[name].dtype) for name in frame]
    head = joined(html('<th scope="col">{}</th>', name) for name in frame)
    rows = joined(html("<tr>{}</tr>", _row(row, numeric)) for row in frame.itertuples(index=False, name=None))
    wide = " wide" if len(numeric) > _NARROW else ""
    return html(
        '<div class="wordtable{}"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        wide,
        head,
        rows,
    )


_NARROW = 2


def _row(cells: tuple[object, ...], numeric: list[bool]) -> Markup:
    first = html('<th scope="row">{}</th>', cells[0])
    others = (
        html("<td{}>{}</td>", Markup(' class="figure"') if is_number else "", "" if pd.isna(cell) else cell)  # type: ignore[call-overload]
        for cell, is_number in zip(cells[1:], numeric[1:], strict=True)
    )
    return joined((first, *others))
