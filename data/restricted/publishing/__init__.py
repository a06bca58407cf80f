"""Make a release from the records of the vault. Behind the wall; data/release reads what this writes.

Each step is a function that takes values and returns the values for the next step. Only the book of published numbers
is changed in place: steps repeat what it has, and add what they draw.

    vault --read_records--> Records --count_tables--> CountedTables --perturb_tables--> noisy numbers
          Records --estimate_dark_figures--> intervals from noisy capture histories
      --freeze (repeat what was published)--> Frozen --tabulate--> tables
      --withhold_cells (attack: sums, averaging, membership)--> SafeTables --write_tier--> files
      --audit_tiers (attack what was written)--> publish

A release is written under a temporary name, attacked there, flushed to disk and renamed; then `current` is replaced.
Before the rename the vault stores the new blocks as staged, and afterwards as published, so that a crash at any moment
leaves no release or a complete one, and the vault knows which. The approval is also written before the rename, and
removed again if the release is not published.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from data.disclosure.attacks.bounds import Published
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.errors import ReleaseError, ReleaseRefused
from data.message import Message
from data.release import Release
from data.release.contents import Contents, count_contents
from data.restricted.counting.encounters import RecordKeys, count_tables, read_encounters
from data.restricted.publishing.book import Book
from data.restricted.publishing.completeness import tabulate_completeness
from data.restricted.publishing.coverage import count_waiting, mark_final_years
from data.restricted.publishing.dark_figure import estimate_dark_figures
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.earlier import (
    explain_refusal,
    keep_calendar,
    read_earlier,
    refuse_lost,
    refuse_other_noise,
    refuse_other_time,
)
from data.restricted.publishing.frozen import freeze
from data.restricted.publishing.indicators import tabulate_indicators
from data.restricted.publishing.late import tabulate_late
from data.restricted.publishing.published_table import Tables
from data.restricted.publishing.records import join_figures, read_records
from data.restricted.publishing.releases_folder import (
    TEMPORARY,
    compute_sequence,
    lock_releases,
    make_name,
    point_at,
    recover,
    remember_name,
    settle_interrupted,
    withdraw_newer,
)
from data.restricted.publishing.tables import perturb_tables, refuse_false_zeros, tabulate
from data.restricted.publishing.withholding import withhold_cells
from data.restricted.publishing.writing import audit_tiers, write_tier
from data.restricted.vault import Vault
from data.tables.periods import Calendar
from data.tables.spec import DEFAULT_PLAN, TIERS, Plan, Tier
from data.workspace import files
from data.workspace.types import Progress

__all__ = ["NewRelease", "make_release", "recover"]

_STEPS = 8  # the last one publishes, and no progress is reported once it has begun
Earlier = Mapping[Tier, Sequence[Published]]


@dataclass(frozen=True)
class NewRelease:
    """A release that was published, or that would be.

    withheld: the number of cells withheld to protect others, by tier. contents: the numbers of tables and cells, by
    tier. final: the last day of the years that are final, None if the whole programme is final or there are no records.
    waiting: the number of encounters of final years that were imported or changed after their numbers were drawn.
    """

    name: str
    tiers: tuple[str, ...]
    withheld: Mapping[str, int]
    contents: Mapping[Tier, Contents]
    final: str | None = None
    waiting: int = 0


def make_release(
    vault: Vault | None,
    releases: Path,
    *,
    areas_geoparquet: bytes,
    area_table: pd.DataFrame,
    figures: pd.DataFrame,
    invented: bool,
    record_keys: RecordKeys | None = None,
    areas_source: str = "",
    first_month: int = 6,
    plan: Plan = DEFAULT_PLAN,
    policy: Policy = DEFAULT_POLICY,
    mechanism: CellKey | None = None,
    day: date | None = None,
    progress: Progress | None = None,
    rehearse: bool = False,
    add_approval: Callable[[str, Path], None] | None = None,
    drop_approval: Callable[[str], None] | None = None,
) -> NewRelease:
    """Make a release of both tiers, let `current` point at it, and return a summary of it.

    `day` (default: today) decides which quarters have ended and which years are final. With `rehearse`, everything is
    made and attacked, but nothing is published. `add_approval` writes the approval of a release, from its name and the
    folder of its tiers, before anybody can see the release; `drop_approval` removes it if the release is not published.

    Without a vault, or with an empty one, the release has only published figures and areas. `record_keys` is
    data.restricted.keys.IdentifierHasher.record_keys, required with a vault. `mechanism` comes from the policy, except
    in tests. Raises ReleaseRefused with the cells on which an attack succeeds, ReleaseError if the release conflicts
    with earlier ones (other noise, a lower threshold, other years, a shorter time, or one of them is lost), if no
    encounter lies in its quarters, if a number of an area without a programme is k or more, or if another release is
    being made; then nothing is published.
    """
    if vault is not None and record_keys is None:
        msg = Message("A release of records needs the identifier key. Check it with: tact doctor")
        raise ReleaseError(msg)
    releases.mkdir(parents=True, exist_ok=True)
    tick = _Ticker(progress)
    with lock_releases(releases):
        settle_interrupted(vault, releases, drop_approval)
        refuse_lost(vault, releases)
        book = Book(
            {name: b.members for name, b in vault.published_blocks().items()} if vault and policy.frozen else {}
        )
        if vault is not None:
            keep_calendar(vault, releases, first_month, book)
        tick("Reading records")
        calendar, day = Calendar(first_month), day or datetime.now(UTC).date()
        records = read_records(vault, area_table, calendar, policy, plan, day) if vault else None
        earlier = {tier: read_earlier(releases, tier) for tier in TIERS}
        draft = Draft(
            make_name(releases, records.grid.span if records else None, figures),
            invented,
            compute_sequence(releases),
            first_month,
            areas_source,
            areas_geoparquet,
            join_figures(vault, figures, invented=invented),
            policy,
            plan,
            mechanism or CellKey.from_policy(policy),
            records.grid if records else None,
        )
        if vault is not None:
            refuse_other_time(releases, draft)
        if records is None or vault is None or record_keys is None:
            return _publish(vault, releases, draft, {}, Book({}), earlier, tick, rehearse, add_approval)
        refuse_other_noise(releases, draft)
        tick("Linking children")
        encounters = read_encounters(records.encounters, records.grid, record_keys)
        tick("Counting")
        counted = count_tables(encounters, draft.plan, draft.policy)
        noisy = perturb_tables(counted, draft.policy, draft.mechanism)
        noisy |= estimate_dark_figures(encounters, records.partners, draft.plan, draft.mechanism, book)
        tick("Making tables")
        frozen = freeze(noisy, book, records.grid, draft.plan, draft.policy)
        refuse_false_zeros(frozen, draft.policy)
        tables = tabulate(draft, records, frozen)
        indicators = tabulate_indicators(vault, records.grid, draft.mechanism, record_keys, book)
        sent = tabulate_completeness(encounters, records, draft.policy, draft.mechanism, book)
        imported = {int(i["number"]): date.fromisoformat(str(i["at"])[:10]) for i in vault.list_imports()}
        late = tabulate_late(encounters, imported, day, draft.mechanism)
        draft = replace(draft, indicators=indicators, completeness=sent, late=late)
        tick("Attacking")
        safe = withhold_cells(tables, draft, earlier, area_table)
        frozen.note_withheld(safe.cells)
        mark_final_years(records, book)
        try:
            new = _publish(vault, releases, draft, safe.tables, book, earlier, tick, rehearse, add_approval)
        except ReleaseRefused as refusal:
            raise explain_refusal(refusal, vault, releases) from None
        return replace(new, waiting=count_waiting(records, book))


@dataclass
class _Ticker:
    """The number of finished steps of a release, for a progress bar."""

    progress: Progress | None
    done: int = 0

    def __call__(self, what: str) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(min(self.done, _STEPS), _STEPS, what)


def _publish(
    vault: Vault | None,
    releases: Path,
    draft: Draft,
    tables: Mapping[Tier, Tables],
    book: Book,
    earlier: Earlier,
    tick: _Ticker,
    rehearse: bool,
    add_approval: Callable[[str, Path], None] | None,
) -> NewRelease:
    """Write both tiers to a temporary folder, attack them, publish them, and return the new release.

    The new blocks of the book are stored in the vault. With `rehearse`, nothing is published. Raises ReleaseRefused if
    an attack succeeds.
    """
    folder = releases / f"{TEMPORARY}{draft.name}-{secrets.token_hex(4)}"
    try:
        tick("Writing")
        folder.mkdir()
        for tier in TIERS:
            write_tier(folder / tier, tier, draft, tables.get(tier, {}))
        tick("Auditing")
        audit_tiers(folder, earlier, draft)
        contents = {tier: count_contents(Release(folder / tier, draft.name, tier)) for tier in TIERS}
        withheld = {str(tier): sum(t.withheld for t in tables.get(tier, {}).values()) for tier in TIERS}
        final = draft.grid.final.isoformat() if draft.grid and draft.grid.final else None
        new = NewRelease(draft.name, tuple(TIERS), withheld, contents, final)
        if rehearse:
            return new
        tick("Publishing")
        withdraw_newer(releases)
        if vault is not None:
            vault.stage_publication(draft.name, book.staged())
        remember_name(releases, draft.name)
        if add_approval is not None:
            add_approval(draft.name, folder)
        files.publish_folder(folder, releases / draft.name)
    finally:
        if folder.exists():
            shutil.rmtree(folder)
    point_at(releases, draft.name)
    if vault is not None:
        vault.confirm_publication(draft.name)
    return new
