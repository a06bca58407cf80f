"""Words of the desk: columns, categories, questions and reasons in the officer's language.

The words for columns and categories are those that partners use themselves, from the tables in data/schema/words.
"""

from __future__ import annotations

import datetime as dt
import re

from dashboard.site.text import _, find_language, format_period, translate_message
from data.errors import InputError
from data.message import Message, mark
from data.restricted.intake.headings import OWN, SURE
from data.restricted.intake.likely_days import AS_WRITTEN, EXCHANGED
from data.restricted.intake.mapping import SLASHES
from data.restricted.intake.recognition import NO_COLUMN, Question
from data.schema import get_kind
from data.schema.column import Column
from data.schema.words import read_names

KINDS = {
    "encounter": mark("Encounters with children"),
    "effort": mark("Outreach"),
    "service": mark("Services"),
    "community": mark("Community estimates"),
    "indicator": mark("Indicators"),
    "figure": mark("Published figures"),
}
_DAYS = {
    **dict(zip(SLASHES, (mark("the day (4/3 is 4 March)"), mark("the month (4/3 is 3 April)")), strict=True)),
    AS_WRITTEN: mark("They are right as written"),
    EXCHANGED: mark("Day and month are exchanged: put them right"),
}
# An answer for all rows of a file is about many children, so each answer is explained.
_HELP = {
    ("stage", "at_risk"): mark("In danger of being trafficked; no sign that it has already happened."),
    ("stage", "recruited"): mark("Somebody has won or taken the child in order to exploit it."),
    ("stage", "in_exploitation"): mark("The child is exploited now. Nobody needs to have identified it as a victim."),
    ("stage", "identified"): mark("The responsible authorities decided that the child is a victim of trafficking."),
    ("stage", "returning"): mark("On the way back to the family or the home country."),
    ("stage", "reintegrating"): mark("Back, and helped to live safely with a family, at school and in the community."),
    ("pathway", "internal"): mark("The child stays inside one country."),
    ("pathway", "al_to_gr"): mark("The child comes from Albania and is taken, or was to be taken, to Greece."),
    ("pathway", "other_cross_border"): mark("Across another border, also from Greece to Albania."),
    ("pathway", "none_known"): mark("Nobody recorded it."),
    ("axis", "prevention"): mark("Work that keeps children from being trafficked."),
    ("axis", "protection"): mark("Help that makes a child safe, such as shelter, health care and legal aid."),
    ("axis", "assisted_voluntary_return"): mark("Help for a child and family who choose to go back to their country."),
    ("axis", "reintegration"): mark("Help to live safely again with a family, at school and in the community."),
    ("axis", "coordination"): mark("Work by which organisations and authorities of both countries act together."),
    ("found", "reported"): mark("Somebody else told the partner of the child, such as a school or the police."),
    ("found", "discovered"): mark("The partner's own team met the child during outreach."),
}

PERSONAL = {
    "names": mark("names"),
    "dates of birth": mark("dates of birth"),
    "phone numbers": mark("phone numbers"),
    "coordinates": mark("coordinates"),
    "addresses": mark("addresses"),
    "identity numbers": mark("identity numbers"),
}


def name_column(kind: str, name: str) -> str:
    """Return the name of a column in the officer's language; empty for an empty name."""
    if not name:
        return ""
    column = get_kind(kind).column(name)
    return _find_name(column, "") or column.label


def name_code(kind: str, name: str, code: str) -> str:
    """Return the words of a category in the officer's language; the code itself if it has no words."""
    column = get_kind(kind).column(name)
    return _find_name(column, code) or column.allowed.get(code, code)


def word_month(month: str) -> str:
    """Return a month such as 2008-01 in words; any other text is unchanged."""
    return format_period(f"{month}-01/P1M") if re.fullmatch(r"\d{4}-\d{2}", month) else month


def word_value(kind: str, name: str, value: str) -> object:
    """Return a stored value for a table: the words of a category, a period in words, or a day as a date.

    A week is returned in words with its first day. Any other value is returned unchanged, as is one that is not valid.
    """
    column = get_kind(kind).column(name)
    if column.allowed:
        return name_code(kind, name, value) if value else ""
    if column.numeric:
        return value.removesuffix(".0")
    try:
        if column.type in ("date", "day_or_week") and value:
            day = dt.date.fromisoformat(value.removeprefix("W"))
            return _("week from {day}", day=day) if value.startswith("W") else day
        return format_period(value) if column.type == "period" and value else value
    except (InputError, ValueError):
        return value


def list_help(kind: str, name: str) -> list[str]:
    """Return the explanations of a column's categories; empty if they have none."""
    codes = get_kind(kind).column(name).allowed
    return [f"{name_code(kind, name, code)}: {_(_HELP[name, code])}" for code in codes if (name, code) in _HELP]


def _find_name(column: Column, code: str) -> str:
    language = find_language()
    return "" if language == "en" else read_names(language).get((column.name, code), "")


def word_question(kind: str, question: Question) -> str:
    """Return a question about a file in the officer's language."""
    column = name_column(kind, question.column)
    if question.topic == "column" and len(question.parts) > 1:
        return _("Which columns of the file are these?")
    if question.topic == "column":
        return _("Which column of the file is “{column}”?", column=column)
    if question.topic == "constants":
        return _("The file does not say this. What holds for all its rows, or which of its columns says it?")
    if question.topic == "days":
        return _("In “{column}”, days such as 4/3/2008 can be read in two ways. What comes first?", column=column)
    if get_kind(kind).column(question.column).type in ("date", "day_or_week"):
        return _(
            "In “{column}”, day and month may be exchanged in these months: no or few days are after the 12th, or they "
            "spread over many months or into the future. Look at the partner's paper. Are they right as written?",
            column=column,
        )
    if get_kind(kind).column(question.column).type == "area":
        return _(
            "In “{column}”, these places are not known, or a village elsewhere may have the same name. Which place is "
            "it?",
            column=column,
        )
    if question.column == "partner":
        return _("In “{column}”, these names are nearly those of other partners. Which partner is each?", column=column)
    text = _("In “{column}”, these words are not known, or may mean several things. What do they mean?", column=column)
    if question.column == "age_band" and any(part.isdigit() for part in question.parts):
        text += " " + _("A number may be an age in years (2 is 0-5), or number the bands (2 is the second one).")
    return text


def word_answer(kind: str, question: Question, part: str, reply: str) -> str:
    """Return an allowed answer in the officer's language."""
    if reply in _DAYS:
        return _(_DAYS[reply])
    if question.topic == "column":
        return _("None: the file has no such column") if reply == NO_COLUMN else reply
    return name_code(kind, part if question.topic == "constants" else question.column, reply)


def word_confidence(confidence: float, *, answered: bool) -> str:
    """Return in words how sure it is that a heading means a column.

    confidence : from 0 to 1. answered : whether it comes from an answer of an officer.
    """
    if answered:
        return _("as you or an earlier month said")
    if confidence >= OWN:
        return _("our own name")
    return _("a known word for it") if confidence >= SURE else _("not sure")


def word_personal(sort: str, heading: str, line: int) -> str:
    """Return in words where a file seems to contain personal data of a sort (see PERSONAL).

    line : the first line with such data; 0 if the heading alone is the reason.
    """
    kind, heading = _(PERSONAL[sort]), translate_message(heading)
    if line:
        return _("{kind}: in the column “{heading}”, first in line {line}", kind=kind, heading=heading, line=line)
    return _("{kind}: the column “{heading}”", kind=kind, heading=heading)


def word_reason(reason: str) -> str:
    """Return a reason for rejected rows in the officer's language; unchanged if it has no translation."""
    return translate_message(reason)


def word_refusal(refusal: str) -> str:
    """Return, in the officer's language, why a file cannot be imported, with the name of the kind of record."""
    if isinstance(refusal, Message) and refusal.values.get("kind") in KINDS:
        refusal = Message(refusal.template, **{**refusal.values, "kind": _(KINDS[str(refusal.values["kind"])])})
    return translate_message(refusal)


def word_note(kind: str, note: str) -> str:
    """Return a note on a file in the officer's language, with the column that it is about."""
    if isinstance(note, Message) and note.values.get("column") in [
        column.name for column in get_kind(kind).file_columns
    ]:
        column = name_column(kind, str(note.values["column"]))
        note = Message(note.template, **{**note.values, "column": column})
    return translate_message(note)
