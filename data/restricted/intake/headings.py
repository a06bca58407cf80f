"""Match the headings of a file to the product's columns.

A heading is read as: what the partner's mapping says; our own name or label; a word of the tables in data/schema/words.
Kobo writes `group/question`, ODK Central `group-question`, and other systems `Child.Sex`, `g1__sex` or `Child sex`; the
last part counts, unless the group is about somebody else (`parent/sex`). A question with several answers may have a
column for each: `form/begging`, or "Begging" beside "Street work" if their cells are marks. Columns that the collecting
tools add (_id, _uuid, start, end, _submission_time ...) are ignored, except the record number; a file with geographic
positions is refused (data/personal/headings.py). All other columns are unknown: reported and never stored.

Each meaning of a heading has a confidence from 0 to 1. A meaning below SURE is asked about, and not used until the data
officer has confirmed it, unless it is the only likely heading of a required column of municipalities.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias

from data.errors import FileRefused
from data.message import Message, join_messages, list_messages
from data.personal.headings import find_personal_heading, list_headings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.values import list_spellings
from data.schema import INVENTED, words
from data.schema.column import Column, RecordKind
from data.schema.kinds import KINDS
from data.workspace.folding import fold, make_key, strip_footnotes

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
_TOOL = {"_id", "_uuid", "formhub/uuid", "submissiondate", "instanceid", "meta/instanceid", "meta-instanceid"}
# The number of a submission, from the most to the least lasting: in Kobo an edit changes _uuid and not _id.
_RECORD_IDS = ("_id", "key", "meta/rootuuid", "meta/instanceid", "meta-instanceid", "instanceid", "_uuid")
DAY_PARTS = ("date.day", "date.month", "date.year")

OWN, WORD, UNSURE = 1.0, 0.95, 0.6
SURE = 0.9  # a meaning with less confidence is a question
TELLING = 3  # known headings that show that a file is of a kind
_NEAR = 0.8  # of 1: a letter or two wrong in a heading
_LONGEST = 120
_GROUP_END = r"/|(?<=[^\W_])(?:__|\.)(?=[^\W\d_])"
_ENDS = {False: re.compile(_GROUP_END), True: re.compile(f"-|{_GROUP_END}")}  # whether from ODK Central
_QUESTION_ENDS = (re.compile(r"\s*/\s*"), re.compile(r"__|\."), re.compile(r"\s+[-–]\s+|\s*[:(\[]\s*"), re.compile("_"))
_TICKED_ALONE = ("form", "axis", "help")  # columns whose answers may be headings without the question
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_SHORT_GROUP = 2  # letters, as in g1
_NUMBERED = re.compile(r"^\s*(?:q|p)?\d{1,3}\s*[.):]\s*", re.IGNORECASE)
Meanings: TypeAlias = Mapping[str, float]  # column: confidence


@dataclass
class Layout:
    """The positions of our columns, of columns that a collecting tool adds, and of unknown columns.

    `mapped` are the columns that a mapping names; their headings are the partner's. `further` are more headings of a
    column: the first filled one counts, and the three headings of a date are its day, month and year. `ticks` are
    columns for one answer each, by position, with the answer's code; `beside` are such columns of a question that has
    a column with all answers too. `doubts` are our columns without a sure heading,
    each with the headings that may mean it: confidence by position.
    """

    columns: dict[str, int] = field(default_factory=dict)
    mapped: set[str] = field(default_factory=set)
    metadata: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    further: dict[str, list[int]] = field(default_factory=dict)
    ticks: dict[str, dict[int, str]] = field(default_factory=dict)
    beside: dict[str, dict[int, str]] = field(default_factory=dict)
    doubts: dict[str, dict[int, float]] = field(default_factory=dict)

    def positions_of(self, column: str) -> list[int]:
        """Return all positions from which one of our columns is read."""
        first = [self.columns[column]] if column in self.columns else []
        return [*first, *self.further.get(column, ()), *self.ticks.get(column, ())]

    def list_found(self) -> list[str]:
        """Return those of our columns that are in the file."""
        return list(dict.fromkeys([*self.columns, *self.further, *self.ticks]))


def match_headings(
    kind: RecordKind,
    headings: list[str],
    mapping: ColumnMapping,
    hold_marks: Callable[[Iterable[int]], bool] = lambda _: True,
) -> Layout:
    """Match the headings of a file to the columns of a kind, and return the layout.

    hold_marks : returns whether the cells of the columns at these positions may be marks of yes and no.

    Raises FileRefused when a heading appears twice, or two headings mean the same column.
    """
    _refuse_repeated(headings)
    layout = Layout()
    ignored = {fold(name) for name in mapping.ignore}
    unwanted = {column.name for column in kind.file_columns if not column.required} & ignored
    mapping = replace(mapping, columns={ours: name for ours, name in mapping.columns.items() if ours not in unwanted})
    central, from_tool = _is_central(headings), not _TOOL.isdisjoint(map(str.casefold, headings))
    _place_mapped(layout, headings, mapping, central)
    used = {p for column in layout.mapped for p in layout.positions_of(column)}
    skipped = used | {p for p, heading in enumerate(headings) if fold(heading) in ignored}
    ticks = _place_ticks(layout, kind, headings, used, central) | _place_answers(
        layout, kind, headings, skipped, hold_marks
    )
    used |= ticks
    free = [p for p in range(len(headings)) if p not in used]
    meanings = {}
    for p in free:
        # A heading that is ignored, or added by a tool, means a column only if it is our own name.
        only_own = fold(headings[p]) in ignored or (from_tool and is_metadata(headings[p]))
        confidences = read_meanings(kind.name, headings[p], central)
        meanings[p] = {
            column: sure
            for column, sure in confidences.items()
            if (sure == OWN or not only_own) and column not in unwanted
        }
    _place_meanings(layout, kind, headings, meanings)
    if from_tool and "record_number" not in unwanted:
        _place_record_id(layout, kind, headings, free)
    used = {p for column in layout.list_found() for p in layout.positions_of(column)}
    for position in sorted({*free, *ticks} - used):
        heading = headings[position]
        if position in ticks or is_metadata(heading):
            layout.metadata.append(position)
        elif fold(heading) not in ignored:
            layout.unknown.append(position)
    return layout


def rate_headings(kind: RecordKind, headings: Sequence[str], mapping: ColumnMapping) -> float:
    """Return how many columns of a kind the headings name; an unsure heading counts half its confidence."""
    theirs = {fold(name): ours for ours in mapping.columns for name in mapping.headings_of(ours)}
    central = _is_central(headings)
    best: dict[str, float] = {}
    for heading in headings:
        parts = _split_group(heading, central) if theirs else ()
        ours = next((theirs[fold(part)] for part in parts if fold(part) in theirs), None)
        for column, sure in ({ours: OWN} if ours else read_meanings(kind.name, heading, central)).items():
            best[column] = max(best.get(column, 0.0), 1.0 if sure >= SURE else sure / 2)
    for column, codes in find_answers(kind, headings).items():
        # Below a merged heading of the question, the row with its answers is the better one.
        best[column] = 1 + len(codes) / _LONGEST
    return sum(best.values())


def suggest_headings(kind: RecordKind, headings: Sequence[str], layout: Layout, column: str) -> dict[int, float]:
    """Return the positions of headings that may mean `column`, with a confidence below SURE, the likeliest first."""
    confidences = dict(layout.doubts.get(column, {}))
    keys = _keys_of(kind.column(column))
    of_others = {p for name, doubts in layout.doubts.items() if name != column for p in doubts if p not in confidences}
    for position in layout.unknown:
        says_hours = column == "days" and words.says_hours(headings[position])
        if says_hours or (column == "child_id" and words.says_count(headings[position])):
            continue
        key = make_key(_BRACKETS.sub(" ", headings[position])[:_LONGEST])
        if key and not find_personal_heading(headings[position], kind.refuses):
            near = difflib.get_close_matches(key, keys, 1, _NEAR)
            # A heading that means this column, and whose cells have words of another.
            if near and not (near[0] == key and position in of_others):
                ratio = difflib.SequenceMatcher(None, key, near[0]).ratio()
                confidences[position] = max(confidences.get(position, 0.0), ratio * (SURE - 0.05))
    return dict(sorted(confidences.items(), key=lambda item: -item[1]))


@lru_cache(maxsize=20_000)
def read_meanings(kind: str, heading: str, central: bool = False) -> Meanings:
    """Return the columns of a kind that a heading may mean, each with a confidence from 0 to 1.

    A day can be spread over several columns: DAY_PARTS names its parts. `central`: the file comes from ODK Central,
    which separates the name of a group with a hyphen.
    """
    if not heading or len(heading) > 2 * _LONGEST:
        return {}
    heading = strip_footnotes(heading)
    parts = _split_group(heading, central)
    if len(parts) == 1 and _ENDS[central].search(heading):
        # About others, or two words for one column: Viti i lindjes / Mosha.
        first, *rest = (_read_parts(kind, piece, (piece,)) for piece in _ENDS[central].split(heading))
        return first if all(each == first for each in rest) else {}
    meanings = _read_parts(kind, heading, parts)
    definitions = {column.name: column for column in KINDS[kind].file_columns}

    def is_apart(name: str) -> bool:
        return name in DAY_PARTS or definitions[name].type in ("date", "day_or_week", "area", "text")

    of_group = make_key(parts[-1]).split("_")
    if not meanings and of_group[1:] and _says_group(of_group[:1], "child"):
        of_child = _read_parts(kind, "", (" ".join(of_group[1:]),))
        return {name: min(sure, WORD) for name, sure in of_child.items() if not is_apart(name)}
    group = re.split(r"__|\.", heading.removesuffix(parts[-1]))[:-1] if "/" not in heading else []
    if group and not _says_group(make_key(group[-1]).split("_"), "neutral"):
        return {name: min(sure, UNSURE) if is_apart(name) else sure for name, sure in meanings.items()}
    return meanings


def _says_group(keys: Sequence[str], sort: str) -> bool:
    """Return whether all words of a group's name are of one sort: "child", or "neutral" (as g1)."""
    index = words.index_codes("heading.group")
    bare = (key.rstrip("0123456789") for key in keys)
    return all(("neutral" if len(key) <= _SHORT_GROUP else words.look_up(index, key)) == sort for key in bare)


def _read_parts(kind: str, heading: str, parts: Sequence[str]) -> dict[str, float]:
    keys = {make_key(part) for part in parts}
    columns = KINDS[kind].file_columns
    named = [column.name for column in columns if keys & {column.name, make_key(column.label)}]
    if named:
        return dict.fromkeys(named[:1], OWN)
    for forms in _list_forms(heading, parts):
        confidences: dict[str, float] = {}
        readings = [_list_readings(form) for form in forms]
        names = [column.name for column in columns]
        for name in [*names, *(DAY_PARTS if "date" in names else ())]:
            index = words.index_headings(name)
            sure = [says for keys in readings if (says := words.look_up_readings(index, keys)) is not None]
            if sure:
                confidences[name] = WORD if any(sure) else UNSURE
        if confidences:
            return confidences
    return {}


def _list_forms(heading: str, parts: Iterable[str]) -> Iterable[list[str]]:
    """Yield the forms of a heading, the surest first: unchanged, without remarks and numbers, parts, remarks."""
    yield list(parts)
    bare = [_NUMBERED.sub("", _BRACKETS.sub(" ", part)) for part in parts]
    yield bare
    yield [piece for part in bare for piece in re.split(r"[/|;\n]| - ", part)]
    yield re.findall(r"[(\[]([^()\[\]]*)[)\]]", heading)


# The same cells are tried as headings of each kind.
_list_readings = lru_cache(maxsize=20_000)(words.list_readings)


def forget_headings() -> None:
    """Forget all headings and cells that were read as headings: they may be words of records."""
    read_meanings.cache_clear()
    _list_readings.cache_clear()


def _keys_of(column: Column) -> list[str]:
    sure = [key for key, is_sure in words.index_headings(column.name).items() if is_sure]
    return [column.name, make_key(column.label), *sure]


def _place_mapped(layout: Layout, headings: list[str], mapping: ColumnMapping, central: bool) -> None:
    theirs = {fold(name): (ours, n) for ours in mapping.columns for n, name in enumerate(mapping.headings_of(ours))}
    placed: dict[str, list[tuple[int, int]]] = {}
    whole = set(map(fold, headings))
    for position, heading in enumerate(headings):
        parts = (heading, *(part for part in _split_group(heading, central) if fold(part) not in whole))
        entry = next((theirs[fold(part)] for part in parts if fold(part) in theirs), None)
        if entry:
            placed.setdefault(entry[0], []).append((entry[1], position))
    for ours, places in placed.items():
        positions = [position for _, position in sorted(places)]
        if len(positions) > len(mapping.headings_of(ours)):
            _refuse_two(headings, positions, ours)
        layout.mapped.add(ours)
        _place_all(layout, ours, positions)


def _place_ticks(layout: Layout, kind: RecordKind, headings: list[str], used: set[int], central: bool) -> set[int]:
    """Place the columns for one answer each, and return all their positions. A column with all answers is preferred."""
    ticks: dict[str, dict[int, str]] = {}
    questions: dict[str, set[str]] = {}
    for position, heading in enumerate(headings):
        for column, code, question in [] if position in used else _list_ticks(kind, heading, central):
            ticks.setdefault(column, {})[position] = code
            questions.setdefault(column, set()).add(fold(question))
    for column, codes in ticks.items():
        has_all = column in layout.columns or not questions[column].isdisjoint(map(fold, headings))
        (layout.beside if has_all else layout.ticks)[column] = codes
    return {position for codes in ticks.values() for position in codes}


def _list_ticks(kind: RecordKind, heading: str, central: bool) -> list[tuple[str, str, str]]:
    """Return the column, code and question of a heading such as `form/begging`; empty for any other heading."""
    group = len(heading) - len(_split_group(heading, central)[-1])
    for number, sign in enumerate(_QUESTION_ENDS):
        begin = 0 if number < 2 else group  # street_work is one answer of its question
        for end in reversed([*sign.finditer(heading, begin)]):
            answer = heading[end.end() :].rstrip(" )]")
            if max(read_meanings(kind.name, answer, central).values(), default=0.0) >= SURE:
                return []  # a question in a group: form.sex
            for column, sure in read_meanings(kind.name, heading[begin : end.start()], central).items():
                if sure >= SURE and (code := _find_code(kind, column, answer)):
                    return [(column, code, heading[: end.start()])]
    return []


def _find_code(kind: RecordKind, name: str, answer: str) -> str | None:
    definition = next((column for column in kind.file_columns if column.name == name), None)
    if definition is None or not definition.several:
        return None
    spellings = list_spellings(name, tuple(definition.allowed.items()))
    return words.look_up_readings(spellings, _list_readings(answer[:_LONGEST]))


def find_answers(kind: RecordKind, headings: Sequence[str]) -> dict[str, dict[int, str]]:
    """Return headings that are two answers or more to a question without a column, by column: code by position."""
    meanings = {p: read_meanings(kind.name, heading) for p, heading in enumerate(headings) if heading}
    asked = {name for confidences in meanings.values() for name, sure in confidences.items() if sure >= SURE}
    free = [position for position, confidences in meanings.items() if not confidences]
    answers: dict[str, dict[int, str]] = {}
    for name in _TICKED_ALONE:
        codes = (
            {p: code for p in free if (code := _find_code(kind, name, _BRACKETS.sub("", headings[p])))}
            if name not in asked
            else {}
        )
        if len({code for code in codes.values() if not code.startswith(("other", "unknown"))}) > 1:
            answers[name] = codes
    # "Other" is an answer to the question that most of the headings answer.
    taken: set[int] = set()
    for name in sorted(answers, key=lambda name: -len(answers[name])):
        answers[name] = {p: code for p, code in answers[name].items() if p not in taken}
        taken |= answers[name].keys()
    return {name: codes for name, codes in answers.items() if len(codes) > 1}


def _place_answers(
    layout: Layout, kind: RecordKind, headings: list[str], used: set[int], hold_marks: Callable[[Iterable[int]], bool]
) -> set[int]:
    free = ["" if position in used else heading for position, heading in enumerate(headings)]
    placed: set[int] = set()
    for column, codes in find_answers(kind, free).items():
        if column not in layout.columns and column not in layout.ticks and hold_marks(codes):
            layout.ticks[column] = codes
            placed |= codes.keys()
    return placed


def _place_meanings(layout: Layout, kind: RecordKind, headings: list[str], meanings: Mapping[int, Meanings]) -> None:
    """Match each column with the surest heading; if two are equally sure, or none is sure, note a doubt.

    Raises FileRefused if two headings are both our own name or label of one column, without groups (first/Date).
    """
    used: set[int] = set()
    for level in (OWN, WORD):
        for column in kind.file_columns:
            if column.name in layout.columns or column.name in layout.ticks:
                continue
            positions = _find_sure(column.name, level, meanings, used)
            if len(positions) > 1 and level == OWN and not all("/" in headings[p] for p in positions):
                _refuse_two(headings, positions, column.name)
            # An age may be in one column and a year of birth in another.
            if len(positions) == 1 or (positions and column.name == "age_band"):
                used |= _place_all(layout, column.name, positions)
    # A text in such a column that is not a place is rejected or asked about, so its one likely heading is used.
    used |= _place_only_doubt(layout, kind, {p: confidences for p, confidences in meanings.items() if p not in used})
    parts = [p for name in DAY_PARTS for p in _find_sure(name, WORD, meanings, used)]
    if "date" not in layout.columns and len(parts) == len(DAY_PARTS):
        used |= _place_all(layout, "date", parts)
    _note_doubts(layout, {p: confidences for p, confidences in meanings.items() if p not in used})


def _place_only_doubt(layout: Layout, kind: RecordKind, meanings: Mapping[int, Meanings]) -> set[int]:
    """Match required columns of municipalities with the only heading that may mean them and nothing else.

    Returns the positions of these headings.
    """
    used: set[int] = set()
    for column in kind.file_columns:
        if column.required and column.type == "area" and column.level and column.name not in layout.columns:
            positions = [position for position, confidences in meanings.items() if column.name in confidences]
            if len(positions) == 1 and len(meanings[positions[0]]) == 1:
                used |= _place_all(layout, column.name, positions)
    return used


def _note_doubts(layout: Layout, meanings: Mapping[int, Meanings]) -> None:
    for position, confidences in meanings.items():
        for name, sure in confidences.items():
            ours = "date" if name in DAY_PARTS else name
            if ours not in layout.columns:
                doubt = layout.doubts.setdefault(ours, {})
                doubt[position] = max(doubt.get(position, 0.0), min(sure, UNSURE))


def _find_sure(name: str, level: float, meanings: Mapping[int, Meanings], used: set[int]) -> list[int]:
    """Return the free positions whose heading means a column with the confidence `level`.

    If it is not our own name, the heading must not surely mean another column too.
    """
    return [
        position
        for position, confidences in meanings.items()
        if confidences.get(name) == level
        and position not in used
        and (level == OWN or sum(sure >= SURE for sure in confidences.values()) == 1)
    ]


def _place_all(layout: Layout, ours: str, positions: list[int]) -> set[int]:
    layout.columns[ours] = positions[0]
    if positions[1:]:
        layout.further[ours] = positions[1:]
    return set(positions)


def _place_record_id(layout: Layout, kind: RecordKind, headings: list[str], free: list[int]) -> None:
    """Use the number of a Kobo or ODK submission as the record number, if the form has no record number."""
    named = any(column.name == "record_number" for column in kind.file_columns)
    if not named or "record_number" in layout.columns:
        return
    by_name = {headings[p].casefold(): p for p in reversed(free)}
    by_name |= {_last(headings[p]).casefold(): p for p in reversed(free) if _last(headings[p]).startswith("_")}
    for name in _RECORD_IDS:
        if name in by_name:
            layout.columns["record_number"] = by_name[name]
            layout.doubts.pop("record_number", None)
            return


def _is_central(headings: Iterable[str]) -> bool:
    """Return whether a table comes from ODK Central; only there a hyphen ends the name of a group."""
    return not {"submissiondate", "meta-instanceid", "instanceid"}.isdisjoint(map(str.casefold, headings))


def _split_group(heading: str, central: bool) -> tuple[str, ...]:
    """Return a heading and what remains of it without the names of its groups; alone if they name somebody else."""
    if heading.startswith("_"):
        return (heading, _last(heading))
    ends = [*_ENDS[central].finditer(heading)]
    groups = make_key(heading[: ends[-1].start()]).split("_") if ends else []
    if any(words.look_up(words.index_codes("heading.group"), key) == "other" for key in groups):
        return (heading,)
    return (heading, *(heading[end.end() :].strip() for end in ends))


def _last(heading: str) -> str:
    return heading.rpartition("/")[2].strip()


def is_record_id(kind: str, heading: str) -> bool:
    """Return whether a heading may mean the number of a record, or of a submission."""
    return heading.casefold() in _RECORD_IDS or "record_number" in read_meanings(kind, heading)


def is_metadata(heading: str) -> bool:
    """Return whether a heading is one that a collecting tool adds."""
    return bool({heading.casefold(), _last(heading).casefold()} & _METADATA)


def _refuse_repeated(headings: list[str]) -> None:
    """Raise FileRefused for equal headings; its message has only positions, because they may be cells of a record."""
    places: dict[str, list[str]] = {}
    for number, heading in enumerate(headings, 1):
        if heading:
            places.setdefault(fold(heading), []).append(str(number))
    if twice := [numbers for numbers in places.values() if len(numbers) > 1]:
        listed = join_messages(map(list_messages, twice), ", ")
        raise FileRefused(
            Message(
                "These columns appear twice (by their place): {listed}. Keep one of each, or write above each what "
                "tells them apart. If two tables stand side by side, move the second below the first.",
                listed=listed,
            )
        )


def _refuse_two(headings: list[str], positions: list[int], ours: str) -> None:
    raise FileRefused(
        Message(
            "The columns {columns} both mean {ours}. Keep one of them.",
            columns=list_headings(headings, positions),
            ours=ours,
        )
    )
