"""Matching the headings of a file to the product's columns: by name, label, mapping, Kobo and ODK headings.

Kobo writes `group/field` and ODK Central `group-field`; the last part counts. Columns that the collecting
tools add (_id, _uuid, start, end, _submission_time ...) are ignored; a file with geographic positions
is refused (data/personal/headings.py). All other columns are unknown: reported and never stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from data.errors import FileRefused
from data.personal.headings import list_headings
from data.restricted.intake.mapping import ColumnMapping
from data.schema import INVENTED
from data.schema.column import Column, RecordKind
from data.schema.earlier_words import read_earlier_words
from data.workspace.folding import fold, make_key

# What KoboToolbox, ODK Collect and ODK Central add to a form's own questions, in small letters.
_KOBO = (
    "_id _uuid _index _parent_index _parent_table_name _submission_time _submission__id _submission__uuid "
    "_submission__submission_time _validation_status _notes _status _submitted_by __version__ _version_ "
    "_version _tags _edited _xform_id_string _bamboo_dataset_id formhub/uuid"
)
_ODK = (
    "start end today deviceid subscriberid simserial username audit key parent_key submissiondate "
    "submitterid submittername attachmentspresent attachmentsexpected reviewstate edits formversion "
    "isencrypted instanceid instancename meta/instanceid meta/instancename "
    "meta/rootuuid meta-instanceid meta-instancename meta/audit meta-audit"
)
_METADATA = frozenset([*_KOBO.split(), *_ODK.split(), INVENTED])


@dataclass
class Layout:
    """Positions of our columns, of those that a collecting tool adds, and of unknown ones.

    `mapped` are the columns that a mapping names; their headings are the partner's.
    """

    columns: dict[str, int] = field(default_factory=dict)
    mapped: set[str] = field(default_factory=set)
    metadata: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)


def match_headings(kind: RecordKind, headings: list[str], mapping: ColumnMapping) -> Layout:
    """Match the headings of a file to the columns of a kind.

    Raises FileRefused when a heading appears twice, or two headings mean the same column.
    """
    _refuse_repeated(headings)
    layout = Layout()
    theirs = {fold(name): ours for ours, name in mapping.columns.items()}
    for position, heading in enumerate(headings):
        ours = theirs.get(fold(heading)) or theirs.get(fold(_last(heading)))
        if ours:
            _place(layout, ours, position, headings)
            layout.mapped.add(ours)
    ignored = {fold(name) for name in mapping.ignore}
    central = _is_central(headings)
    matched = set(layout.columns.values())
    for position, heading in enumerate(headings):
        if position in matched:
            continue
        ours = _find_column(kind, heading, central)
        if ours and ours not in layout.mapped:
            _place(layout, ours, position, headings)
        elif _is_metadata(heading):
            layout.metadata.append(position)
        elif fold(heading) not in ignored:
            layout.unknown.append(position)
    return layout


def count_recognised(kind: RecordKind, headings: list[str], mapping: ColumnMapping) -> int:
    """Count the headings that mean a column of this kind."""
    theirs = {fold(name) for name in mapping.columns.values()}
    central = _is_central(headings)
    return sum(
        _find_column(kind, heading, central) is not None or bool({fold(heading), fold(_last(heading))} & theirs)
        for heading in headings
    )


def choose_sheet(kind: RecordKind, first_rows: list[list[str]], mapping: ColumnMapping) -> int:
    """Return the index of the one sheet whose first row has this kind's columns.

    Raises FileRefused when no sheet has them, or when several have them equally.
    """
    needed = [c.name for c in kind.given if c.required]
    counts = [count_recognised(kind, row, mapping) for row in first_rows]
    best = max(counts, default=0)
    if best == 0:
        msg = f"No sheet has the column names of kind {kind.name} in its first row: {', '.join(needed)}, ..."
        raise FileRefused(msg)
    alike = [number for number, count in enumerate(counts, start=1) if count == best]
    if len(alike) > 1:
        msg = f"The sheets {', '.join(map(str, alike))} all have the columns of kind {kind.name}. "
        raise FileRefused(msg + "Save each as a file of its own.")
    return counts.index(best)


def _find_column(kind: RecordKind, heading: str, central: bool) -> str | None:
    parts = (heading, _last(heading), heading.rpartition("-")[2] if central else heading)
    keys = {make_key(part) for part in parts}
    for column in kind.given:
        if keys & _names(column):
            return column.name
    return None


def _names(column: Column) -> set[str]:
    earlier = read_earlier_words().get(column.name, {})
    return {column.name, make_key(column.label), *(make_key(words) for words, code in earlier.items() if not code)}


def _is_central(headings: list[str]) -> bool:
    """Return whether a table comes from ODK Central; only there a hyphen ends the name of a group."""
    return not {"submissiondate", "meta-instanceid", "instanceid"}.isdisjoint(map(str.casefold, headings))


def _last(heading: str) -> str:
    return heading.rpartition("/")[2].strip()


def _is_metadata(heading: str) -> bool:
    return bool({heading.casefold(), _last(heading).casefold()} & _METADATA)


def _refuse_repeated(headings: list[str]) -> None:
    folded = [fold(heading) for heading in headings if heading]
    twice = [position for position, heading in enumerate(folded) if heading and folded.count(heading) > 1]
    if twice:
        raise FileRefused(f"These columns appear twice: {list_headings(headings, twice)}. Keep one of each.")


def _place(layout: Layout, ours: str, position: int, headings: list[str]) -> None:
    if ours in layout.columns:
        both = list_headings(headings, (layout.columns[ours], position))
        raise FileRefused(f"The columns {both} both mean {ours}. Keep one of them.")
    layout.columns[ours] = position
