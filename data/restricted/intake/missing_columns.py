"""Refuse a partner's file that lacks columns, and suggest what its headings may mean."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from data.errors import FileRefused
from data.message import Message, join_messages
from data.personal.headings import list_headings
from data.restricted.intake.headings import TELLING, Layout, suggest_headings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.start import ROWS, Start, describe_start
from data.schema.column import RecordKind

_SHOWN = 12  # headings in a message
NO_CODE = Message(
    "Without the partner's own code of each child nobody can tell which rows are about the same child. Ask the "
    "partner to add a column with this code, the same each time the child is met, or with the programme number, and to "
    "send the file again."
)


def list_missing(kind: RecordKind, columns: Iterable[str], partner: str | None) -> list[str]:
    """Return the required columns of a kind that are not in `columns`.

    The column of partners is not missing if a `partner` is given, nor `child_id` if there are programme numbers.
    """
    have = {*columns, *(["partner"] if partner else [])}
    have |= {"child_id"} if "programme_number" in have else set()
    return [c.name for c in kind.file_columns if c.required and c.name not in have]


def refuse_missing(
    name: str, kind: RecordKind, begin: Start, layout: Layout, mapping: ColumnMapping, partner: str | None
) -> None:
    """Raise FileRefused if a file lacks columns that its kind needs; the message says how to state or rename them."""
    missing = list_missing(kind, [*layout.list_found(), *mapping.constants], partner)
    if not missing:
        return
    if not layout.list_found():
        raise FileRefused(
            Message(
                "{file}: the first row must contain column names, or one of the first {rows}, and none of them is a "
                "column of kind {kind}: {columns}.",
                file=name,
                rows=ROWS,
                kind=kind.name,
                columns=", ".join(c.name for c in kind.file_columns),
            )
        )
    fault = Message(
        "{file} has no column for {missing}, which is needed for kind {kind}."
        if len(missing) == 1
        else "{file} has no column for {missing}, which are needed for kind {kind}.",
        file=name,
        missing=", ".join(missing),
        kind=kind.name,
    )
    if missing == ["partner"]:
        remedy = Message("Add it, or name the partner with the import: --partner NAME")
        raise FileRefused(join_messages([fault, remedy]))
    # A row with few of our columns may be a record: nothing of it is repeated.
    if len(layout.list_found()) < TELLING:
        row = Message("Row {line} was read as the row of headings. If another is: --heading-row N", line=begin.line)
        raise FileRefused(join_messages([fault, row]))
    suggested = _suggest(name, kind, begin.headings, layout, missing)
    raise FileRefused(join_messages([fault, describe_start(begin), *suggested]))


def _suggest(name: str, kind: RecordKind, headings: list[str], layout: Layout, missing: list[str]) -> Iterator[Message]:
    """Yield messages on headings that were not recognised: what they may mean, and how to state their meaning."""
    if layout.unknown:
        yield Message("Not recognised: {columns}.", columns=list_headings(headings, layout.unknown[:_SHOWN]))
    for ours in missing:
        near = list(suggest_headings(kind, headings, layout, ours))
        if near:
            named = str(list_headings(headings, near[:1]))
            yield Message("Perhaps {ours} is {named}: --column {ours}={named}.", ours=ours, named=named)
    if "child_id" in missing:
        yield NO_CODE
    same = next((ours for ours in missing if kind.column(ours).allowed), None)
    if same:
        codes = ", ".join(kind.column(same).allowed)
        yield Message("If all rows have the same {ours}: --set {ours}=CODE, one of {codes}.", ours=same, codes=codes)
    file = shlex.quote(name)
    yield Message("To be asked what each column means: tact mapping draft {file} --partner NAME", file=file)
