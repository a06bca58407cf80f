"""The web process: Streamlit with the map's geometry, its assets and security headers around it.

It is started with a folder of releases, one of what was derived from them, and a tier. It has no path to the
vault and no key; what is left of either in its environment is dropped first.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from streamlit import App, net_util
from streamlit.web import bootstrap

from dashboard.map import shapes
from dashboard.site import HEALTH, LOOPBACK, Site, allowed_tier, announce_site, clean_environment
from dashboard.web.headers import HostGuard, SecurityHeaders
from data.errors import InputError

__all__ = ["build_application", "main", "make_settings"]

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "static"


class _Assets(StaticFiles):
    """Files under a name that carries their version may be kept; the rest is asked for again."""

    def file_response(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response


def make_settings(host: str, port: int) -> dict[str, Any]:
    """Give Streamlit's settings: the file of the product, and what depends on the start."""
    text = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    options = _flat(tomllib.loads(text))
    # A collection after each run costs more than the run; the interpreter collects by itself.
    options["runner.postScriptGC"] = False
    options["server.address"] = host
    options["server.port"] = port
    options["browser.serverAddress"] = host
    return options


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            options.update(_flat(value, f"{prefix}{name}."))
        else:
            options[f"{prefix}{name}"] = value
    return options


def _routes(site: Site) -> list[BaseRoute]:
    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "tier": site.tier})

    return [
        Route(HEALTH, health),
        *shapes.make_routes(site),
        Mount("/assets", _Assets(directory=ASSETS)),
    ]


def build_application(site: Site, host: str) -> App:
    """Build the ASGI application for one site; on this machine's own address it answers to no other name."""
    middleware = [Middleware(SecurityHeaders)]
    if host in LOOPBACK:
        middleware.append(Middleware(HostGuard, hosts=LOOPBACK))
    return App(ROOT / "app.py", routes=_routes(site), middleware=middleware)


def _ask_nobody() -> None:
    """Streamlit asks a service outside for this machine's address to compare origins with: never here."""
    net_util.get_external_ip = lambda: None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dashboard.server", description="Serve the map of a releases folder."
    )
    parser.add_argument("--releases", type=Path, required=True)
    parser.add_argument("--derived", type=Path, help="What was made from the releases: audits.")
    parser.add_argument("--tier", choices=("partner", "public"))
    parser.add_argument("--without", action="append", default=[], help="A measure that is not shown.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8642)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped; refuse with exit code 2 a tier that the address may not show."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        tier = allowed_tier(asked.host, asked.tier)
    except InputError as error:
        parser.error(str(error))
    derived = asked.derived.resolve() if asked.derived else None
    site = Site(asked.releases.resolve(), tier, frozenset(asked.without), derived)
    for name in set(os.environ) - set(clean_environment(os.environ)):
        del os.environ[name]
    announce_site(site)
    _ask_nobody()
    bootstrap.load_config_options(make_settings(asked.host, asked.port))
    uvicorn.run(
        build_application(site, asked.host),
        host=asked.host,
        port=asked.port,
        ws="websockets-sansio",
        access_log=False,
        log_level="warning",
        server_header=False,
    )


if __name__ == "__main__":
    main()
