"""A release at the desk: its trial, publication and audit, with their words. This module does not use Streamlit."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dashboard.desk.hand import recall_overdue
from dashboard.desk.state import Desk
from dashboard.narrative.attacks import TRIED, judge_attack
from dashboard.site.text import _, format_number, format_period, translate, translate_message
from dashboard.web.reader_files import audit_workspace
from data.disclosure import policy_file
from data.disclosure.attacks.audit import WRITING, Audit
from data.errors import InputError, ReleaseRefused
from data.message import mark
from data.release import Release, current_name, shown_name
from data.release.completeness import read_questions
from data.release.contents import Contents, count_contents
from data.restricted import governance, imports, publication
from data.restricted.governance import second_person
from data.restricted.governance.retention import Overdue, find_overdue
from data.restricted.governance.second_person import SecondPerson
from data.restricted.publishing import NewRelease
from data.restricted.publishing.coverage import Coverage
from data.restricted.vault import Vault
from data.tables.periods import Calendar
from data.tables.spec import TIERS, Tier, table_name
from data.tables.states import WORDS
from data.workspace import Workspace
from data.workspace.types import Progress
from geo.areas import BOUNDARIES, pack_areas
from risk.model.gaps import read_answers
from risk.planning.scoring import list_scored_tiers, score_release
from risk.report import KIND

TIER_NAMES: Mapping[Tier, str] = {"partner": mark("For partners"), "public": mark("For the public")}
_RESULTS = {"held": mark("held"), "succeeded": mark("succeeded"), "measured": mark("measured")}


# What decides the content of a release, see `_read_basis`.
Basis = tuple[object, ...]


@dataclass(frozen=True)
class Trial:
    """A release that was made and attacked, but not published.

    basis : what its content depends on. before : the content of the last release, by tier.
    """

    release: NewRelease
    basis: Basis
    before: Mapping[Tier, Contents]


@dataclass(frozen=True)
class Standing:
    """What a release depends on: governance, the second person, records kept too long, the release that is shown.

    missing : what governance.toml lacks, in words; empty for invented records. second : the person who confirms; None
    for invented records, and while no approver is appointed. former : the name of a second person who is no longer an
    approver; empty if there is none. approvers : the people who may be the second person; none for invented records.
    coverage : what a release made today would cover. shown : the name of the release that the map shows; None if there
    is none. basis : what decides the content of a release.
    """

    missing: tuple[str, ...]
    second: SecondPerson | None
    former: str
    approvers: tuple[str, ...]
    overdue: Overdue
    coverage: Coverage
    shown: str | None
    basis: Basis

    @property
    def needs_second(self) -> bool:
        """Whether the second person, who confirms releases, must still be appointed."""
        return self.second is None and bool(self.approvers)


def read_standing(desk: Desk) -> Standing:
    """Read what a release depends on."""
    workspace = desk.workspace
    governed, real = governance.read(workspace), not workspace.invented
    with desk.open_vault() as (vault, _keys):
        named = second_person.read(vault) if real else None
        second = publication.read_second(workspace, vault) if real else None
        basis = _read_basis(workspace, vault)
        return Standing(
            governed.missing if real else (),
            second,
            named.name if named and second is None else "",
            governed.approvers if real else (),
            recall_overdue(desk),
            desk.recall("coverage", basis, lambda: publication.find_coverage(workspace, vault)),
            shown_name(workspace.releases),
            basis,
        )


def _read_basis(workspace: Workspace, vault: Vault) -> Basis:
    """Read what decides the content of a release: records, rules, boundaries, the earlier release and the day."""
    files = [workspace.path / governance.FILE, workspace.path / policy_file.FILE, workspace.areas / BOUNDARIES]
    return (
        vault.read_state(),
        [hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "" for path in files],
        current_name(workspace.releases),
        dt.datetime.now(dt.UTC).date(),
    )


def appoint_second(desk: Desk, name: str, passphrase: str) -> None:
    """Store the passphrase with which the second person confirms releases.

    Raises InputError for a weak passphrase, for a name that is not an approver's, and if somebody is appointed already.
    """
    with desk.open_vault() as (vault, _keys), vault.writing():
        publication.appoint_second(desk.workspace, vault, name, passphrase, "")


def try_release(desk: Desk, confirmed: int | None, progress: Progress) -> Trial:
    """Delete records that are kept too long, then make and attack a release without publishing it.

    `confirmed` is the number of overdue records that the officer agreed to delete. Raises InputError if this number is
    wrong, or needed and missing, and ReleaseRefused if an attack succeeds.
    """
    workspace = desk.workspace
    with desk.open_vault() as (vault, secrets), vault.writing():
        overdue = find_overdue(workspace, vault)
        overdue.require_consent(confirmed)
        imports.delete_overdue(workspace, vault, overdue)
        basis, areas = _read_basis(workspace, vault), pack_areas(workspace.areas)
        new = publication.release_workspace(workspace, vault, secrets, areas, progress, rehearse=True)
        return Trial(new, basis, count_current(desk))


def publish(desk: Desk, passphrase: str, basis: Basis) -> NewRelease:
    """Publish the release of a trial, and log who confirmed it. It reports no progress, because that could stop it.

    Raises InputError for a wrong passphrase, if the `basis` of the trial has changed since, or if records are now kept
    too long, which a trial would delete. Raises WorkspaceError if governance.toml is not complete, or nobody can
    confirm, and ReleaseRefused if an attack succeeds.
    """
    workspace = desk.workspace
    with desk.open_vault() as (vault, secrets), vault.writing():
        if _read_basis(workspace, vault) != basis or find_overdue(workspace, vault).count:
            raise InputError(word_changed())
        second = publication.confirm(workspace, vault, lambda _person: passphrase)
        areas = pack_areas(workspace.areas)
        return publication.release_workspace(workspace, vault, secrets, areas, second=second)


def word_changed() -> str:
    """Return why a trial is not valid any more."""
    return _(
        "Records, rules, boundaries or the day have changed since the trial, so it does not hold any more. Nothing was "
        "published. Try the release again."
    )


def score(desk: Desk, progress: Progress) -> None:
    """Calculate the risk model of the current release for its tiers, as `tact risk` does."""
    workspace = desk.workspace
    blocked = governance.read(workspace).blocked
    for tier in list_scored_tiers(Release.open(workspace.releases, "public", None, blocked)):
        score_release(workspace, Release.open(workspace.releases, tier, None, blocked), progress)


def needs_score(desk: Desk) -> bool:
    """Return whether the shown release has records, and no risk model yet or one without the officer's answers.

    False if there is no release.
    """
    workspace = desk.workspace
    if shown_name(workspace.releases) is None:
        return False
    release = Release.open(workspace.releases, "partner", derived=workspace.derived)
    if table_name("model", "region", "quarter", "crossing", "found") not in release.tables:
        return False
    result = release.result(KIND)
    answers = read_answers(workspace.derived)
    return result is None or read_questions(release).answers != answers


def audit(desk: Desk, progress: Progress) -> Audit:
    """Attack the current release and all of its files that readers can get, and return the audit."""
    return audit_workspace(desk.workspace, progress=progress)


def word_step(step: str) -> str:
    """Return the short name of a step of an audit in the officer's language; "" if the step is not of an audit."""
    if step == WRITING:
        return _("the files that readers can get")
    return _(TRIED[step]).partition(":")[0] if step in TRIED else ""


def list_rules(desk: Desk) -> list[tuple[str, str]]:
    """Return the rules of governance and policy as pairs of a name and a value, in the officer's language."""
    governed, policy = governance.read(desk.workspace), policy_file.read(desk.workspace.path).policy
    years = Calendar(desk.workspace.start_month)
    months = _("{months} months", months=governed.months) if governed.months else _("for ever: no months are given")
    return [
        (_("Governance"), _("complete") if not governed.missing else _("not complete")),
        (_("Records are kept without an encounter"), months),
        (_("Community layers"), _("approved") if governed.communities else _("not approved")),
        (_("Children nobody met (estimate)"), _("approved") if governed.dark_figure else _("not approved")),
        (_("Not shown to the public below"), format_number(policy.k)),
        (_("Municipalities: not shown to partners below"), format_number(policy.k_municipal)),
        (_("Most that noise changes"), format_number(policy.largest)),
        (_("A year is final after"), _("{months} months", months=policy.lag)),
        (_("Days of the programme"), _("{start} to {end}", start=policy.first, end=policy.last)),
        (_("First year of the programme"), format_period(years.period(policy.first, "year").id)),
    ]


def count_current(desk: Desk) -> dict[Tier, Contents]:
    """Return the numbers of tables and cells in the current release, by tier; all are 0 if there is no release."""
    name = shown_name(desk.workspace.releases)
    if name is None:
        return {tier: Contents() for tier in TIERS}
    return {tier: count_contents(Release.open(desk.workspace.releases, tier, name)) for tier in TIERS}


def tabulate_contents(new: Contents, before: Contents, k: int) -> pd.DataFrame:
    """Return a table that compares the last release with the new one: number of tables, and of cells in each state.

    k : the threshold below which the public sees no number.
    """
    rows = [(_("Tables"), before.tables, new.tables)]
    rows += [
        (
            _("Cells: {state}", state=translate(WORDS[state]).format(k=k)),
            before.states.get(state, 0),
            new.states.get(state, 0),
        )
        for state in WORDS
        if new.states.get(state) or before.states.get(state)
    ]
    table = [(name, format_number(then), format_number(now)) for name, then, now in rows]
    return pd.DataFrame(table, columns=[_("Number of"), _("Last release"), _("This one")])


def tabulate_audit(result: Audit) -> pd.DataFrame:
    """Return a table of the attacks that were tried on a release, each with its result."""
    rows = [
        (
            _(TRIED.get(str(check["attack"]), "")) or str(check["attack"]),
            _(TIER_NAMES[check["tier"]]),
            _(_RESULTS[judge_attack(check)]),
        )
        for check in result.checks
    ]
    return pd.DataFrame(rows, columns=[_("What was tried"), _("Tier"), _("Result")])


def list_refused(refusal: ReleaseRefused) -> list[str]:
    """Return the lines of a refusal; each cell that it names has its own line."""
    return [line.strip() for line in translate_message(refusal.message).splitlines() if line.strip()]
