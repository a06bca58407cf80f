"""What a page knows about meetings: where they are stored, which ones its reader may see, and which view is shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from dashboard.site import Site, read_whole_site
from dashboard.site.reader import Reader, find_accounts, find_reader
from dashboard.web.views import may_see
from dashboard.widgets.address import AGENDA, DECIDE, ITEM, RELEASE, read_parameter
from data.accounts.database import Accounts
from data.accounts.meetings import Item, Meeting, find_local_file, list_meetings
from data.accounts.rights import Right


@dataclass(frozen=True)
class Played:
    """The view of an agenda that is shown now: its meeting, and its number from 1; 0 is the opening of the meeting.

    numbers : the numbers of the views that this reader may see.
    """

    meeting: Meeting
    number: int
    numbers: tuple[int, ...]

    @property
    def item(self) -> Item | None:
        """The view; None for the opening."""
        return self.meeting.items[self.number - 1] if self.number else None

    def find_beside(self, step: int) -> str:
        """Return the address of the next view (step 1) or the previous one (-1); empty if there is none.

        Views that the reader may not see are passed over; the opening comes before the first view.
        """
        numbers = (0, *self.numbers)
        position = numbers.index(self.number) + step
        return address_item(self.meeting, numbers[position]) if 0 <= position < len(numbers) else ""


def find_store(site: Site) -> Accounts | None:
    """Return the file that stores meetings: the file of accounts, or another file on a local map; None without either.

    site : the whole site of the process. A reader who is limited to countries has no agendas, because the words of an
    agenda may be about other countries.
    """
    if find_reader().countries:
        return None
    accounts = find_accounts()
    if accounts is not None:
        return accounts
    is_local = site.tier == "partner" and site.publisher is None and site.derived is not None
    return Accounts(find_local_file(site.derived)) if is_local and site.derived is not None else None


def may_write() -> bool:
    """Return whether this reader may make agendas and record decisions here."""
    return Right.PLAN in find_reader().rights and find_store(read_whole_site()) is not None


def open_store() -> Accounts | None:
    """Return the file in which this reader may write meetings; None if they may not write.

    On a local map the file is created here if it does not exist. Raises WorkspaceError if it is damaged.
    """
    store = find_store(read_whole_site()) if may_write() else None
    return Accounts.open_or_create(store.path) if store is not None and find_accounts() is None else store


def read_meetings() -> list[Meeting]:
    """Return the meetings of which the reader may see at least one view, the newest first, each with all its views.

    A reader of the partner tier gets all meetings. Raises WorkspaceError if they cannot be read.
    """
    return [meeting for meeting in _read_stored() if _sees_all() or list_numbers(meeting, find_reader())]


def find_meeting(key: str) -> tuple[Meeting, tuple[int, ...]] | None:
    """Return a meeting by its key, with the numbers of the views that the reader may see.

    None if there is no such meeting, or if the reader sees only the public tier and none of its views. Raises
    WorkspaceError if meetings cannot be read.
    """
    meeting = next((meeting for meeting in _read_stored() if meeting.key == key), None)
    numbers = list_numbers(meeting, find_reader()) if meeting else ()
    return (meeting, numbers) if meeting and (numbers or _sees_all()) else None


def _read_stored() -> list[Meeting]:
    store = find_store(read_whole_site())
    return list_meetings(store) if store is not None and store.path.exists() else []


def _sees_all() -> bool:
    """Return whether a reader also sees meetings that have no view for their tier."""
    return Right.SEE_PARTNER in find_reader().rights


def list_numbers(meeting: Meeting, reader: Reader) -> tuple[int, ...]:
    """Return the numbers, from 1, of the views of an agenda that a reader may see."""
    site = read_whole_site()
    views = (pin_view(item.view, item.release).removeprefix("./") for item in meeting.items)
    return tuple(number for number, view in enumerate(views, 1) if may_see(site, reader, view))


def find_played() -> Played | None:
    """Return the view of an agenda that the address names; None if it names none, or if the reader may not see it.

    Raises WorkspaceError if meetings cannot be read.
    """
    key, number = read_parameter(AGENDA), read_parameter(ITEM)
    entry = find_meeting(key) if key and number else None
    # An address may hold a number of any length, which is none that Python reads.
    is_shown = entry is not None and number in map(str, (0, *entry[1]))
    return Played(entry[0], int(number), entry[1]) if entry is not None and is_shown else None


def address_item(meeting: Meeting, number: int, *, decide: bool = False) -> str:
    """Return the address that shows a view as part of its agenda, relative to the product's root.

    number : the number of the view, from 1; 0 for the opening. decide : whether the decisions beside it are open.
    """
    item = meeting.items[number - 1] if number else None
    view = pin_view(item.view, item.release) if item else "agenda"
    played = {AGENDA: meeting.key, ITEM: str(number), **({DECIDE: "1"} if decide else {})}
    return _extend(view, played)


def pin_view(view: str, release: str) -> str:
    """Return the address of a view with the name of its release, which it always shows from then on."""
    return _extend(view, {RELEASE: release})


def _extend(view: str, parameters: dict[str, str]) -> str:
    path, _mark, query = view.partition("?")
    return f"{path or './'}?{urlencode(parse_qsl(query) + list(parameters.items()))}"
