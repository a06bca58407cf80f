"""The data that a web process may show, and to whom. Everything else is denied.

On the local address of the machine a process may show the partner tier, on any other address only the public tier. If
people sign in, each sees the tier that their role allows, also through a proxy on this machine.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from dashboard.site.reader import Reader, find_accounts, find_reader
from data.accounts.addresses import LOOPBACK
from data.accounts.rights import Right
from data.errors import InputError
from data.release import Release, list_earlier, read_blocked, shown_name
from data.release.signed_list import Publisher
from data.tables.spec import Tier

HEALTH = "/health"
FEATURES = "/features"  # where QGIS and other programs read layers, see dashboard/web/features
NEWS = "./?news=1"  # shows what is new in a release, in place of the Overview
NEWEST = "/release.json"  # the name of the newest release, for pages that are open
ACCOUNT = "/account"  # where a person sees what the log says of them, and signs out
INVITATION = "/invitation"  # where an invited person chooses a passphrase and a second factor
PASSKEY = "/account/passkey"  # where a person adds a passkey
PASSKEY_SCRIPT = "/passkey.js"  # the script of the pages that ask for a passkey
SIGN_IN = "/sign-in"
PROVIDER = "/sign-in/provider"  # leads to the provider of an organisation
ANSWER = "/sign-in/answer"  # where the provider sends the browser back to; the provider knows it, so it never changes
# Stand for every address of this machine.
ALL = ("0.0.0.0", "::")  # noqa: S104
# The pages that show areas one by one. All others count, rank or model both countries together.
LIMITED = frozenset({"situation", "trends", "flows", "coverage", "download"})
# A host name in lower case, as browsers send it, with the port if it is no usual one.
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_RELEASES, _TIER, _DERIVED, _PUBLISHER = "TACT_RELEASES", "TACT_TIER", "TACT_DERIVED", "TACT_PUBLISHER"
# The session bus leads to the system keyring, where the vault's key may live.
_WITHHELD = ("DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND")
_asked: list[Callable[[], str]] = []


@dataclass(frozen=True)
class Site:
    """The content that this web process may show: the releases of one folder, in one tier.

    `derived` is the folder of what is computed from the releases, such as audits; None if there is no such folder.
    `publisher` signed the files that were sent to a server; None in a workspace.
    `countries` limits the content to areas of these countries, for a reader who was invited only for them; empty is no
    limit. A limited site has no results of the model, no plans and no reach of services, because these are computed
    from both countries together.
    `asked` is the release that a reader has opened, even if a newer one exists; empty for the newest.
    """

    releases: Path
    tier: Tier
    derived: Path | None = None
    publisher: Publisher | None = None
    asked: str = ""
    countries: frozenset[str] = frozenset()

    @classmethod
    def of_publisher(cls, publisher: Publisher) -> Site:
        """Return the site of a publisher's folder."""
        return cls(publisher.folder / "releases", publisher.tier, publisher.folder / "derived", publisher)

    @property
    def work_folder(self) -> Path | None:
        """The folder in which this reader saves plans; None if the reader may not save any or there is no folder."""
        return self._own_folder if self.derived is not None and Right.PLAN in find_reader().rights else None

    @property
    def plan_folders(self) -> tuple[Path, ...]:
        """The folders with the saved plans that this reader may see."""
        folders = () if self.derived is None else (self.derived, self._own_folder)
        return tuple(dict.fromkeys(filter(None, folders)))

    @property
    def _own_folder(self) -> Path | None:
        """The folder in which this process may write plans; None on a publisher's server without accounts.

        In a workspace this is `derived`, on a publisher's server a folder beside the accounts: the publisher's own
        folder is never written to, because only signed files are used from there.
        """
        if self.publisher is None:
            return self.derived
        accounts = find_accounts()
        return None if accounts is None else place_plans(accounts.path)

    def narrow(self, reader: Reader) -> Site:
        """Return the part of the site that a reader may see.

        A reader without the right to see the partner tier gets the public tier. A reader with countries gets only those
        countries, and no derived results. No other function limits a site to a reader.
        """
        part = self
        if Right.SEE_PARTNER not in reader.rights:
            part = replace(self, tier="public")
        return replace(part, derived=None, countries=reader.countries) if reader.countries else part

    def covers(self, page: str) -> bool:
        """Return whether a page, named by its folder, may be shown: without a limit to countries every page may.

        With such a limit only the pages in `LIMITED` may be shown.
        """
        return not self.countries or page in LIMITED

    def release(self) -> Release | None:
        """Open the release that the reader has chosen, else the current one; return None if there is none.

        Raises ReleaseError and ReleaseDamaged like `open_release`.
        """
        newest = self.find_newest()
        if newest is None:
            return None
        is_earlier = self.asked not in ("", newest) and self.asked in list_earlier(self.releases, newest)
        return self.open_release(self.asked if is_earlier else newest)

    def list_releases(self) -> list[str]:
        """List the names of the current release and of earlier ones, newest first, without releases taken back."""
        name = self.find_newest()
        return [] if name is None else [name, *list_earlier(self.releases, name)]

    def find_newest(self) -> str | None:
        """Return the name of the current release; None if there is none."""
        if self.publisher is None:
            return shown_name(self.releases)
        whole = self.publisher.find_whole()
        return None if whole is None else whole.current

    def open_release(self, name: str) -> Release:
        """Open a release without the measures that are not approved now, and within the limit to countries.

        Raises ReleaseError if it does not exist, and ReleaseDamaged if it was changed.
        """
        release = Release.open(self.releases, self.tier, name, self.read_blocked(), self.derived)
        return replace(release, countries=self.countries)

    def read_blocked(self) -> frozenset[str]:
        """Return the ids of the measures that governance does not approve now."""
        return read_blocked(self.releases) if self.publisher is None else self.publisher.read_blocked()


def place_plans(accounts: Path) -> Path:
    """Return the folder of the plans that people save on a server, beside the file of accounts."""
    return accounts.parent / "plans"


def allowed_tier(host: str, asked: str | None = None) -> Tier:
    """Return the tier to show at a host: `asked`, or if it is None, the highest tier that is allowed there.

    Raises InputError if `asked` is not allowed there, or is no tier.
    """
    allowed: Tier = "partner" if host in LOOPBACK else "public"
    if asked in (None, allowed):
        return allowed
    if asked == "public":
        return "public"
    if asked == "partner":
        raise InputError(f"The partner tier is not shown on {host!r}: only on 127.0.0.1, localhost or ::1.")
    raise InputError(f"No tier {asked!r}. There are: partner, public.")


def check_name(name: str | None, tier: Tier, *, people: bool = False) -> None:
    """Check the host name that a proxy uses; None is valid.

    Raises InputError if it is no host name, for any name on the partner tier if nobody signs in, and if `people` sign
    in to the public tier.
    """
    if people and tier != "partner":
        raise InputError(
            "People sign in to the partner tier, on 127.0.0.1: leave out --people, or --tier and --address."
        )
    if name is None:
        return
    if tier != "public" and not people:
        raise InputError(
            "A name is for the public tier behind a proxy, or for people who sign in: give --tier public or --people "
            "with it."
        )
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is not the name of a host, such as map.example.org. Leave out https:// and paths.")


def make_url(host: str, port: int) -> str:
    """Return the address by which a browser on this machine reaches a server that listens on a host and port."""
    here = "127.0.0.1" if host in ALL else host
    return f"http://{f'[{here}]' if ':' in here else here}:{port}"


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the product's own variables (TACT_...) and those that lead to the keyring."""
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith("TACT_") and name.upper() not in _WITHHELD
    }


def make_serve_command(
    site: Site,
    host: str,
    port: int,
    *,
    name: str | None = None,
    accounts: Path | None = None,
    access: Path | None = None,
) -> list[str]:
    """Return the command that starts the web process, as a list of words.

    The process receives only two folders of the workspace, the releases and the results from them; or the folder that
    a publisher sent, with the publisher's public key. name : the host name that a proxy uses. accounts : the file of
    accounts if people sign in. access : the file that names the provider of an organisation, if there is one. Raises
    InputError if the tier is not allowed at the host.
    """
    return [
        sys.executable,
        "-m",
        "dashboard.server",
        *_name_folders(site),
        *("--tier", allowed_tier(host, site.tier)),
        *("--host", host),
        *("--port", str(port)),
        *(("--name", name) if name is not None else ()),
        *(("--accounts", str(accounts)) if accounts is not None else ()),
        *(("--access", str(access)) if access is not None else ()),
    ]


def _name_folders(site: Site) -> list[str]:
    if site.publisher is not None:
        return ["--published", str(site.publisher.folder), "--signed-by", site.publisher.key]
    derived = ["--derived", str(site.derived)] if site.derived is not None else []
    return ["--releases", str(site.releases), *derived]


def announce_site(chosen: Site) -> None:
    """Write the site to the environment of the process, where the Streamlit script reads it."""
    os.environ[_RELEASES] = str(chosen.releases)
    os.environ[_TIER] = chosen.tier
    os.environ[_DERIVED] = str(chosen.derived or "")
    os.environ[_PUBLISHER] = chosen.publisher.key if chosen.publisher else ""


def follow_asked(find: Callable[[], str]) -> None:
    """Set the function that returns the name of the release that the reader has chosen, empty for the newest."""
    _asked[:] = [find]


def read_site() -> Site:
    """Return the part of this process's site that the reader may see. Raises InputError like `read_whole_site`."""
    return replace(read_whole_site().narrow(find_reader()), asked=next((find() for find in _asked), ""))


def read_whole_site() -> Site:
    """Return the whole site of this process, independent of the reader.

    Any tier other than "partner" counts as public. Raises InputError if the process was started without a folder.
    """
    folder = os.environ.get(_RELEASES)
    if not folder:
        raise InputError("The folder of releases is missing. Start the map with: tact serve")
    tier: Tier = "partner" if os.environ.get(_TIER) == "partner" else "public"
    return _make_site(folder, tier, os.environ.get(_PUBLISHER, ""), os.environ.get(_DERIVED, ""))


@lru_cache(maxsize=1)  # it is called several times for each change of a page
def _make_site(folder: str, tier: Tier, publisher: str, derived: str) -> Site:
    if publisher:
        return Site.of_publisher(Publisher(Path(folder).parent, publisher, tier))
    return Site(Path(folder), tier, Path(derived) if derived else None)
