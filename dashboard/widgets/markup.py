"""Text on pages as markup: paragraphs, lists, definitions and tables. Every text is escaped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import pandas as pd
from markupsafe import Markup

from dashboard.site.text import _, format_day, html, join_markup

_NARROW = 2


def render_paragraphs(sentences: Iterable[str]) -> Markup:
    """Return a paragraph for each text. Empty texts are left out."""
    return html(
        '<div class="prose">{}</div>', join_markup(html("<p>{}</p>", sentence) for sentence in sentences if sentence)
    )


def render_lead(sentence: str) -> Markup:
    """Return a sentence as the lead of a page."""
    return html('<p class="lead">{}</p>', sentence)


def render_note(sentence: str) -> Markup:
    """Return a sentence as a note below a picture, in small letters."""
    return html('<p class="notes">{}</p>', sentence)


def render_question(question: str, answer: str) -> Markup:
    """Return a question as a heading, with its answer below it."""
    return html('<div class="question"><h2>{}</h2><p>{}</p></div>', question, answer)


def render_list(sentences: Iterable[str]) -> Markup:
    """Return a list with one item for each sentence."""
    return html(
        '<div class="prose"><ul>{}</ul></div>', join_markup(html("<li>{}</li>", sentence) for sentence in sentences)
    )


def render_steps(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Return a numbered list of steps; each pair has the name and the text of a step."""
    lines = join_markup(html("<li><b>{}.</b> {}</li>", name, text) for name, text in pairs)
    return html('<div class="prose"><ol>{}</ol></div>', lines)


def render_definitions(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Return values side by side; each pair has the label and the value."""
    return html(
        '<dl class="keyed">{}</dl>',
        join_markup(html("<div><dt>{}</dt><dd>{}</dd></div>", words, value) for words, value in pairs),
    )


def render_table(frame: pd.DataFrame) -> Markup:
    """Return a table whose text wraps.

    The first column is the head of its row, columns of numbers are aligned right, and days are written in words.
    On a phone each row becomes a block in which every cell names its column.
    """
    names = [str(name) for name in frame]
    numeric = [pd.api.types.is_numeric_dtype(frame[name].dtype) for name in frame]
    head = join_markup(html('<th scope="col">{}</th>', name) for name in names)
    rows = join_markup(
        html("<tr>{}</tr>", _row(row, names, numeric)) for row in frame.itertuples(index=False, name=None)
    )
    return html(
        '<div class="wordtable{}"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        " wide" if len(names) > _NARROW else "",
        head,
        rows,
    )


def render_lands(names: Mapping[str, str], chosen: str) -> Markup:
    """Return the countries as tabs: links that choose a country. names : by code. chosen : code of the open tab."""
    links = (
        html(
            '<a href="?area={0}" target="_self"{1}>{2}</a>',
            code,
            Markup(' aria-current="true"') if code == chosen else "",
            name,
        )
        for code, name in names.items()
    )
    return html('<nav class="lands" aria-label="{}">{}</nav>', _("Country"), join_markup(links))


def link_reallocate() -> Markup:
    """Return a link to the Reallocate page."""
    link = html('<a href="reallocate" target="_self">{}</a>', _("Reallocate"))
    return html('<p class="next">{} {}</p>', _("What can be done:"), link)


def render_narrow(content: Markup) -> Markup:
    """Return the content in a narrow column, so that lines are easy to read."""
    return html('<div class="prose">{}</div>', content)


def _row(cells: tuple[object, ...], names: list[str], numeric: list[bool]) -> Markup:
    first = html('<th scope="row">{}</th>', _word_cell(cells[0]))
    others = (
        html('<td class="{}" data-label="{}">{}</td>', "figure" if is_number else "text", name, _word_cell(cell))
        for cell, name, is_number in zip(cells[1:], names[1:], numeric[1:], strict=True)
    )
    return join_markup((first, *others))


def _word_cell(cell: object) -> object:
    if not isinstance(cell, dt.date):
        return cell
    return html('<time datetime="{}">{}</time>', cell.isoformat(), format_day(cell))
