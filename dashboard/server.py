"""The web process: Streamlit with the map's geometry, layers for QGIS, static files and security headers.

It shows one tier. For a workspace it gets the folder of releases and the folder of their results; on a server it gets a
folder that `tact publish` wrote, and the public key of its signer. It gets no path to the vault and no key that opens
one. At the start it removes such paths and keys from its environment.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from streamlit import App, get_option

from dashboard.map import FRAME_PATH, find_frame_files, shapes
from dashboard.site import (
    ANSWER,
    HEALTH,
    Site,
    allowed_tier,
    announce_site,
    check_name,
    clean_environment,
    make_url,
    place_plans,
)
from dashboard.site.assets import ASSETS
from dashboard.site.reader import HEADER, expect_people
from dashboard.web import dev, features, meeting, news, pictures
from dashboard.web.agenda import papers
from dashboard.web.compressed import CompressedFiles
from dashboard.web.door import Door
from dashboard.web.gate import Entry, Gate, list_own_hosts
from dashboard.web.headers import SecurityHeaders
from dashboard.web.health import make_health
from dashboard.web.messages import KnownMessages
from dashboard.web.navigation import show_error
from dashboard.web.organisation import Provider
from dashboard.web.page_list import PAGES
from dashboard.web.process import (
    SCRIPT,
    Assets,
    apply_settings,
    follow_input,
    print_address,
    run_application,
    take_output,
)
from dashboard.web.start_page import StartPage
from dashboard.web.streamlit_seams import keep_made_files
from data.accounts.addresses import LOOPBACK
from data.accounts.database import Accounts
from data.accounts.provider import ProviderSettings, read_provider
from data.errors import TactError
from data.release.signed_list import Publisher, believe
from data.tables.spec import Tier

_STREAMLIT = Path(streamlit.__file__).parent / "static"


def build_application(
    site: Site,
    host: str,
    port: int,
    entry: Entry | None,
    name: str | None = None,
    accounts: Accounts | None = None,
    settings: ProviderSettings | None = None,
) -> App:
    """Build the ASGI application for a site: behind a door if there are accounts, otherwise usually behind a gate.

    host, port : where the process listens. entry : how browsers get through the gate; None if everybody may enter.
    name : the host name under which browsers reach the site; None if there is none. settings : those of the
    organisation's provider, for the door. At a network address without accounts and without `name` there is neither
    door nor gate.
    """
    base = str(get_option("server.baseUrlPath") or "").strip("/")
    pages = [(page.address, page.title) for page in PAGES]
    start = f"/{base}" if base else ""
    files = {
        f"{start}/static/": _STREAMLIT / "static",
        f"{start}/assets/": ASSETS,
        # Streamlit serves them only after the first map was shown, but the start page asks for them before.
        f"{start}{FRAME_PATH}": find_frame_files(),
    }
    middleware = [
        # Only the partner tier accepts files, for the page Reallocate.
        Middleware(SecurityHeaders, uploads=site.tier == "partner"),
        Middleware(CompressedFiles, folders=files),
        Middleware(StartPage, pages=pages, base=start),
        Middleware(KnownMessages),
    ]
    own_hosts, named = list_own_hosts(LOOPBACK, port), frozenset([name] if name is not None else [])
    if accounts is not None:
        door = Middleware(
            Door,
            accounts=accounts,
            hosts=named or own_hosts,
            own_hosts=own_hosts,
            port=port,
            is_encrypted=name is not None,
            provider=_find_provider(settings, f"https://{name}" if name else make_url(host, port)),
        )
        middleware.insert(1, door)
    elif host in LOOPBACK or name is not None:
        middleware.insert(1, Middleware(Gate, hosts=own_hosts | named, entry=entry))
    routes = [
        Route(HEALTH, make_health(site)),
        *shapes.make_routes(site),
        *pictures.make_routes(site),
        *features.make_routes(site, is_encrypted=name is not None),
        *meeting.make_routes(site),
        *news.make_routes(site),
        *papers.make_routes(site),
        Mount("/assets", Assets(directory=ASSETS)),
    ]
    return App(SCRIPT / "app.py", routes=routes, middleware=middleware, on_script_error=show_error)


def _find_provider(settings: ProviderSettings | None, home: str) -> Provider | None:
    """Return the provider of an organisation for the map at the address `home`; None without settings."""
    if settings is None:
        return None
    from dashboard.web import openid

    return openid.Provider(settings, f"{home}{ANSWER}")


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dashboard.server", description="Serve the map of a releases folder.")
    shown = parser.add_mutually_exclusive_group(required=True)
    shown.add_argument("--releases", type=Path, help="The folder of releases of a workspace.")
    shown.add_argument("--published", type=Path, help="A folder that tact publish wrote; needs --signed-by.")
    parser.add_argument("--signed-by", help="The public key that tact publish printed.")
    parser.add_argument("--derived", type=Path, help="What was made from the releases: audits.")
    parser.add_argument("--tier", choices=("partner", "public"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8642)
    parser.add_argument("--name", help="The host name by which a proxy asks.")
    parser.add_argument("--accounts", type=Path, help="The file of the people who sign in to the partner tier.")
    parser.add_argument("--access", type=Path, help="The file that names the provider of an organisation.")
    parser.add_argument("--dev", action="store_true", help="Show changed pages without a restart.")
    parser.add_argument(
        "--until-input-ends",
        action="store_true",
        help="End when standard input ends, which is a pipe from the process that started this one.",
    )
    return parser


def _choose_site(asked: argparse.Namespace, tier: Tier) -> Site:
    """Return the site to show; of a publisher's folder only signed files are used.

    Raises InputError if --signed-by is not a public key.
    """
    if asked.releases is not None:
        return Site(asked.releases.resolve(), tier, asked.derived.resolve() if asked.derived else None)
    publisher = Publisher(asked.published.resolve(), asked.signed_by or "", tier)
    believe(publisher, [place_plans(asked.accounts.resolve())] if asked.accounts else [])
    return Site.of_publisher(publisher)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped. Exits with code 2 if the options are wrong, or a file that they name cannot be used."""
    parser = _make_parser()
    asked = parser.parse_args(arguments)
    try:
        tier = allowed_tier(asked.host, asked.tier)
        check_name(asked.name, tier, people=asked.accounts is not None)
        site = _choose_site(asked, tier)
        settings = read_provider(asked.access.resolve()) if asked.access else None
        opening = Accounts.open_or_create if settings else Accounts.open
        accounts = opening(asked.accounts.resolve()) if asked.accounts else None
    except TactError as error:
        parser.error(str(error))
    for name in set(os.environ) - set(clean_environment(os.environ)):
        del os.environ[name]
    announce_site(site)
    if accounts is not None:
        expect_people(accounts)
    # Streamlit checks the origin of a page too.
    changes: dict[str, Any] = {"browser.serverAddress": asked.name.partition(":")[0]} if asked.name else {}
    if accounts is not None:
        # A broken connection may be continued only by the same person with the same rights.
        changes["server.trustedUserHeaders"] = {HEADER: "reader"}
    try:
        apply_settings(asked.host, asked.port, changes)
        keep_made_files()
    except TactError as error:
        parser.error(str(error))
    if asked.dev:
        dev.start()
    entry = Entry("tact-map", asked.port) if site.tier == "partner" and accounts is None else None
    output, url = take_output(), make_url(asked.host, asked.port)
    print_address(output, url, entry)
    if asked.until_input_ends:
        follow_input(output, url, entry)
    application = build_application(site, asked.host, asked.port, entry, asked.name, accounts, settings)
    run_application(application, asked.host, asked.port)


if __name__ == "__main__":
    main()
