"""How children and records are recognised when they appear again.

A child with a programme number is recognised by this number, which links the records of several partners. Any other
child is recognised by partner and identifier. The hash is an HMAC of "programme:" and the number, or of "partner:", the
partner, a separator and the identifier, all normalised: K-12, K 12, K12 and Κ–12 with a Greek letter are one. Nothing
else about the child's identity is stored.

A record with a number is recognised by kind, partner and number; if its content is different, it is a correction. A
record without a number is recognised by all its fields and by how often they have appeared before in the file, so that
the order of rows makes no difference. Digests are BLAKE2b with 16 bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.message import Message, count_more
from data.restricted.intake.checks import Cells, Codes, Rows, combinations
from data.restricted.intake.headings import Layout
from data.restricted.intake.likely_columns import counts_up
from data.restricted.intake.table import RawTable
from data.restricted.intake.values import Value
from data.schema import HashIdentifier
from data.workspace.folding import (
    normalize_code,
    normalize_identifier,
    normalize_partner,
    read_digits,
    spell_code,
    spell_zeros,
    strip_zeros,
)

BY_NUMBER = "programme:"  # begins what is hashed of a child that is known by its programme number
_CHUNK = 100_000
_LINES = 6  # in a note
_FEW = 0.2  # codes with a letter like a digit, for each with the digit: more are no slip
_MOST_COMPARED = 20_000  # codes that are hashed in other spellings
_FEWEST = 3  # identifiers that can be seen to number the rows
MOST_IN_FAMILY = 15  # children with one household number: two couples with seven each are a rare household
_MANY, _MOST_ROWS = 6, 0.5  # children whose number also has more than this share of the rows
FindStored: TypeAlias = Callable[[Collection[str]], frozenset[str]]
_DECIMAL, _POINT_ZERO = re.compile(r"\d+[.,]\d+"), re.compile(r"\d+[.,]0+")
_BETWEEN = "\x1f"  # Cannot occur in a value: what cannot be printed is rejected.
FORGOTTEN = Message("forgotten")
_TWICE = Message("this record number is in the file more than once, with different content")


class Crowd(NamedTuple):
    """A household number with more children than a family has: how many, and the lines of its rows."""

    children: int
    lines: npt.NDArray[np.int64]


class Restarts(NamedTuple):
    """How many rows have a record number, and how many have that of a row with another child, place or day."""

    rows: int
    repeated: int


class Rejected(NamedTuple):
    """The rejected rows: identities of those whose record number is sure, and the lines of the others."""

    identity: list[bytes]
    lines: npt.NDArray[np.int64]


class Identified(NamedTuple):
    """The accepted rows: positions, identities and digests of content (16 bytes each), and lines of equal rows.

    Rows are equal if they have the same content and no record number: they may be one record or two. `restarts` is None
    if record numbers do not seem to begin again in the file.
    """

    positions: npt.NDArray[np.intp]
    identity: list[bytes]
    content: list[bytes]
    alike: npt.NDArray[np.int64]
    rejected: Rejected
    restarts: Restarts | None = None


def hash_children(
    rows: Rows,
    hash_identifier: HashIdentifier,
    forgotten: Collection[str] = frozenset(),
    find_stored: FindStored | None = None,
    *,
    leave_crowds: bool = False,
) -> list[Crowd]:
    """Replace the identifiers of the accepted rows by keyed hashes, each distinct child once; return the crowds.

    With `leave_crowds`, children with the household number of a crowd get none. Rows of forgotten children are
    rejected, no matter which of their two identifiers was forgotten. `find_stored` returns those of some hashes that a
    vault of an earlier version knows, see `hash_codes`.
    """
    partners, children, numbers = (rows.cells.pop(n) for n in ("partner", "child_id", "programme_number"))
    rows.cells["partner"] = partners
    good = rows.good()
    combined, first = combinations(partners.codes, children.codes, numbers.codes)
    used = np.unique(combined[good])
    rows_used = first[used]
    shared = [str(v).strip() for v in numbers.take(rows_used)]
    of_partner = [
        (_partner_start(str(p)), str(c))
        for p, c in zip(partners.take(rows_used), children.take(rows_used), strict=True)
    ]
    codes = [(BY_NUMBER, number) if number else code for code, number in zip(of_partner, shared, strict=True)]
    hashes = hash_codes(codes, hash_identifier, find_stored)
    child: list[Value] = [""] * len(first)
    programme: list[Value] = [""] * len(first)
    for place, hashed, number in zip(used.tolist(), hashes, shared, strict=True):
        child[place] = hashed
        programme[place] = hashed if number else ""
    rows.cells["child"] = Cells(combined, child)
    rows.cells["programme_child"] = Cells(combined, programme)
    rows.cells["household"] = _hash_households(rows, hash_identifier)
    crowds = _find_crowds(rows)
    if leave_crowds:
        cells = rows.cells["household"]
        cells.distinct = ["" if hashed in crowds else hashed for hashed in cells.distinct]
    if forgotten:
        by_partner = hash_codes(of_partner, hash_identifier, find_stored)
        pairs = zip(by_partner, (child[place] for place in used.tolist()), strict=True)
        forgotten_places = [
            place for place, pair in zip(used.tolist(), pairs, strict=True) if any(h in forgotten for h in pair)
        ]
        rows.fault(
            good & np.isin(combined, forgotten_places), "child_id", FORGOTTEN, "children who are not on the forget list"
        )
    return list(crowds.values())


def _hash_households(rows: Rows, hash_identifier: HashIdentifier) -> Cells:
    """Return the keyed hash of each household number with its partner, empty where there is no number."""
    numbers, partners = rows.cells.pop("household_number"), rows.cells["partner"]
    combined, first = combinations(partners.codes, numbers.codes)
    pairs = [(str(p), normalize_code(str(n))) for p, n in zip(partners.take(first), numbers.take(first), strict=True)]
    codes = [f"household:{_partner_start(partner)}{number}" for partner, number in pairs if number]
    hashes = iter(hash_identifier(codes) if codes else ())
    return Cells(combined, [next(hashes) if number else "" for _, number in pairs])


def _find_crowds(rows: Rows) -> dict[Value, Crowd]:
    """Return the crowds of the accepted rows by the hash of their household, most children first."""
    good = rows.good()
    if not any(rows.cells["household"].distinct):
        return {}
    # Spellings of a code have one hash.
    hashes = [pd.factorize(np.array(rows.cells[name].distinct, object)) for name in ("household", "child")]
    pairs = zip(hashes, ("household", "child"), strict=True)
    household, child = (numbers[rows.cells[name].codes[good]] for (numbers, _), name in pairs)
    names = hashes[0][1]
    children = np.bincount(household[combinations(household, child)[1]], minlength=len(names))
    is_main = np.bincount(household, minlength=len(names)) > _MOST_ROWS * len(household)
    crowded = np.flatnonzero(((children > MOST_IN_FAMILY) | (is_main & (children >= _MANY))) & (names != ""))
    largest = sorted(crowded.tolist(), key=lambda number: -children[number])
    return {names[n]: Crowd(int(children[n]), rows.lines[good][household == n]) for n in largest}


def note_row_numbers(rows: Rows) -> list[str]:
    """Return a note if the identifiers of children are 1, 2, 3 ... from row to row; empty if they are not.

    Every file may have such numbers, and the children of two files would count as the same.
    """
    cells = rows.cells["child_id"]
    if not counts_up((str(cells.distinct[code]) for code in cells.codes), _FEWEST):
        return []
    return [
        Message(
            "The identifiers of the children are 1, 2, 3 and so on, one for each row. If they only number the rows, do "
            "not import the file, or take the import back: another file has the same numbers for other children, and "
            "two children would count as one. Ask the partner for its own code of each child, the same at each "
            "encounter."
        )
    ]


def note_spellings(rows: Rows) -> list[str]:
    """Return a note with the lines of identifiers that are spelt in several ways; empty if none are.

    They differ in dashes, blanks, or Greek and Latin letters that look alike, and count as one child.
    """
    partners, children = rows.cells["partner"], rows.cells["child_id"]
    numbers, first = combinations(partners.codes, children.codes)
    codes: dict[tuple[str, str], dict[str, list[int]]] = {}
    for number, (partner, child) in enumerate(zip(partners.take(first), children.take(first), strict=True)):
        spellings = codes.setdefault((str(partner), normalize_code(str(child))), {})
        spellings.setdefault(normalize_identifier(str(child)), []).append(number)
    several = [spellings for (_, code), spellings in codes.items() if code and len(spellings) > 1]
    if not several:
        return []
    of_several = [number for spellings in several for group in spellings.values() for number in group]
    return [
        Message(
            "{count:,} identifier of a child is spelt in several ways (K-12, K 12, Κ12 with a Greek letter), in lines "
            "{lines}. It counts as one child. If they are several children, ask the partner for other codes."
            if len(several) == 1
            else "{count:,} identifiers of children are spelt in several ways (K-12, K 12, Κ12 with a Greek letter), "
            "in lines {lines}. Each counts as one child. If they are more children, ask the partner for other codes.",
            count=len(several),
            lines=count_more(", ".join(map(str, lines[:_LINES].tolist())), len(lines) - _LINES),
        )
        for lines in [rows.lines[np.isin(numbers, of_several)]]
    ]


def note_near_codes(rows: Rows, hash_identifier: HashIdentifier, find_known: FindStored | None) -> list[Message]:
    """Return a note with the lines of codes of children that are nearly others of this file, or of stored children.

    They differ in zeros in front of a number, or in o, i or l for a digit, and count as other children. Letters count
    only where few codes of the file have them: O-1, O-2 and so on are codes. `find_known` returns the stored ones of
    some hashes; more than 20,000 codes are compared within the file alone.
    """
    good, near, count = rows.good(), np.zeros(len(rows), dtype=bool), 0
    for name in ("child_id", "programme_number"):
        partners, children = rows.cells["partner"], rows.cells[name]
        numbers, first = combinations(partners.codes, children.codes)
        used = np.unique(numbers[good]).tolist()
        rows_used = first[used]
        pairs = zip(partners.take(rows_used), children.take(rows_used), strict=True)
        by_number = name == "programme_number"
        codes = [(BY_NUMBER if by_number else _partner_start(str(p)), normalize_code(str(c))) for p, c in pairs]
        groups = _group_near(code for code in codes if code[1])
        alike = {code for group in groups.values() for code in group if len(group) > 1}
        if find_known:
            alike |= _find_near_stored(groups, hash_identifier, find_known)
        count += sum(not alike.isdisjoint(group) for group in groups.values())
        near |= np.isin(numbers, [number for number, code in zip(used, codes, strict=True) if code in alike])
    if not count:
        return []
    lines = rows.lines[good & near]
    return [
        Message(
            "Codes of children that differ from others of this file, or of stored children, only in zeros in front or "
            "in a letter for a digit (7 and 007, DB-O3 and DB-03): {count:,}, in lines {lines}. Each spelling counts "
            "as another child. If it is the same child, do not import the file, or take the import back, and let the "
            "partner write one code for each child.",
            count=count,
            lines=count_more(", ".join(map(str, lines[:_LINES].tolist())), len(lines) - _LINES),
        )
    ]


def _group_near(codes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Return codes, each with what is hashed before it, by the code in digits and without zeros in front."""
    pairs = {(start, code): read_digits(code) for start, code in codes}
    letters = any(code != digits for (_, code), digits in pairs.items())
    shapes = Counter((start, _shape(code)) for start, code in pairs) if letters else Counter()
    groups: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for (start, code), digits in pairs.items():
        count = shapes[start, _shape(code)] if code != digits else 0
        is_slip = count <= 1 or count <= _FEW * shapes[start, _shape(digits)]
        groups.setdefault((start, strip_zeros(digits if is_slip else code)), set()).add((start, code))
    return groups


def _shape(code: str) -> str:
    return re.sub(r"\d+", "0", code)


def _find_near_stored(
    groups: Mapping[tuple[str, str], Collection[tuple[str, str]]],
    hash_identifier: HashIdentifier,
    find_known: FindStored,
) -> set[tuple[str, str]]:
    """Return the codes that are not stored and of which another spelling is."""
    pairs = [(plain, code) for plain, group in groups.items() for code in group]
    if not 0 < len(pairs) <= _MOST_COMPARED:
        return set()
    hashes = hash_identifier([start + code for _, (start, code) in pairs])
    known = find_known(set(hashes))
    new = [pair for pair, hashed in zip(pairs, hashes, strict=True) if hashed not in known]
    spellings = [
        (start + other, (start, code))
        for (_, plain), (start, code) in new
        for other in {plain, *spell_zeros(plain), *spell_zeros(code)} - {code}
    ]
    others = hash_identifier([text for text, _ in spellings])
    known = find_known(set(others))
    return {code for (_, code), hashed in zip(spellings, others, strict=True) if hashed in known}


def note_point_zero(rows: Rows) -> list[str]:
    """Return a note for each column of identifiers and record numbers with values such as 412.0; empty if none has any.

    Some programs write whole numbers so. Without the partner nobody knows whether 412.0 and 412 are the same. A column
    that also has 412.1 has codes of two parts.
    """
    notes: list[str] = []
    for name in ("child_id", "programme_number", "record_number"):
        values = [str(value) for value in rows.cells[name].distinct] if name in rows.cells else []
        count = len(list(filter(_POINT_ZERO.fullmatch, values)))
        if not count or count < len(list(filter(_DECIMAL.fullmatch, values))):
            continue
        notes.append(
            Message(
                "{count:,} value in {column} ends in .0 (412.0 or 412,0), as some programs write whole numbers. It is "
                "another one than 412: where another row or file has 412, a child or a record counts twice. Ask the "
                "partner which is right, and let it correct the file."
                if count == 1
                else "{count:,} values in {column} end in .0 (412.0 or 412,0), as some programs write whole numbers. "
                "They are others than 412: where another row or file has 412, a child or a record counts twice. Ask "
                "the partner which are right, and let it correct the file.",
                count=count,
                column=name,
            )
        )
    return notes


def note_shown_zeros(table: RawTable, layout: Layout) -> list[Message]:
    """Return a note for each column of codes in which numbers show zeros by their format, and texts have zeros."""
    notes = []
    for name in ("child_id", "programme_number", "household_number", "record_number"):
        position = layout.columns.get(name)
        raw = None if position is None else table.columns[position]
        count = table.shown_zeros.get(raw.heading, 0) if raw else 0
        if raw and count and any(text.strip()[:1] == "0" and text.strip() != "0" for text in raw.distinct):
            notes.append(
                Message(
                    "Cells that show zeros in front by their number format alone: {count:,} in {column}. They are read "
                    "as 14, and a text 0014 is another code: a child or a record may count twice. Compare them with "
                    "the partner's paper; then give the column the format Text and write all codes alike.",
                    count=count,
                    column=name,
                )
            )
    return notes


def note_programme_numbers(rows: Rows) -> list[str]:
    """Return notes on programme numbers and identifiers of a partner that do not go together one to one.

    Several identifiers beside one number count as one child: right if the partner gave a child two, wrong for a word
    such as "later". An identifier beside several numbers, or with a number in some rows only, counts as several.
    """
    keys = np.stack([_number_texts(rows.cells[name]) for name in ("partner", "child_id", "programme_number")])
    keys = keys[:, rows.good() & (keys[1] > 0)]
    pairs = keys[:, combinations(*keys)[1]]
    apart = _count_repeated(*pairs[:2])
    joined = _count_repeated(*pairs[::2, pairs[2] > 0])
    notes: list[str] = []
    if joined:
        notes.append(
            Message(
                "{count:,} programme number stands beside several identifiers of one partner. These count as one "
                "child. If they are different children, do not import the file, or take the import back, and ask the "
                "partner."
                if joined == 1
                else "{count:,} programme numbers stand beside several identifiers of one partner. The identifiers of "
                "each count as one child. If they are different children, do not import the file, or take the import "
                "back, and ask the partner.",
                count=joined,
            )
        )
    if apart:
        notes.append(
            Message(
                "{count:,} identifier of a child has a programme number in some rows only, or several numbers. It "
                "counts as several children. Ask the partner to write the same number in each row of the child."
                if apart == 1
                else "{count:,} identifiers of children have a programme number in some rows only, or several numbers. "
                "Each counts as several children. Ask the partner to write the same number in each row of a child.",
                count=apart,
            )
        )
    return notes


def _number_texts(cells: Cells) -> Codes:
    """Return a number for each row, (n,): the same for texts that are hashed alike, and 0 for an empty cell."""
    numbers = {"": 0}
    texts = (normalize_code(str(value)) for value in cells.distinct)
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)[cells.codes]


def _count_repeated(*codes: Codes) -> int:
    """Return how many combinations of codes more than one row has."""
    return int((np.bincount(combinations(*codes)[0]) > 1).sum())


def hash_codes(
    codes: Sequence[tuple[str, str]], hash_identifier: HashIdentifier, find_stored: FindStored | None
) -> list[str]:
    """Return the hash of each code, a pair of what is hashed before it and the code.

    Earlier versions hashed a code as it was written. A hash that is stored counts before that of the normal form, and
    that of the code as written before those of other spellings: a child keeps its hash.
    """
    hashes = hash_identifier([start + normalize_code(code) for start, code in codes])
    if find_stored is None:
        return hashes
    written = hash_identifier([start + normalize_identifier(code) for start, code in codes])
    stored = find_stored({*hashes, *written})
    others: list[list[str]] = [[] for _ in codes]
    for number, (start, code) in enumerate(codes):
        if hashes[number] not in stored and written[number] not in stored:
            others[number] = hash_identifier([start + spelling for spelling in spell_code(normalize_code(code))])
    stored |= find_stored({hashed for spellings in others for hashed in spellings})
    options = zip(written, hashes, others, strict=True)
    return [next((h for h in (first, normal, *more) if h in stored), normal) for first, normal, more in options]


def child_names(partner: str, child: str, number: str) -> list[str]:
    """Return the texts to hash for a child: first for its identifier, then for its programme number, if it has them."""
    return [_partner_name(partner, child)] * bool(child.strip()) + [_number_name(number)] * bool(number.strip())


def spell_names(names: Iterable[str], partners: Iterable[str]) -> list[str]:
    """Return texts of `child_names` with the other spellings that the partner has in `partners`."""
    parts = [split_name(name) for name in names if not name.startswith(BY_NUMBER)]
    starts = {_partner_start(partner): normalize_partner(partner) for partner in partners}
    return [
        other + code
        for start, code in parts
        for other, partner in starts.items()
        if other != start and partner == normalize_partner(start.removeprefix("partner:").removesuffix(_BETWEEN))
    ]


def split_name(name: str) -> tuple[str, str]:
    """Return a text of `child_names` in two parts: what is hashed before the code, and the code."""
    start, between, code = name.rpartition(_BETWEEN)
    return (start + between, code) if between else (BY_NUMBER, name.removeprefix(BY_NUMBER))


def _partner_name(partner: str, child: str) -> str:
    return f"{_partner_start(partner)}{normalize_code(child)}"


def _partner_start(partner: str) -> str:
    return f"partner:{normalize_identifier(partner)}{_BETWEEN}"


def _number_name(number: str) -> str:
    return f"{BY_NUMBER}{normalize_code(number)}"


def identify(rows: Rows) -> Identified:
    """Return the accepted rows with an identity for each record.

    Rows with the same partner and record number and different content are all rejected (added to `rows.faults`): none
    is treated as a correction.
    """
    good = np.flatnonzero(rows.good())
    texts = [(cells.codes, words) for cells, words in _list_words(rows)]
    content: list[bytes] = []
    for start in range(0, len(good), _CHUNK):
        chunk = good[start : start + _CHUNK]
        columns = [[words[code] for code in codes[chunk].tolist()] for codes, words in texts]
        content.extend(_digest("".join(fields)) for fields in zip(*columns, strict=True))
    if "record_number" not in rows.cells:
        nowhere = np.zeros(len(good), dtype=bool)
        identity = _identify_by_content(rows.kind.name, content, nowhere)
        rejected = Rejected([], rows.lines[~rows.good()])
        return Identified(good, identity, content, _alike(rows, good, nowhere, content), rejected)
    keys, numbered = _record_numbers(rows, good)
    sure = rows.good("partner", "record_number")
    restarts = None
    clash = np.zeros(len(keys), dtype=bool)
    counts = np.bincount(keys[numbered]) if numbered.any() else np.zeros(1, dtype=np.int64)
    twice = np.flatnonzero(numbered & (counts[np.where(numbered, keys, 0)] > 1))
    contents: dict[int, set[bytes]] = {}
    for position in twice.tolist():
        contents.setdefault(int(keys[position]), set()).add(content[position])
    for position in twice.tolist():
        clash[position] = len(contents[int(keys[position])]) > 1
    if clash.any():
        restarts = _find_restarts(rows, good[numbered], keys[numbered], clash[numbered])
        mask = np.zeros(len(rows), dtype=bool)
        mask[good[clash]] = True
        rows.fault(mask, "record_number", _TWICE, "one row for each record number")
        keep = np.flatnonzero(~clash)
        good, keys, numbered = good[keep], keys[keep], numbered[keep]
        content = [content[i] for i in keep.tolist()]
    identity = _identify_by_content(rows.kind.name, content, numbered)
    places = np.flatnonzero(numbered)
    for place, digest in zip(places.tolist(), _identify_by_number(rows, good[places]), strict=True):
        identity[place] = digest
    bad = np.flatnonzero(~rows.good())
    has_number = sure[bad] & _record_numbers(rows, bad)[1]
    # Of several rows with one number, nobody knows which has a wrong one.
    unsure = ~has_number | ~rows.good("record_number")[bad]
    rejected = Rejected(_identify_by_number(rows, bad[has_number]), rows.lines[bad[unsure]])
    return Identified(good, identity, content, _alike(rows, good, numbered, content), rejected, restarts)


def _find_restarts(
    rows: Rows, places: npt.NDArray[np.intp], keys: Codes, clash: npt.NDArray[np.bool_]
) -> Restarts | None:
    """Return whether record numbers begin again: from a row on, or up to it, most numbers are in the file twice.

    places : the rows with a number; keys : that number; clash : whether another row has it with other content; (n,).
    """
    cells = [rows.cells[name].codes[places] for name in ("child", "municipality", "date")]
    subjects = combinations(keys, *cells)[1]
    differs = clash & (np.bincount(keys[subjects], minlength=int(keys.max()) + 1)[keys] > 1)
    again = np.flatnonzero(differs & pd.Series(keys).duplicated().to_numpy(dtype=bool))
    parts = np.split(differs, again[:1])
    if not len(again) or all(2 * part.sum() < len(part) for part in parts):
        return None
    return Restarts(len(places), int(differs.sum()))


def _identify_by_number(rows: Rows, places: npt.NDArray[np.intp]) -> list[bytes]:
    """Compute the identities of rows with a record number."""
    partners, numbers = rows.cells["partner"].take(places), rows.cells["record_number"].take(places)
    prefix = f"{rows.kind.name}{_BETWEEN}number{_BETWEEN}"
    pairs = zip(partners, numbers, strict=True)
    return [_digest(f"{prefix}{str(partner).casefold()}{_BETWEEN}{number}") for partner, number in pairs]


def _alike(
    rows: Rows, good: npt.NDArray[np.intp], numbered: npt.NDArray[np.bool_], content: list[bytes]
) -> npt.NDArray[np.int64]:
    bare = np.flatnonzero(~numbered)
    twice = pd.Series([content[i] for i in bare.tolist()], dtype="object").duplicated(keep=False)
    return rows.lines[good[bare[twice.to_numpy(dtype=bool)]]]


def _list_words(rows: Rows) -> Iterator[tuple[Cells, list[str]]]:
    """Yield the cells of each stored column, with the text that each distinct value adds to the content of a record.

    A column that was added in a later version adds nothing if it has its default.
    """
    for number, column in enumerate(rows.kind.stored):
        cells, before = rows.cells[column.name], _BETWEEN if number else ""
        if column.later:
            before = f"{_BETWEEN}{column.name}="
        is_new = [not column.later or value != column.default for value in cells.distinct]
        yield cells, [f"{before}{_text(v)}" if new else "" for v, new in zip(cells.distinct, is_new, strict=True)]


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _text(value: Value) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def _identify_by_content(kind: str, content: list[bytes], skip: npt.NDArray[np.bool_]) -> list[bytes]:
    """Compute identities from content and how often it appeared before; empty for the rows of the mask `skip`."""
    counts: Counter[bytes] = Counter()
    prefix = f"{kind}{_BETWEEN}content{_BETWEEN}".encode()
    identity: list[bytes] = []
    for digest, skipped in zip(content, skip.tolist(), strict=True):
        if skipped:
            identity.append(b"")
            continue
        counts[digest] += 1
        text = prefix + digest + counts[digest].to_bytes(4, "big")
        identity.append(blake2b(text, digest_size=16).digest())
    return identity


def _record_numbers(rows: Rows, good: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return a number for each accepted row's partner and record number, and whether it has the latter; both (n,)."""
    partners, numbers = rows.cells["partner"], rows.cells["record_number"]
    folded: dict[str, int] = {}
    partner_of = [folded.setdefault(str(v).casefold(), len(folded)) for v in partners.distinct]
    numbers_seen: dict[Value, int] = {}
    number_of = [numbers_seen.setdefault(v, len(numbers_seen)) for v in numbers.distinct]
    keys, _ = combinations(
        np.array(partner_of, dtype=np.int64)[partners.codes[good]],
        np.array(number_of, dtype=np.int64)[numbers.codes[good]],
    )
    has = np.array([v != "" for v in numbers.distinct], dtype=bool)
    return keys, has[numbers.codes[good]]
