"""The governance file of a workspace: who is responsible for the records, the legal basis, the retention.

People write `governance.toml` in the workspace; `tact init` makes it with explanations and empty fields. No release of
real records is made until it is complete. A practice workspace gets a complete file that is marked as invented and
never stops a release; its rules on retention, communities and receivers apply there too, so that people can practise
them.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.disclosure import policy_file
from data.errors import WorkspaceError
from data.message import Message, join_messages
from data.release import BLOCKED, read_blocked
from data.release.signed_list import NEED_APPROVAL
from data.tables.spec import Plan
from data.workspace import Workspace, files
from data.workspace.folding import is_same_partner
from data.workspace.toml_text import parse_toml

__all__ = [
    "BREACH_FILE",
    "FILE",
    "INVENTED",
    "TEMPLATE",
    "Agreement",
    "Governance",
    "count_back",
    "note_blocked",
    "read",
    "write_missing",
]

FILE, BREACH_FILE = "governance.toml", "BREACH.md"
_TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE, INVENTED, BREACH = (
    (_TEMPLATES / name).read_text(encoding="utf-8") for name in (FILE, "governance-invented.toml", BREACH_FILE)
)
_DECISIONS = ("approved", "blocked", "withdrawn")
_PARTNER, _AUTHORITIES = "partner", ("police", "migration")
_TWO = 2
_OTHER_DAY = re.compile(r"\s*\w+\s*=\s*((\d{1,2})[./-](\d{1,2})[./-](\d{4}))\s*(?:#.*)?")
_FOLLOW = Message("The rest of this file is checked once it can be read.")

# What must be filled in: section, name, and what it is, as a message says it.
_TEXTS = (
    ("controllers", "arrangement", Message("where the arrangement between the controllers is kept, and its day")),
    ("legal_basis", "special_categories", Message("the condition under which special categories of data are used")),
    ("legal_basis", "offences", Message("the law that allows data on offences")),
    ("transfer", "basis", Message("the basis on which records pass between Albania and Greece")),
    ("communities", "partner", Message("the Roma partner who decides on the community layers")),
)
_DAYS = (
    ("impact_assessment", Message("the day on which the impact assessment was finished")),
    ("communities", Message("the day of the Roma partner's decision")),
)


@dataclass(frozen=True)
class Agreement:
    """Who may receive partner files, and until when.

    kind: "partner", "police" or "migration". signed: None if the day is missing. ends: None if there is no end. opened:
    why an authority may receive files; if it is empty, the authority may not.
    """

    receiver: str
    kind: str
    signed: dt.date | None
    ends: dt.date | None
    opened: str


@dataclass(frozen=True)
class Governance:
    """The content of the file. `missing` lists what it lacks, each with its remedy; empty when complete.

    months, log_months, meeting_months: for how many months records, rows of the audit log, and agendas with their
    decisions are kept; None for ever. communities, dark_figure: whether their tables are approved. partners: the
    organisations that may send records.
    """

    path: Path
    missing: tuple[str, ...]
    months: int | None
    log_months: int | None
    meeting_months: int | None
    approvers: tuple[str, ...]
    communities: bool
    dark_figure: bool
    agreements: tuple[Agreement, ...]
    partners: tuple[str, ...]

    def require(self) -> None:
        """Raise WorkspaceError if the file is not complete; the message lists all that is missing."""
        if self.missing:
            lead = Message("Nothing was released: {path} is not complete.", path=self.path)
            raise WorkspaceError(join_messages([lead, *self.missing], "\n  "))

    @property
    def blocked(self) -> frozenset[str]:
        """The measures that need approval (communities, dark figure) and do not have it: they must not be released."""
        return frozenset(name for name in NEED_APPROVAL if not getattr(self, name))

    def permitted(self, plan: Plan) -> Plan:
        """Return the tables of a plan that may be released."""
        return {tier: tuple(spec for spec in specs if spec.measure not in self.blocked) for tier, specs in plan.items()}

    def kept_since(self, today: dt.date) -> dt.date | None:
        """Return the first day to keep: records of children last met before it are deleted. None if all are kept."""
        return None if self.months is None else count_back(today, self.months)

    def has_partner(self, name: str) -> bool:
        """Return whether the file names an organisation as a controller, the Roma partner or a receiving partner."""
        return any(is_same_partner(partner, name) for partner in self.partners)

    def receiver(self, name: str, today: dt.date) -> Agreement:
        """Return the agreement with a receiver of partner files that is valid today.

        Raises WorkspaceError if there is none, or if an agreement with an authority does not say why it may receive.
        """
        agreements = [a for a in self.agreements if is_same_partner(a.receiver, name)]
        valid = [a for a in agreements if a.signed and a.signed <= today and (a.ends is None or today <= a.ends)]
        for agreement in valid:
            if agreement.kind == _PARTNER or agreement.opened:
                return agreement
        if valid:
            why = Message(
                "{name} is a {kind} authority, which receives nothing unless `opened` says why.",
                name=name,
                kind=valid[0].kind,
            )
        elif agreements:
            why = Message("The agreement with {name} is not valid today.", name=name)
        else:
            why = Message("There is no agreement with {name}.", name=name)
        listed = ", ".join(a.receiver for a in self.agreements) or Message("nobody")
        there = Message("Nothing was exported. Agreements in {path}: {listed}.", path=self.path, listed=listed)
        raise WorkspaceError(join_messages([why, there]))


def count_back(today: dt.date, months: int) -> dt.date:
    """Return the day that is a number of months before `today`: the last day of the month if the month is shorter.

    If that is before the year 1, return the first day of that year.
    """
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    if year < dt.MINYEAR:
        return dt.date.min
    return dt.date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def write_missing(workspace: Workspace) -> list[Path]:
    """Write the governance file, policy and breach page that are missing; return their paths."""
    texts = {FILE: INVENTED if workspace.invented else TEMPLATE, BREACH_FILE: BREACH}
    texts[policy_file.FILE] = policy_file.default_text()
    missing = [workspace.path / name for name in texts if not (workspace.path / name).exists()]
    for path in missing:
        files.write_text(path, texts[path.name], mode=0o600)
    return missing


def note_blocked(workspace: Workspace) -> None:
    """Write the measures that must not be shown now into the folder of releases, where every reader looks them up."""
    blocked = read(workspace).blocked
    path = workspace.releases / BLOCKED
    if not path.is_file() or read_blocked(workspace.releases) != blocked:
        workspace.releases.mkdir(exist_ok=True)
        files.write_text(path, "".join(f"{name}\n" for name in sorted(blocked)))


def read(workspace: Workspace) -> Governance:
    """Read a workspace's governance file; a fault in it is listed in `missing`."""
    path = workspace.path / FILE
    fields = parse_toml(INVENTED) if workspace.invented else {}
    try:
        fields = parse_toml(path.read_text(encoding="utf-8"))
        faults = sorted(_missing(fields, workspace.invented), key=_position)
        missing = [join_messages([FILE, fault], ", ") for fault in faults]
    except FileNotFoundError:
        missing = [Message("There is no {path}. `tact doctor` writes an empty one: fill it in.", path=path)]
    except tomllib.TOMLDecodeError as error:
        days = list(_find_other_days(path.read_text(encoding="utf-8")))
        why = join_messages(days or [f"{error}."])
        missing = [join_messages([Message("{path} cannot be read: {why}", path=path, why=why), _FOLLOW])]
    except (OSError, UnicodeDecodeError) as error:
        remedy = Message("Correct it, or move it away and start again.")
        missing = [join_messages([Message("{path} cannot be read: {why}", path=path, why=f"{error}."), remedy])]
    return Governance(
        path,
        tuple(missing),
        _months(fields),
        _months(fields, "log_months"),
        _months(fields, "meeting_months"),
        tuple(_text(person, "name") for person in _blocks(fields, "approved")),
        _text(_section(fields, "communities"), "decision") == "approved",
        _text(_section(fields, "dark_figure"), "decision") == "approved",
        tuple(map(_agreement, _blocks(fields, "agreements"))),
        tuple(name for name in _list_partners(fields) if name),
    )


def _list_partners(fields: Mapping[str, Any]) -> Iterator[str]:
    names = _section(fields, "controllers").get("names")
    yield from (" ".join(n.split()) for n in names if isinstance(n, str)) if isinstance(names, list) else ()
    yield _text(_section(fields, "communities"), "partner")
    for block in _blocks(fields, "agreements"):
        if _text(block, "kind") == _PARTNER:
            yield _text(block, "receiver")


def _find_other_days(text: str) -> Iterator[str]:
    """Yield a message for each day in a form that TOML does not allow: its line and how to write it."""
    for number, line in enumerate(text.splitlines(), start=1):
        if day := _OTHER_DAY.fullmatch(line):
            meant = f" ({day[4]}-{int(day[3]):02d}-{int(day[2]):02d})" if "." in day[1] else ""
            yield Message(
                "line {number} says {day}; a day is written year, month, day with - between and without "
                "quotes, as 2009-03-02{meant}.",
                number=number,
                day=day[1],
                meant=meant,
            )


def _position(line: str) -> int:
    """Return the position of a message's section in the empty file, to sort messages by it."""
    return TEMPLATE.find(line.partition("]")[0])


def _missing(fields: Mapping[str, Any], invented: bool) -> Iterator[str]:
    if fields.get("invented") and not invented:
        yield Message("invented: this is the practice file. Fill in the real one of the programme.")
    names = _section(fields, "controllers").get("names")
    if not isinstance(names, list) or not any(isinstance(n, str) and n.strip() for n in names):
        yield Message("[controllers] names: list the organisations that decide together.")
    for section, name, what in _TEXTS:
        if not _text(_section(fields, section), name):
            yield Message("[{section}] {name}: write {what}.", section=section, name=name, what=what)
    for section, what in _DAYS:
        if not _past(_section(fields, section), "date"):
            yield Message(
                "[{section}] date: write {what}, as 2009-05-31, not in the future.", section=section, what=what
            )
    if _months(fields) is None:
        yield Message(
            "[retention] months: write the number of months without an encounter after which records are deleted."
        )
    yield from _missing_decisions(fields)
    complete = [p for p in _blocks(fields, "approved") if _text(p, "name") and _text(p, "role") and _past(p, "date")]
    if len({_text(person, "name").casefold() for person in complete}) < _TWO:
        yield Message("[[approved]]: two different people approve, each with name, role and date.")
    for number, block in enumerate(_blocks(fields, "agreements"), start=1):
        yield from _missing_in_agreement(number, block)


def _missing_decisions(fields: Mapping[str, Any]) -> Iterator[str]:
    if _text(_section(fields, "communities"), "decision") not in _DECISIONS:
        yield Message(
            "[communities] decision: write what the Roma partner decided, one of {allowed}.",
            allowed=", ".join(_DECISIONS),
        )
    # Older files have no such section: then no dark figure is released.
    if _text(_section(fields, "dark_figure"), "decision") not in ("", *_DECISIONS):
        yield Message(
            "[dark_figure] decision: write one of {allowed}, or leave the section out.", allowed=", ".join(_DECISIONS)
        )


def _missing_in_agreement(number: int, block: Mapping[str, Any]) -> Iterator[str]:
    faults = []
    if not _text(block, "receiver"):
        faults.append(Message("receiver: write who receives."))
    if _text(block, "kind") not in (_PARTNER, *_AUTHORITIES):
        faults.append(Message("kind: write one of {allowed}.", allowed=", ".join((_PARTNER, *_AUTHORITIES))))
    if not _past(block, "signed"):
        faults.append(Message("signed: write the day on which it was signed, not in the future."))
    if "ends" in block and _day(block, "ends") is None:
        faults.append(Message("ends: write a day, as 2011-03-01, or leave it out."))
    where = Message("[[agreements]] number {number}", number=number)
    yield from (join_messages([where, fault], ", ") for fault in faults)


def _agreement(block: Mapping[str, Any]) -> Agreement:
    return Agreement(
        _text(block, "receiver"),
        _text(block, "kind"),
        _day(block, "signed"),
        # An end that cannot be read must not become an agreement without end.
        (_day(block, "ends") or dt.date.min) if "ends" in block else None,
        _text(block, "opened"),
    )


def _section(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _blocks(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = fields.get(name)
    return [b for b in value if isinstance(b, dict)] if isinstance(value, list) else []


def _text(section: Mapping[str, Any], name: str) -> str:
    value = section.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _day(section: Mapping[str, Any], name: str) -> dt.date | None:
    value = section.get(name)
    try:
        if isinstance(value, str):
            return dt.date.fromisoformat(value)
    except ValueError:
        return None
    return value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else None


def _past(section: Mapping[str, Any], name: str) -> bool:
    day = _day(section, name)
    return day is not None and day <= dt.datetime.now(dt.UTC).date()


def _months(fields: Mapping[str, Any], name: str = "months") -> int | None:
    value = _section(fields, "retention").get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None
