"""Import a partner's file: the steps that the command line and the desk share, from reading to the list of rejects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from data.disclosure import policy_file
from data.errors import DiskFull, FileRefused, InputError, WorkspaceError
from data.message import Message, count_more, join_messages
from data.restricted import governance, intake, keys
from data.restricted.doubts import (
    INSIDE,
    NEW,
    NO_FAMILY,
    REPLACES,
    DoubtfulFile,
    doubt_changes,
    doubt_families,
    doubt_numbers,
    doubt_period,
    raise_open,
    word_doubts,
)
from data.restricted.governance import retention
from data.restricted.governance.retention import Overdue
from data.restricted.intake import mapping
from data.restricted.intake.identity import FORGOTTEN, MOST_IN_FAMILY
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.memory_file import InputFile
from data.restricted.intake.outline import Outline, compare_outlines
from data.restricted.intake.rejects import Respelled, find_list, group_rejects, remove_lists
from data.restricted.vault import Counts, Import, Undone, Vault
from data.schema import Resolve, get_kind
from data.schema.kinds import KINDS
from data.tables.periods import Calendar
from data.workspace import Workspace, partner_names
from data.workspace.folding import is_same_partner, normalize_partner
from data.workspace.types import ProgressCount

_TABLES = (".csv", ".xlsx", ".xls", ".zip")  # a file with another ending is read too if it is a table
# A note of an import whose records are stored.
NO_LIST = Message(
    "The list of rejected rows could not be written. The others are stored. To get it, import the file again."
)
NOT_KEPT = Message(
    "How this file was read could not be kept for the partner, so the next file will be asked about again. Its records "
    "are stored."
)
_FEWEST_SAME = 2  # One record without a number may be like one of another partner.


class UnknownPartner(FileRefused):
    """A file of real records names a partner that governance.toml does not name and the vault does not have."""


class _Rehearsal(Exception):
    """Raised to end the transaction of a dry run, so that nothing of it is stored."""


@dataclass(frozen=True)
class Imported:
    """The result of an import: numbers of rows and of faults, the list of rejected rows, their reasons, and notes.

    `number` is the number of the import, None if nothing was stored. `list_failed`: the list of rejected rows could not
    be written. `respelled` are the words of accepted rows that were read as a place of similar sound. `reasons` come
    from `group_rejects` (data/restricted/intake/rejects.py), most rows first. `totals` are the numbers in the rows of
    totals of the file, for the officer's eyes. `forgotten` are the record numbers of rows about forgotten children.
    """

    kind: str
    accepted: int
    rejected: int
    changed: int
    already_known: int
    rejects: Path | None
    faults: int
    reasons: tuple[dict[str, Any], ...]
    unknown_columns: tuple[str, ...]
    notes: tuple[str, ...]
    respelled: tuple[Respelled, ...] = ()
    number: int | None = field(default=None, compare=False)
    list_failed: bool = False
    totals: tuple[int, ...] = field(default=(), repr=False)
    forgotten: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Importer:
    """The tools of an import: an open vault, the keys, the names of areas, and the partner's mappings by kind.

    With `rehearse`, nothing is stored and no list of rejected rows is written. With `new_partner`, the partner who is
    named for a file may have nearly the name of another. `answers` are those to questions about the whole file, by the
    name of the question (data/restricted/doubts.py).
    """

    workspace: Workspace
    vault: Vault
    secrets: keys.Keys
    resolve: Resolve
    mappings: Mapping[str, ColumnMapping] = field(default_factory=dict)
    rehearse: bool = False
    new_partner: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)

    def import_file(
        self,
        path: InputFile,
        *,
        kind: str | None = None,
        partner: str | None = None,
        progress: ProgressCount | None = None,
    ) -> Imported:
        """Import one file, and return the result.

        Raises FileRefused for a file that is refused as a whole, DoubtfulFile for one with open questions, InputError
        for a mapping that is not valid, and VaultBusy while another process writes to the vault.
        """
        kind = kind or intake.guess_kind(path, self.mappings)
        if kind is None:
            intake.refuse_unknown_children(path)
            raise FileRefused(word_unknown(path))
        # One lock for all steps, so that nobody is forgotten between reading a file and storing its records.
        with self.vault.writing():
            try:
                return self._import_kind(path, kind, partner, progress)
            except DoubtfulFile as doubtful:
                raise self._compare_by_content(doubtful, path, kind, partner) from None

    def _compare_by_content(
        self, doubtful: DoubtfulFile, path: InputFile, kind: str, partner: str | None
    ) -> DoubtfulFile:
        """Return the open questions; if one is whether record numbers begin again, with those that remain if they do.

        How a file with such numbers differs from earlier ones is known only without the numbers.
        """
        numbers, others = doubtful.split()
        if not numbers:
            return doubtful
        trial = replace(self, answers={**self.answers, **dict([NEW])}, rehearse=True)
        try:
            trial.import_file(path, kind=kind, partner=partner)
            others = []
        except DoubtfulFile as further:
            others = list(further.doubts)
        except FileRefused:
            pass  # the file needs its numbers
        return word_doubts(path.name, [*numbers, *others])

    def _import_kind(
        self, path: InputFile, kind: str, partner: str | None, progress: ProgressCount | None = None
    ) -> Imported:
        self._refuse_similar_partners(path, [partner] if partner else [])
        rules = self.mappings.get(kind, ColumnMapping())
        unnumbered = ColumnMapping(ignore=("record_number",) if NEW in self.answers.items() else ())
        read = intake.read_file(
            path,
            kind,
            resolve=self.resolve,
            hash_identifier=keys.IdentifierHasher(self.secrets.identifier).hash,
            mapping=rules.extend(unnumbered),
            partner=partner,
            partners=self._list_partners(kind),
            forgotten=self.vault.forgotten_children(),
            find_stored=self.vault.find_stored if self.vault.has_written_codes else None,
            find_known=self.vault.find_stored,
            leave_crowds=NO_FAMILY in self.answers.items(),
            progress=progress,
        )
        self._refuse_similar_partners(path, read.partners)
        self._refuse_unknown_partners(path, read)
        try:
            number, counts, more = self._store(path, read)
        except DoubtfulFile as doubtful:
            raise self._list_refused(path, read, doubtful) from None
        notes, rejects, list_failed = (*read.notes, *more), None, False
        if not self.rehearse:
            learnt = unnumbered.extend(ColumnMapping(slashes=read.slashes if number else ""))
            if partner and learnt != ColumnMapping():
                try:
                    mapping.keep(self.workspace.mappings, partner, kind, learnt)
                except (OSError, DiskFull):  # the records are stored
                    notes += (NOT_KEPT,)
            try:
                rejects = self._write_rejects(path, read)
            except (OSError, DiskFull):  # the records are stored, so this is no failure of the import
                list_failed = True
                notes += (NO_LIST,)
        return Imported(
            kind=read.kind,
            accepted=counts.accepted,
            rejected=read.rejected_rows,
            changed=counts.changed,
            already_known=counts.already_known,
            rejects=rejects,
            faults=len(read.rejects),
            reasons=tuple(group_rejects(read.rejects, read.kind, read.reasons)),
            unknown_columns=read.unknown_columns,
            notes=notes,
            respelled=read.respelled,
            number=number,
            list_failed=list_failed,
            totals=read.totals,
            forgotten=tuple(read.rejects["record_number"][read.rejects["reason"] == FORGOTTEN]),
        )

    def _list_partners(self, kind: str) -> list[str]:
        """Return the partners that records name, and governance.toml; empty for a kind that names none."""
        if all(column.name != "partner" for column in get_kind(kind).stored):
            return []
        known = self.vault.partners(kind) or self.vault.partners("encounter")
        governed = () if self.workspace.invented else governance.read(self.workspace).partners
        return [*known, *(name for name in governed if not any(is_same_partner(name, other) for other in known))]

    def _refuse_similar_partners(self, path: InputFile, partners: Sequence[str]) -> None:
        """Raise FileRefused if a new partner's name is nearly that of another: a slip would store the same rows twice.

        In a workspace of real records, governance.toml names the partners, and only those are accepted.
        """
        if self.new_partner or not self.workspace.invented:
            return
        known = {*self.vault.partners(), *partners}
        for partner in set(partners) - {*self.vault.partners()}:
            similar = partner_names.find_similar(partner, known - {partner})
            if not similar:
                continue
            raise FileRefused(
                Message(
                    "{file}: {partner!r} is a new partner, and the name is nearly that of {similar!r}. No row was "
                    "imported. If {similar!r} is meant, write the name so, or say it: --set "
                    "'partner.{partner}={similar}'. If {partner!r} is really another partner, add --new-partner.",
                    file=path.name,
                    partner=partner,
                    similar=similar,
                )
            )

    def _refuse_unknown_partners(self, path: InputFile, read: intake.Intake) -> None:
        """Raise UnknownPartner if a file of real records names a new partner, because it may be a person's name."""
        new = find_new_partners(self.workspace, self.vault, read.partners)
        if new:
            governed = governance.read(self.workspace)
            names = Message(
                "{file} names {count} partner whom {governance} does not. No row was imported."
                if len(new) == 1
                else "{file} names {count} partners whom {governance} does not. No row was imported.",
                file=path.name,
                count=len(new),
                governance=governed.path,
            )
            remedy = Message(
                "Partners are organisations, never persons: look at the column of partners and at --partner. Write a "
                'new organisation into the file, under [controllers] or with an agreement of kind "partner", and '
                "import again."
            )
            raise UnknownPartner(join_messages([names, remedy]))

    def _store(self, path: InputFile, read: intake.Intake) -> tuple[int | None, Counts, list[Message]]:
        """Store the records; return the import's number (None if nothing was stored), numbers of records, and notes."""
        partner = read.partner or ""
        importing = self.vault.importing(read.kind, path.name, partner, read.rejected_rows)
        with contextlib.suppress(_Rehearsal), importing as records:
            for batch in read.batches():
                records.add(batch)
            records.match_unnumbered()
            notes = [*self._settle_doubts(path, read, records), *self._note_records(read, records)]
            if self.rehearse:
                raise _Rehearsal
        stored = not self.rehearse and records.counts != Counts()
        return records.number if stored else None, records.counts, notes

    def _settle_doubts(self, path: InputFile, read: intake.Intake, records: Import) -> list[Message]:
        """Compare a file with what is stored, and act on the answers; raise DoubtfulFile for what is not answered."""
        earlier = (Outline.from_json(text) for text in records.list_outlines())
        changes = compare_outlines(get_kind(read.kind), earlier, read.outline)
        if NEW in self.answers.items() or "record_number" in self._ignored(read.kind):  # its numbers are not read
            changes = (change for change in changes if change.values["column"] != "record_number")
        corrections = records.count_corrections()
        overlap = records.find_overlap(read.rejected.identity, len(read.rejected.lines))
        doubts = [*doubt_numbers(corrections, read.restarts), *doubt_period(overlap, _word_rejects(read))]
        doubts += [*doubt_changes(changes), *doubt_families(read.crowds)]
        raise_open(path.name, doubts, self.answers)
        if records.counts != Counts():
            records.write_outline(read.outline.to_json())
        if overlap is None or not {REPLACES, INSIDE} & self.answers.items():
            return []
        return [
            Message(
                "{count:,} rows of import {numbers} that are not in this file were removed. Taking this import back "
                "brings them back.",
                count=records.remove_gone(inside=INSIDE in self.answers.items()),
                numbers=", ".join(map(str, overlap.imports)),
            )
        ]

    def _ignored(self, kind: str) -> tuple[str, ...]:
        return self.mappings.get(kind, ColumnMapping()).ignore

    def _list_refused(self, path: InputFile, read: intake.Intake, doubtful: DoubtfulFile) -> DoubtfulFile:
        """Return the open questions, with the list of rejected rows if these stop a file from replacing another."""
        if self.rehearse or read.rejects.empty or not {REPLACES, INSIDE} & self.answers.items():
            return doubtful
        try:
            listed = Message("The rejected rows: {file}", file=self._write_rejects(path, read))
        except (OSError, DiskFull):
            return doubtful
        return DoubtfulFile(join_messages([doubtful.message, listed]), doubtful.doubts)

    def _note_records(self, read: intake.Intake, records: Import) -> list[Message]:
        """Return notes on records that may be wrong, or count nowhere, beside those of other files and partners."""
        two_sexes = records.count_two_sexes()
        crowds, late = records.count_large_households(MOST_IN_FAMILY), records.count_late()
        other, same, compared = records.find_other_partner() or ("", 0, 1)
        policy = policy_file.read(self.workspace.path).policy
        programme = Calendar(self.workspace.start_month).whole(policy.first, policy.last)
        outside = read.count_outside(programme.start, programme.end)
        notes = {
            Message(
                "{count:,} child of this file is female in one record of the partner and male in another. A cell may "
                "be wrong, or two children have one identifier and count as one. Ask the partner."
                if two_sexes == 1
                else "{count:,} children of this file are female in one record of the partner and male in another. "
                "Cells may be wrong, or two children have one identifier and count as one. Ask the partner.",
                count=two_sexes,
            ): two_sexes,
            Message(
                "Is this the right partner? {count:,} of {rows:,} new records that were compared are the same as "
                "records of {other!r} (day, place, record number and all categories). If the file is one of {other!r}, "
                "do not import it for another partner, or take the import back: its children and encounters would "
                "count twice.",
                count=same,
                rows=compared,
                other=other,
            ): same >= _FEWEST_SAME and 2 * same >= compared,
            Message(
                "Household numbers of this file that have more than {most} children, those of earlier files counted: "
                "{count:,}. All children of a number count as one family. Ask the partner what it stands for.",
                most=MOST_IN_FAMILY,
                count=crowds,
            ): crowds,
            Message(
                "{count:,} new or corrected encounter is of a year whose numbers are final and never change. It is "
                "stored, and counts in no number of children."
                if late == 1
                else "{count:,} new or corrected encounters are of years whose numbers are final and never change. "
                "They are stored, and count in no number of children.",
                count=late,
            ): late,
            Message(
                "{count:,} row is of a day before or after the programme ({first} to {last}). It is stored, and is in "
                "no number of a release. If the day is wrong, correct it; if the programme is longer, change "
                "policy.toml."
                if outside == 1
                else "{count:,} rows are of days before or after the programme ({first} to {last}). They are stored, "
                "and are in no number of a release. If the days are wrong, correct them; if the programme is longer, "
                "change policy.toml.",
                count=outside,
                first=programme.start,
                last=programme.end,
            ): outside,
        }
        return [note for note, says in notes.items() if says]

    def _write_rejects(self, path: InputFile, read: intake.Intake) -> Path | None:
        target = find_list(self.workspace.rejects, read.partners, path.name, read.sheet)
        if read.rejects.empty:
            # No old list remains of a file that was corrected.
            target.unlink(missing_ok=True)
            return None
        intake.write_rejects(target, read.rejects)
        return target


def _word_rejects(read: intake.Intake) -> list[Message]:
    """Return why rows are rejected, most rows first."""
    return [
        Message(
            "Line {lines}: {column}, {reason}." if why["column"] else "Line {lines}: {reason}.",
            lines=count_more(", ".join(map(str, why["lines"])), why["rows"] - len(why["lines"])),
            column=why["column"],
            reason=why["reason"],
        )
        for why in group_rejects(read.rejects, read.kind, read.reasons)
    ]


def find_new_partners(workspace: Workspace, vault: Vault, partners: Iterable[str]) -> list[str]:
    """Return the partners that have no records in the vault and that governance.toml does not name.

    None are new in a workspace of invented records.
    """
    if workspace.invented:
        return []
    governed, present = governance.read(workspace), {normalize_partner(name) for name in vault.partners()}
    return [name for name in partners if normalize_partner(name) not in present and not governed.has_partner(name)]


def find_mappings(workspace: Workspace, partner: str | None, file: Path | None = None) -> dict[str, ColumnMapping]:
    """Return the mappings of a partner, by kind: from `file`, or else the stored ones; none without a partner.

    Raises InputError for a file without a partner, for one of another partner, and for a mapping that is not valid.
    """
    if partner is None:
        if file is None:
            return {}
        raise InputError(Message("A mapping belongs to a partner. Name the partner: --partner NAME --mapping FILE"))
    default = mapping.file_for(workspace.mappings, partner)
    mappings = mapping.read_all(file or default)
    owners = sorted({of_kind.constants.get("partner", "") for of_kind in mappings.values()} - {""})
    if file and not owners and file.name != default.name and (workspace.mappings / file.name).exists():
        # A mapping that an earlier version kept has no name of its partner but that of the file.
        raise InputError(
            Message(
                "{file} is the kept mapping of another partner, and the import is for {partner!r}. Nothing was "
                "imported. Give the mapping of {partner!r}, or name the right partner with --partner. To read files of "
                "{partner!r} in the same way, copy the mapping under another name.",
                file=file.name,
                partner=partner,
            )
        )
    other = next((name for name in owners if not is_same_partner(name, partner)), None)
    if other is not None:
        raise InputError(
            Message(
                "{file} is the mapping of {other!r}, and the import is for {partner!r}. Nothing was imported. Give the "
                "mapping of {partner!r}, or name the right partner with --partner. To read files of {partner!r} in the "
                "same way, copy the mapping under another name, without a line partner = {other!r}.",
                file=(file or default).name,
                other=other,
                partner=partner,
            )
        )
    return mappings


def delete_overdue(workspace: Workspace, vault: Vault, overdue: Overdue) -> int:
    """Delete the records that are kept too long, with the lists of rejected rows; return the number of records."""
    if overdue.count:
        remove_lists(workspace.rejects)
    return retention.delete_overdue(vault, overdue)


def undo_import(workspace: Workspace, vault: Vault, number: int) -> Undone:
    """Undo an import, and remove the lists of rejected rows that may contain its rows.

    Returns the numbers of records, and raises InputError, as `Vault.undo` does. The removed lists are all lists of the
    partner, or all lists if the import names no partner. A list can be made again from its file.
    """
    partners = [entry["partner"] for entry in vault.list_imports() if entry["number"] == number]
    undone = vault.undo(number)
    remove_lists(workspace.rejects, partners[0])
    return undone


def is_table(path: InputFile) -> bool:
    """Return whether a file is a table, judged by the ending of its name."""
    return path.suffix.lower() in _TABLES


def word_unknown(path: InputFile) -> Message:
    """Return why no kind of record was recognised in a file."""
    if not is_table(path):
        return Message(
            "{file} is not a table of records. CSV and Excel files are read (.csv, .xlsx, .xls), also those that Kobo "
            "and ODK export. Save it as one of them, with the names of the columns in the first row.",
            file=path.name,
        )
    return Message(
        "The columns of {file} fit no kind of record, or fit several. Say which kind it is with --kind: {kinds}. The "
        "columns of each kind: tact doctor --schema",
        file=path.name,
        kinds=", ".join(KINDS),
    )


def check_workspace_kind(workspace: Workspace, files: Iterable[InputFile]) -> None:
    """Raise WorkspaceError for the demo, and for invented files in a workspace of real records."""
    if workspace.demo:
        raise WorkspaceError(
            Message(
                "{path} is the demo, and nothing can be imported into it. To practise with invented files, "
                "make a practice workspace: tact --workspace DIR init --practice",
                path=workspace.path,
            )
        )
    invented = [path.name for path in files if _is_invented(path)]
    if invented and not workspace.invented:
        raise WorkspaceError(
            Message(
                "{invented}: these records are invented, but {path} is for real records. To practise, make "
                "a practice workspace: tact --workspace DIR init --practice",
                invented=", ".join(invented),
                path=workspace.path,
            )
        )


def _is_invented(path: InputFile) -> bool:
    try:
        return intake.is_invented(path)
    except FileRefused:
        return False  # it is refused when it is read
