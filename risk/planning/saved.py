"""Saved plans: each is a separate result beside the release, and says who made it, when and why.

A saved plan is never changed: decisions on it are saved in a new plan that names the earlier one. The
whole plan is JSON in the manifest. It is checked when it is read, because files may be damaged or made by
hand: plans that cannot be read are named, and all others are listed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from data.errors import InputError, ReleaseDamaged, TactError
from data.release import Release, derived, result
from data.release.result import Result
from data.tables.spec import Tier
from risk.handover.tasks import WHY_STAYS
from risk.planning.outcomes import find_address, register_plan
from risk.planning.problem import Decision
from risk.planning.summary import AuthoredDecision, PlanSummary, check_texts

KIND = "plan"
_KEYS = {"setting": "parameters", "verdict": "plan"}  # fields whose key in the file is another
_LARGEST = 1e15
OLD_ANSWERS = {"move": "do", "small": "optional", "nothing": "keep", True: "do", False: "keep"}
# How older versions of the product began the sentence in which they wrote why a task stays.
_OLD_REASONS = {"it serves no": "no_children", "there is room": "room_taken", "no duty bearer": "no_room"}


@dataclass(frozen=True)
class SavedPlan:
    """A plan that was saved.

    folder : of the plan itself. release : name of the release. created : time with time zone. invented : whether its
    release is invented.
    """

    folder: Path
    release: str
    tier: str
    created: dt.datetime
    invented: bool
    summary: PlanSummary

    @property
    def name(self) -> str:
        """The name with which the plan is opened."""
        return self.folder.name

    @property
    def address(self) -> str:
        """The part of the plan's name that addresses of pages use: the checksum of its content."""
        return find_address(self.name)


@dataclass(frozen=True)
class SavedPlans:
    """Saved plans, newest first, and the names of unreadable plans with the reason."""

    plans: tuple[SavedPlan, ...] = ()
    damaged: Mapping[str, str] = field(default_factory=dict)


def save_plan(
    folder: Path, release: Release, summary: PlanSummary, before: Callable[[str], None] = lambda _address: None
) -> SavedPlan:
    """Save a plan in a folder, and register it in the ledger there.

    folder : of derived results, or of plans on a server. The newest plan is not saved again if it is the same. `before`
    is called with the address of a new plan; if it raises an error, nothing is saved. Raises ReleaseDamaged if the
    manifest of an earlier plan was changed.
    """
    content = {**write_plan(summary), "invented": release.invented}
    result = derived.publish(folder, release, KIND, [], content, lambda name: before(find_address(name)))
    plan = _read_result(result)
    register_plans(folder, release)
    return plan


def register_plans(folder: Path, release: Release) -> None:
    """Register saved plans of a release that are missing in the ledger because a command was killed after saving."""
    for plan in reversed(list_saved_plans([folder], release).plans):
        register_plan(folder, release, plan.name, plan.summary)


def take_plans(
    folder: Path, source: Path, open_release: Callable[[str], Release]
) -> tuple[list[SavedPlan], dict[str, str]]:
    """Copy plans that people saved on a server into a folder of derived results, and register them in its ledger.

    source : a copy of the server's folder of plans. open_release : opens the partner tier of a release by its name, or
    raises a TactError. Returns the new plans, and a sentence for each refused plan, by name. Plans that `folder` has
    already are not copied again.
    """
    plans, refused = list[SavedPlan](), dict[str, str]()
    for path in result.list_manifests(source, "*", "partner", KIND):
        try:
            release = open_release(path.parent.parent.name)
            if not (folder / path.parent.relative_to(source)).exists():
                plans.append(_take_plan(folder, Result(path.parent, result.read_manifest(path)), release))
            register_plans(folder, release)
        except TactError as error:
            refused[path.parent.name] = str(error)
    return plans, refused


def _take_plan(folder: Path, plan_result: Result, release: Release) -> SavedPlan:
    """Copy a plan into a folder.

    Raises InputError for a plan of another release, a plan that was changed or cannot be read, and texts that
    `check_texts` refuses.
    """
    plan = _read_result(plan_result)
    if (plan.release, plan_result.manifest["release_sha256"]) != (release.name, release.checksum):
        raise InputError(f"The plan {plan.name} was saved for another release than {release.name} of this workspace.")
    if not derived.is_unchanged(plan_result):
        raise InputError(_word_damage(plan_result.folder, "it was changed after it was saved."))
    check_texts(plan.summary)
    return _read_result(derived.copy_plain(plan_result, folder))


def list_saved_plans(folders: Iterable[Path], release: Release) -> SavedPlans:
    """List the plans in these folders that were saved for this release and its tier, newest first."""
    manifests = _list_manifests(folders, release.name, release.tier)
    return _read_plans(manifests, release.tier, release.checksum)


def list_all_saved_plans(folders: Iterable[Path], tier: Tier) -> SavedPlans:
    """List the plans in these folders that were saved for this tier of any release, newest first."""
    return _read_plans(_list_manifests(folders, "*", tier), tier)


def _list_manifests(folders: Iterable[Path], name: str, tier: Tier) -> Iterable[Path]:
    """Return the paths of the plans' manifests; for a plan in several folders, the path in the first of them."""
    manifests: dict[Path, Path] = {}
    for folder in folders:
        for path in result.list_manifests(folder, name, tier, KIND):
            manifests.setdefault(path.relative_to(folder), path)
    return manifests.values()


def _read_plans(manifests: Iterable[Path], tier: Tier, checksum: str | None = None) -> SavedPlans:
    plans, damaged = list[SavedPlan](), dict[str, str]()
    for manifest in manifests:
        try:
            plans += map(_read_result, result.read_results([manifest], tier, checksum))
        except InputError as error:
            damaged[manifest.parent.name] = str(error)
        except ReleaseDamaged:
            damaged[manifest.parent.name] = _word_damage(manifest.parent, "its file was changed.")
    plans.sort(key=lambda plan: (plan.created, plan.name), reverse=True)
    return SavedPlans(tuple(plans), damaged)


def _word_damage(folder: Path, why: str) -> str:
    return f"The saved plan {folder.name} is damaged and is left out: {why}"


def _read_result(plan_result: Result) -> SavedPlan:
    """Read a saved plan from its manifest; raise InputError, which names the plan and the fault, if it is wrong."""
    try:
        return read_saved_plan(plan_result.folder, plan_result.manifest)
    except InputError as error:
        raise InputError(_word_damage(plan_result.folder, str(error))) from error


def read_saved_plan(folder: Path, manifest: Mapping[str, Any]) -> SavedPlan:
    """Read a saved plan from its manifest; raise InputError, which names the value, if one is wrong or missing."""
    release, tier, created = (_read(str, manifest.get(key), key) for key in ("release", "tier", "created"))
    try:
        moment = dt.datetime.fromisoformat(created)
    except ValueError as error:
        raise InputError("the value of created is no moment.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    invented = _read(bool, manifest.get("invented", False), "invented")
    return SavedPlan(folder, release, tier, moment, invented, read_plan(manifest))


def write_plan(summary: PlanSummary) -> dict[str, Any]:
    """Return a plan as JSON values."""
    content = {_KEYS.get(name, name): value for name, value in asdict(summary).items()}
    decisions = [{**asdict(entry.decision), **asdict(entry.author)} for entry in summary.decisions]
    return {**content, "decisions": decisions}


def read_plan(content: Mapping[str, Any]) -> PlanSummary:
    """Read a plan from JSON values; raise InputError, which names the value, if one is wrong or missing."""
    names = {key: name for name, key in _KEYS.items()}
    values = {names.get(key, key): value for key, value in content.items()}
    if isinstance(verdict := values.get("verdict"), Mapping):
        answer = verdict.get("answer", verdict.get("recommended"))  # older plans have other words, or only the second
        if isinstance(answer, str | bool):
            values["verdict"] = {**verdict, "answer": OLD_ANSWERS.get(answer, answer)}
    if isinstance(values.get("decisions"), list):
        values["decisions"] = [{"decision": row, "author": row} for row in values["decisions"]]
    if isinstance(values.get("stays"), list):
        values["stays"] = [_read_reason(row) for row in values["stays"]]
    summary: PlanSummary = _read(PlanSummary, values, "")
    return summary


def _read_reason(row: object) -> object:
    """Return a staying task with the code of its reason; older plans have a sentence in its place."""
    if not isinstance(row, Mapping) or row.get("why") in WHY_STAYS:
        return row
    codes = (code for begin, code in _OLD_REASONS.items() if str(row.get("why")).startswith(begin))
    return {**row, "why": next(codes, row.get("why"))}


def _read(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401 (a type and a value of it)
    """Check a JSON value against a type, and return it as that type; unknown keys are ignored.

    Raises InputError, which names the value by its path `where`, if it does not fit.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _read_record(kind, value, where)
    if origin in (Union, UnionType):
        return None if value is None else _read(parts[0], value, where)
    if origin is Literal and value in parts:
        return value
    if origin is tuple and isinstance(value, list | tuple) and (parts[-1] is ... or len(parts) == len(value)):
        kinds = parts[:1] * len(value) if parts[-1] is ... else parts
        pairs = enumerate(zip(kinds, value, strict=True))
        return tuple(_read(part, item, f"{where}[{position}]") for position, (part, item) in pairs)
    if origin is Mapping and isinstance(value, Mapping):
        return {str(name): _read(parts[1], item, f"{where}.{name}") for name, item in value.items()}
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= _LARGEST:
            return float(value)
    elif isinstance(kind, type) and type(value) is kind:
        return value
    raise InputError(f"the value of {where} is no {getattr(kind, '__name__', 'known value')}.")


def _read_record(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401
    if not isinstance(value, Mapping):
        raise InputError(f"{where or 'the plan'} is no group of values.")
    hints, values = get_type_hints(kind), {}
    for part in fields(kind):
        path = f"{where}.{part.name}".lstrip(".")
        if part.name in value:
            values[part.name] = _read(hints[part.name], value[part.name], path)
        elif part.default is MISSING and part.default_factory is MISSING:
            raise InputError(f"{path} is missing.")
    return kind(**values)


def replace_decision(decisions: Iterable[AuthoredDecision], new: AuthoredDecision) -> tuple[AuthoredDecision, ...]:
    """Return the decisions with `new` at the end, and without any earlier decision on the same move."""

    def find_move(authored: AuthoredDecision) -> Decision:
        return replace(authored.decision, decided="accept", units=1, reason="")

    return (*(earlier for earlier in decisions if find_move(earlier) != find_move(new)), new)
