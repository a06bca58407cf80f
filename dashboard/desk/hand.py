"""The files in hand: those that an officer has dropped, from recognition to import. This module does not use Streamlit.

An officer's answer holds for all files in hand of the same partner and kind. When a file is imported, the answers are
stored for the partner, so that the next month's file needs no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from dashboard.desk.state import Desk
from data.errors import FileRefused, WorkspaceError
from data.message import Message
from data.reference import area_table, town_table
from data.restricted import drafts, governance, imports, intake
from data.restricted.doubts import NOTHING_ASKED, Doubt, DoubtfulFile
from data.restricted.drafts import Draft, Row
from data.restricted.forms.servers import FormServer, find_stored, pull
from data.restricted.governance.retention import Overdue, find_overdue
from data.restricted.imports import Imported, Importer, UnknownPartner
from data.restricted.intake import mapping
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.memory_file import MemoryFile
from data.restricted.intake.recognition import Question, Recognition, answer, recognise
from data.restricted.vault import Vault, forget_log
from data.restricted.vault.earlier import FileCounts
from data.schema import get_kind
from data.schema.kinds import KINDS
from data.workspace import Workspace
from data.workspace.folding import make_sort_key
from data.workspace.types import ProgressCount
from geo.places import Places

_SECTION = "files"
Replies = Iterable[tuple[Question, Mapping[str, str]]]


@dataclass
class FileInHand:
    """A dropped file with its number on the desk: its partner, what was recognised, and its trial and import.

    `barred`: the file may never be imported into this workspace. `kind` is the officer's answer if the file does not
    show its kind. `refusal` is the reason why the file cannot be imported; `personal` is the personal data in it, if
    that is the reason (FileRefused). `names_unknown`: the reason is a partner that governance.toml does not name.
    `doubts` are open questions about the whole file, `answers` the answers to such questions, by the question's name.
    `counts` are those of `Vault.count_file`, once they were shown. `settled` is what the last recognition depended on;
    None before the first. `replaces`: another file of this name and partner was in hand, was not imported, and gave way
    to this one. `submissions` are the numbers of the rows, if a form server sent them.
    """

    number: int
    file: MemoryFile
    partner: str
    barred: bool = False
    kind: str = ""
    recognition: Recognition | None = None
    refusal: str = ""
    personal: tuple[tuple[str, str, int], ...] = ()
    names_unknown: bool = False
    doubts: tuple[Doubt, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    trial: Imported | None = None
    result: Imported | None = None
    counts: tuple[str, FileCounts, FileCounts] | None = None
    settled: object = None
    replaces: bool = False
    submissions: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the file can be imported with all its rows, and was not imported yet."""
        return self.result is None and self.trial is not None and not self.trial.rejected

    @property
    def goes_in(self) -> bool:
        """Whether an import would take a row of the file, or has it already."""
        trial = self.trial
        return trial is not None and bool(trial.accepted or trial.changed or trial.already_known)

    @property
    def needs_partner(self) -> bool:
        """Whether the officer must name the partner of the file, because its rows do not."""
        if self.recognition is None or self.partner:
            return False
        if any(reading.column == "partner" for reading in self.recognition.readings):
            reasons = self.trial.reasons if self.trial else ()
            is_empty = any((why["column"], why["reason"]) == ("partner", "missing") for why in reasons)
            return is_empty and not self.goes_in
        columns = get_kind(self.recognition.kind).file_columns
        return any(column.name == "partner" and column.required for column in columns)


@dataclass(frozen=True)
class Basis:
    """What decides how a file is read, besides the officer's answers. It is read once for all files of a page.

    `state` is the state of the vault, `governed` the partners that governance.toml names, `mappings` the stored
    mappings by partner.
    """

    state: object
    governed: tuple[str, ...]
    mappings: Mapping[str, Mapping[str, ColumnMapping]]


@dataclass
class Hand:
    """The files in hand by their number, and the officer's answers by partner and kind.

    taken : the number of files that were dropped so far. partner : the partner chosen for the next files.
    problems : what the last pull from a form server could not bring.
    """

    desk: Desk
    files: dict[int, FileInHand] = field(default_factory=dict)
    answers: dict[tuple[str, str], ColumnMapping] = field(default_factory=dict)
    taken: int = 0
    partner: str = ""
    problems: tuple[Message, ...] = ()

    @cached_property
    def places(self) -> Places:
        """The names of all areas."""
        return Places(area_table(), town_table())

    def list_partners(self) -> list[str]:
        """List the partners in the vault and in drafts and, for real records, those that governance.toml names.

        Each operator of a service is a partner too. There are hundreds, so those that only operate services come last.
        """
        with self.desk.open_vault() as (vault, _):
            sending = {*vault.partners("encounter"), *vault.partners("effort"), *drafts.list_partners(vault)}
            sending |= {*list_governed(self.desk.workspace)}
            if self.desk.workspace.invented:  # a new partner stays in the list before its file is imported
                sending |= {self.partner, *(entry.partner for entry in self.files.values())} - {""}
            others = set(vault.partners()) - sending
        return [*sorted(sending, key=make_sort_key), *sorted(others, key=make_sort_key)]

    def may_send(self, partner: str) -> bool:
        """Return whether files of a partner can be imported: always if the records are invented.

        A partner of real records must have records in the vault, or be named by governance.toml.
        """
        with self.desk.open_vault() as (vault, _):
            return not imports.find_new_partners(self.desk.workspace, vault, [partner])

    def take(self, name: str, content: bytes, partner: str, submissions: tuple[str, ...] = ()) -> FileInHand:
        """Add a file to the files in hand, and return it. It replaces a file of the same name and partner.

        A file that may not be imported into this workspace is barred, and its `refusal` says why.
        """
        self.taken += 1
        entry = FileInHand(self.taken, MemoryFile(name, content), " ".join(partner.split()), submissions=submissions)
        try:
            imports.check_workspace_kind(self.desk.workspace, [entry.file])
        except WorkspaceError as error:
            # Only the message is kept: an error refers to the variables of its functions, such as keys.
            entry.barred, entry.refusal = True, error.message
        # A file of the same name and partner is an earlier version of this one.
        same = [o for o in self.files.values() if (o.file.name, o.partner) == (entry.file.name, entry.partner)]
        for other in same:
            self.put_away(other)
            entry.replaces |= other.result is None and other.file.open("rb").read() != content
        self.files[entry.number] = entry
        return entry

    def bring(self, server: FormServer, progress: ProgressCount) -> None:
        """Bring all submissions of a form from its server as a file in hand; raise InputError as `pull` does."""
        self.problems = ()
        with self.desk.open_vault() as (vault, _):
            brought = pull(vault, server, progress)
        if brought.file is None and not brought.problems:
            self.problems = (Message("{form} has no submission on its server.", form=server.name),)
        else:
            self.problems = tuple(brought.word_problems())
        if brought.file is not None:
            self.take(brought.file.name, brought.file.open("rb").read(), self.partner, brought.numbers)

    def list_deletable(self, entry: FileInHand) -> list[str]:
        """Return those submissions of an imported file that are stored, so that they may be deleted on the server."""
        if entry.result is None or not entry.submissions:
            return []
        with self.desk.open_vault() as (vault, _):
            return find_stored(vault, entry.result.kind, entry.submissions)

    def put_away(self, entry: FileInHand) -> None:
        """Remove a file from the files in hand."""
        del self.files[entry.number]

    def read_basis(self) -> Basis:
        """Return what now decides, besides answers, how all files in hand are read."""
        with self.desk.open_vault() as (vault, _):
            state = vault.read_state()
        partners = {entry.partner for entry in self.files.values()}
        return Basis(
            state,
            list_governed(self.desk.workspace),
            {partner: imports.find_mappings(self.desk.workspace, partner or None) for partner in partners},
        )

    def look(self, entry: FileInHand, basis: Basis | None = None) -> None:
        """Recognise a file and try its import, and note in `entry` what was found, or why it cannot be imported.

        Nothing is done for a file that is barred or imported, or if nothing has changed since the last time.
        """
        if entry.barred or entry.result is not None:
            return
        basis = basis or self.read_basis()
        mappings = self._find_mappings(entry, basis.mappings[entry.partner])
        settled = (entry.partner, entry.kind, mappings, basis.state, basis.governed, {**entry.answers})
        if entry.settled == settled:
            return
        entry.recognition = entry.trial = None
        entry.refusal, entry.personal, entry.names_unknown, entry.doubts = "", (), False, ()
        try:
            kind = entry.kind or intake.guess_kind(entry.file, mappings)
            if kind is not None:
                entry.recognition = recognise(
                    entry.file, resolve=self.places.resolve, mappings=mappings, kind=kind, partner=entry.partner or None
                )
                entry.refusal = entry.recognition.lacking
                if not entry.recognition.blocks and not entry.needs_partner:
                    with self._importing(mappings, rehearse=True, answers=entry.answers) as importer:
                        entry.trial = _import(importer, entry.file, entry.recognition.kind, entry.partner)
            else:
                intake.refuse_unknown_children(entry.file)
                entry.refusal = "" if imports.is_table(entry.file) else imports.word_unknown(entry.file)
        except DoubtfulFile as doubtful:
            entry.doubts = doubtful.doubts
        except (FileRefused, WorkspaceError) as refusal:
            entry.refusal = refusal.message
            entry.personal = refusal.personal if isinstance(refusal, FileRefused) else ()
            entry.names_unknown = isinstance(refusal, UnknownPartner)
        entry.settled = settled

    def reply(self, entry: FileInHand, replies: Replies, columns: Mapping[str, str] = MappingProxyType({})) -> None:
        """Note the officer's answers to questions about a file.

        replies : the questions, each with the answers to its parts. columns : headings of the file by our column.
        Raises InputError for an answer that is not allowed.
        """
        learnt = ColumnMapping(columns=columns)
        for question, reply in replies:
            learnt = learnt.extend(answer(question, reply))
        self.correct(entry, learnt)

    def correct(self, entry: FileInHand, entries: ColumnMapping) -> None:
        """Note how the partner's files of this kind are read; raise InputError for a value that no mapping may have.

        If the kind of the file is not known, the entries are noted for all kinds.
        """
        chosen = entry.kind or (entry.recognition.kind if entry.recognition else "")
        kinds = [chosen] if chosen else list(KINDS)
        for kind in kinds:
            mapping.check(entries, kind)
        for key in [(self._owner(entry), kind) for kind in kinds]:
            self.answers[key] = self.answers.get(key, ColumnMapping()).extend(entries)

    def ask_again(self, entry: FileInHand) -> None:
        """Forget the kind chosen for this file, and all answers on the partner's files of this kind, stored ones too.

        Nothing is done for a file that was not recognised.
        """
        if entry.recognition is None:
            return
        entry.kind, entry.settled = "", None
        self.answers.pop((self._owner(entry), entry.recognition.kind), None)
        if entry.partner:
            mapping.forget(mapping.file_for(self.desk.workspace.mappings, entry.partner), entry.recognition.kind)

    def list_taken_back(self) -> set[int]:
        """Return the desk numbers of the files in hand whose import is not in the vault any more."""
        results = {entry.number: entry.result for entry in self.files.values() if entry.result is not None}
        if not results:
            return set()
        with self.desk.open_vault() as (vault, _):
            there = {listed["number"] for listed in vault.list_imports()}
        return {
            number for number, result in results.items() if result.number is not None and result.number not in there
        }

    def try_again(self, entry: FileInHand) -> None:
        """Forget the result of a file's import, so that the file is recognised again."""
        entry.result = entry.counts = entry.settled = None

    def store(self, entry: FileInHand, confirmed: int | None = None, progress: ProgressCount | None = None) -> None:
        """Import a file and keep the answers for its partner.

        `confirmed` is the number of overdue records that the officer agreed to delete. Raises InputError if this
        number is wrong, or needed and missing, and FileRefused if the file cannot be imported.
        """
        if entry.recognition is None:
            raise FileRefused(entry.refusal)
        kind = entry.recognition.kind
        mappings = self._find_mappings(entry, imports.find_mappings(self.desk.workspace, entry.partner or None))
        with self._importing(mappings, answers=entry.answers) as importer:
            self._delete_overdue(importer.vault, confirmed)
            entry.result = _import(importer, entry.file, kind, entry.partner, progress)
        entry.file.table = None  # the largest part of a file in hand
        learnt = self.answers.get((entry.partner, kind))
        if entry.partner and learnt is not None:
            mapping.keep(self.desk.workspace.mappings, entry.partner, kind, learnt)

    def check_rows(self, kind: str, partner: str, rows: Sequence[Row]) -> Imported:
        """Return what an import of rows that were entered by hand would do. Raises FileRefused as an import does."""
        with self._importing({}, rehearse=True) as importer:
            return _import(importer, drafts.make_file(kind, rows), kind, partner)

    def store_draft(self, draft: Draft, confirmed: int | None = None) -> Imported:
        """Import the rows of `draft`, remove them from the stored draft, and return the result.

        If a row would be rejected, nothing is changed, and the result has the reasons. `confirmed` is as in `store`.
        Raises InputError as `store` does, and if the stored draft no longer has these rows of this partner.
        """
        job = (drafts.make_file(draft.kind, draft.rows), draft.kind, draft.partner)
        with self._importing({}) as importer:
            drafts.find_rest(importer.vault, draft)
            checked = _import(replace(importer, rehearse=True), *job)
            if checked.rejected:
                return checked
            self._delete_overdue(importer.vault, confirmed)
            imported = _import(importer, *job)
            drafts.take_out(importer.vault, draft)
        return imported

    @contextmanager
    def _importing(
        self,
        mappings: Mapping[str, ColumnMapping],
        *,
        rehearse: bool = False,
        answers: Mapping[str, str] = NOTHING_ASKED,
    ) -> Iterator[Importer]:
        """Yield an importer; until the block ends, no other process can write to the vault.

        answers : those to questions about a whole file; by default no question is asked.
        """
        with self.desk.open_vault() as (vault, secrets), vault.writing():
            resolve = self.places.resolve
            # `new_partner`: the page has already asked whether a partner with a similar name is new.
            yield Importer(
                self.desk.workspace, vault, secrets, resolve, mappings, rehearse, new_partner=True, answers=answers
            )

    def _delete_overdue(self, vault: Vault, confirmed: int | None) -> None:
        overdue = find_overdue(self.desk.workspace, vault)
        overdue.require_consent(confirmed)
        imports.delete_overdue(self.desk.workspace, vault, overdue)

    def _owner(self, entry: FileInHand) -> str:
        """Return the owner of a file's answers: its partner, or the file itself if no partner is named."""
        return entry.partner or f"\0{entry.file.name}"

    def _find_mappings(self, entry: FileInHand, saved: Mapping[str, ColumnMapping]) -> dict[str, ColumnMapping]:
        owner = self._owner(entry)
        return {
            kind: saved.get(kind, ColumnMapping()).extend(self.answers.get((owner, kind), ColumnMapping()))
            for kind in KINDS
        }


def _import(
    importer: Importer, file: MemoryFile, kind: str, partner: str, progress: ProgressCount | None = None
) -> Imported:
    return importer.import_file(file, kind=kind, partner=partner or None, progress=progress)


def recall_overdue(desk: Desk) -> Overdue:
    """Return the records that are kept too long and will be deleted.

    They are counted again only when the records, the months of retention or the day change.
    """
    with desk.open_vault() as (vault, _):
        basis = vault.read_state(), governance.read(desk.workspace).months, forget_log.today()
        return desk.recall("overdue", basis, lambda: find_overdue(desk.workspace, vault))


def list_governed(workspace: Workspace) -> tuple[str, ...]:
    """List the partners that governance.toml names; none for invented records."""
    return () if workspace.invented else governance.read(workspace).partners


def read_hand(desk: Desk) -> Hand:
    """Return the officer's files in hand; there are none after the desk was locked."""
    hand: Hand = desk.in_hand.setdefault(_SECTION, Hand(desk))
    return hand
