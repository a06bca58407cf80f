"""Sentences on the check of a table: who may see the table, why not more people, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from dashboard.site.text import LANGUAGE_NAMES, _, speak, translate
from data.disclosure.table_check import RULES, Audience, Check, Finding
from data.disclosure.table_check.product_files import ListTables
from data.message import mark
from geo.export.exported import list_tables

_MOST_ROWS = 12
_ANSWERS: dict[Audience, str] = {
    "everyone": mark("You may publish this table."),
    "partners": mark("Partners under the agreement may have this table. Do not publish it."),
    "nobody": mark("Do not publish this table, and do not pass it on as it is."),
}


def say_audience(check: Check) -> str:
    """Return a sentence on who may see the table."""
    if check.audience == "everyone" and check.own_columns:
        return _("You may publish this table, if your own columns count no children.")
    return _(_ANSWERS[check.audience])


def say_reason(finding: Finding) -> str:
    """Return what is wrong in the table, without any number from it."""
    return _fill(RULES[finding.rule].words, finding)


def say_remedy(finding: Finding) -> str:
    """Return what to do about a finding."""
    return _fill(RULES[finding.rule].remedy, finding)


def _fill(template: str, finding: Finding) -> str:
    return _(template, **{name: translate(v) if isinstance(v, str) else v for name, v in finding.values})


def _translate_in(language: str, text: str) -> str:
    with speak(language):
        return translate(text)


# Lists the tables in the product's own files of a release, in each language.
list_product_tables: ListTables = partial(
    list_tables, languages=[partial(_translate_in, code) for code in LANGUAGE_NAMES]
)


def explain_check(check: Check) -> Iterator[str]:
    """Yield a line for each finding: sheet, column, rows, what is wrong, and, once for each rule, what to do instead.

    A finding of the rule "narrowed" has a second line with the count of numbers that would be known too closely.
    """
    rules: set[str] = set()
    for finding in check.findings:
        remedy = "" if finding.rule in rules else say_remedy(finding)
        rules.add(finding.rule)
        sheet = f"{finding.sheet}: " if finding.sheet else ""
        yield f"{sheet}{_name_place(finding)} {say_reason(finding)}. {remedy}".strip()
        if finding.rule == "narrowed":
            yield _(
                "Protected numbers of public releases that would be known too closely, in the table or not: {count}."
            ).format(count=len(check.narrowed))


def _name_place(finding: Finding) -> str:
    if not finding.column:
        return _("The table:")
    if not finding.rows:
        return _("Column “{column}”:").format(column=finding.column)
    if len(finding.rows) == 1:
        return _("Column “{column}”, row {row}:").format(column=finding.column, row=finding.rows[0])
    rows = ", ".join(map(str, finding.rows[:_MOST_ROWS])) + (", …" if len(finding.rows) > _MOST_ROWS else "")
    return _("Column “{column}”, rows {rows}:").format(column=finding.column, rows=rows)


def list_limits(check: Check) -> Iterator[str]:
    """Yield sentences on what was compared and what was not."""
    if check.matched:
        yield _("Found in the releases or computed from them: {columns}.").format(columns=", ".join(check.matched))
    if check.written:
        yield _("As the product wrote them: {tables}.").format(tables=", ".join(check.written))
    if check.own_columns:
        yield _("Your own columns, not checked: {columns}.").format(columns=", ".join(check.own_columns))
    if check.texts:
        yield _("Columns of words, not checked: {columns}.").format(columns=", ".join(check.texts))
    yield _("Compared with these releases: {releases}.").format(releases=", ".join(check.releases))
    if check.tier == "public":
        yield _("Only public releases were at hand. Numbers of partner files are not recognised as such.")
    yield _("What the check cannot see: numbers in words, such as “six”, and a number that you changed yourself.")
