"""Earlier releases: reading them for the attacks, and refusing a new release that conflicts with them.

Published numbers are repeated. If new numbers were drawn with different noise, an attacker could average two numbers
of the same count. The attacks would be wrong too, because they apply the last release's noise to all releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from data.disclosure.attacks import reading
from data.disclosure.attacks.bounds import Published
from data.disclosure.cell_key import CellKey
from data.errors import ReleaseError, ReleaseRefused
from data.message import Message, join_messages
from data.release import Release, names
from data.restricted.publishing.book import Book
from data.restricted.publishing.draft import Draft
from data.restricted.vault import Vault
from data.restricted.vault.blocks import Block
from data.tables.periods import Calendar
from data.tables.spec import Tier

_CALENDAR, _FIRST_MONTH = "calendar", "first_month"  # a published block, and its value
_THRESHOLDS = ("k", "k_municipal")
_OF_NOISE = ("variance", "variance_near_k", "largest", "key_range", "cap")
_WHY = Message(
    "Nothing was published: published numbers are repeated, and the same ones drawn in another way could be averaged "
    "with them."
)
_WHY_K = Message(
    "Nothing was published: that a number is repeated says how few children behind it changed, and what was hidden was "
    "hidden by it."
)


def read_earlier(releases: Path, tier: Tier) -> list[Published]:
    """Read the releases of a tier that have counts, oldest first; the others have only published figures."""
    return [reading.read_published(release) for release in reversed(_releases_with_counts(releases, tier))]


def _releases_with_counts(releases: Path, tier: Tier) -> list[Release]:
    opened = [Release.open(releases, tier, name) for name in names(releases)]
    return [release for release in opened if reading.list_specifications(release)]


def refuse_lost(vault: Vault | None, releases: Path) -> None:
    """Raise ReleaseError if a published release is gone: a new one could not be attacked together with it."""
    published = {b.release for b in vault.published_blocks().values()} if vault is not None else set()
    lost = sorted(published - set(names(releases)))
    if lost:
        msg = Message(
            "The vault has published {lost}, and {releases} holds no such release. Nothing was "
            "published: a new release must be attacked together with all earlier ones. Restore the "
            "releases from a backup: bring it back into a folder of its own (tact --workspace "
            "NEW-FOLDER restore BACKUP) and copy what stands in its folder releases to here.",
            lost=", ".join(lost),
            releases=releases,
        )
        raise ReleaseError(msg)


def explain_refusal(refusal: ReleaseRefused, vault: Vault, releases: Path) -> ReleaseRefused:
    """Return the error of a refused release, which also says so if the vault has not published the last release.

    Then the vault comes from an older backup, its numbers are drawn anew, and another policy helps nothing.
    """
    last = next(iter(_releases_with_counts(releases, "partner")), None)
    if last is None or last.name in {block.release for block in vault.published_blocks().values()}:
        return refusal
    advice = Message(
        "The vault does not know the numbers of release {last}. If a backup of an earlier day was restored, leave the "
        "policy as it is: import again, in the same order, what had been imported when {last} was made, and no more. "
        "Make a release, and import the rest after it.",
        last=last.name,
    )
    return ReleaseRefused(join_messages([refusal.message, advice], "\n"))


def keep_calendar(vault: Vault, releases: Path, first_month: int, book: Book) -> None:
    """Write into the book in which month years begin.

    The first release with counts decides it. In vaults of earlier versions, the newest release says it. Raises
    ReleaseError for another month: years that overlap published ones would count the same children in another way.
    """
    noted, last = vault.published_blocks().get(_CALENDAR), next(iter(_releases_with_counts(releases, "partner")), None)
    name, month = "", first_month
    if noted is not None:
        name, month = noted.release, Block.decode(noted.members).values[_FIRST_MONTH][0]
    elif last is not None:
        name, month = last.name, int(last.manifest["tact"].get(_FIRST_MONTH, 6))
    if month != first_month:
        raise ReleaseError(
            Message(
                "Release {name} has years that begin with month {month}, and now they would begin with month {other}. "
                "Nothing was published: years that overlap could be compared, and tell of single children. Put "
                "start_month = {month} back into workspace.toml. Other years need a new workspace, whose first day "
                "comes after all that was published.",
                name=name,
                month=month,
                other=first_month,
            )
        )
    book.repeat(_CALENDAR, _FIRST_MONTH, [first_month])


def refuse_other_time(releases: Path, draft: Draft) -> None:
    """Raise ReleaseError if the release conflicts with the last one in its first day, its last day or its final years.

    No number is taken back. With another first day, children who were met on both sides of it would be counted again.
    With a later last day, the numbers of the whole programme would be drawn a second time, with the same noise wherever
    no child was added.
    """
    last = next(iter(_releases_with_counts(releases, "partner")), None)
    if last is None:
        return
    was, grid = last.manifest["tact"], draft.grid
    has_final = "final" in was  # not in manifests of early versions; without a day, all years are final
    programme = Calendar(draft.first_month).whole(draft.policy.first, draft.policy.last)
    if has_final and was["final"] is None and str(programme.end) > was["last"]:
        raise ReleaseError(
            Message(
                "Release {last} has the numbers of the whole programme, which ended on {day}. Nothing was published: "
                "with a later last day they would be drawn a second time. Put the last day of the programme back into "
                "policy.toml. A programme that goes on needs a new workspace, whose first day is in a later quarter.",
                last=last.name,
                day=date.fromisoformat(was["last"]),
            )
        )
    final = was.get("final") or str(date.max)
    has_years = final >= was.get("parameters", {}).get("first", "")  # else no year was final yet
    fewer = has_final and has_years and grid is not None and str(grid.final or date.max) < final
    if fewer or grid is None or str(grid.span.end) < was["last"]:
        raise ReleaseError(
            Message(
                "Release {last} covers a longer time than this one would. Nothing was published: what is "
                "public is never taken back. Give a later day, put last and lag in policy.toml back, or check the "
                "clock of this computer.",
                last=last.name,
            )
        )
    if has_final and str(grid.span.start) != was["first"]:
        raise ReleaseError(
            Message(
                "Release {last} begins on {day}, and this one would begin on {other}. Nothing was published: children "
                "could be counted twice. Put the first day of the programme back into policy.toml.",
                last=last.name,
                day=date.fromisoformat(was["first"]),
                other=grid.span.start,
            )
        )


def refuse_other_noise(releases: Path, draft: Draft) -> None:
    """Raise ReleaseError if the policy has other noise than the last release, or a lower threshold.

    A higher threshold and another plan are allowed: the attacks read all releases together. Raises ReleaseError also if
    an earlier version of the program made the last release with another mechanism.
    """
    last = next(iter(_releases_with_counts(releases, "partner")), None)
    if last is None:
        return
    CellKey.from_manifest(last.manifest["tact"])  # raises ReleaseError for another mechanism of an earlier version
    both = (last.manifest["tact"]["parameters"], draft.parameters())
    # In older releases, counts near k have the same noise as all others.
    was, now = ({"variance_near_k": values.get("variance"), **values} for values in both)
    other = [name for name in _OF_NOISE if was.get(name) != now.get(name)]
    if other:
        raise ReleaseError(join_messages([_tell_change(last.name, other, was, now), _WHY, _tell_remedy(other, was)]))
    lower = [name for name in _THRESHOLDS if now[name] < was.get(name, 1)]
    if lower:
        raise ReleaseError(join_messages([_tell_change(last.name, lower, was, now), _WHY_K, _tell_remedy(lower, was)]))


def _tell_change(name: str, other: list[str], was: Mapping[str, Any], now: Mapping[str, Any]) -> Message:
    had, has = _list_values(other, was), _list_values(other, now)
    return Message("Release {name} was made with {had}, and the policy says {has}.", name=name, had=had, has=has)


def _tell_remedy(other: list[str], was: Mapping[str, Any]) -> Message:
    more = set(other) <= set(_THRESHOLDS)
    return Message(
        "Put {had} or more into the policy." if more else "Put {had} back into the policy.",
        had=_list_values(other, was),
    )


def _list_values(names: list[str], values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {values.get(name)}" for name in names)
