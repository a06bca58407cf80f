"""Each page, route and mount of the real application names the right that it needs, or is closed to everybody.

Each of them is tried with every role, see tests/dashboard/test_signed_in.py.
"""

import re

import pytest
from starlette.routing import Mount, Route, WebSocketRoute

from dashboard.server import build_application
from dashboard.site import HEALTH, Site
from dashboard.web.admission import CLOSED, NEEDED, OPEN, find_right
from dashboard.web.door import Door
from dashboard.web.page_list import PAGES
from dashboard.web.process import apply_settings
from data.accounts.rights import Right
from tests.helpers.accounts import make_accounts
from tests.helpers.addresses import DOOR, list_addresses


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    """Return the routes, mounts and websockets of the application, its own and Streamlit's."""
    apply_settings("127.0.0.1", 8642)
    site = Site(tmp_path_factory.mktemp("releases"), "partner")
    application = build_application(site, "127.0.0.1", 8642, None)
    routes = application._build_starlette_app().routes
    assert {type(route) for route in routes} == {Route, Mount, WebSocketRoute}
    return routes


@pytest.fixture(scope="module")
def paths(routes):
    """Return a path of each route. A mount at the root holds what Streamlit's page needs, file by file."""
    return sorted({fill(route) for route in routes} - {"/"})


def fill(route):
    end = "/file" if isinstance(route, Mount) and route.path else ""
    return re.sub(r"{\w+(:\w+)?}", "x", route.path or "/") + end


def list_unnamed(paths):
    return [path for path in paths if find_right(path) is None and path not in OPEN and not path.startswith(CLOSED)]


def test_each_route_names_its_right(paths):
    assert len(paths) > 15
    assert {"/picture/x.x", "/assets/file", "/_stcore/stream", "/geometry/x/x.json", "/health"} <= set(paths)
    assert list_unnamed(paths) == []
    assert list_unnamed([*paths, "/new/route"]) == ["/new/route"], "a new one is found"


def test_what_is_closed_has_no_right(paths):
    closed = [path for path in paths if path.startswith(CLOSED)]
    assert closed
    assert [find_right(path) for path in closed] == [None] * len(closed)


def test_no_line_of_the_table_is_left_over(paths):
    unused = [start for start in NEEDED if not any(path.startswith(start) for path in paths)]
    assert unused == ["/static/", "/favicon.png", "/manifest.json"], "files of the mount at the root"


def test_each_route_is_tried_with_every_role(routes):
    tried = list_addresses()
    answering = {next(route.path for route in routes if route.path_regex.match(path)) for path in tried}
    assert {route.path for route in routes if not route.path.startswith(CLOSED)} - answering == set()


def test_each_line_of_the_table_is_tried_with_every_role():
    def is_tried(start):
        return any(path == start or (start.endswith("/") and path.startswith(start)) for path in list_addresses())

    assert [start for start in [*NEEDED, *OPEN, *CLOSED] if not is_tried(start)] == []


def test_each_page_and_form_of_the_door_is_tried(tmp_path):
    accounts = make_accounts(tmp_path, [0.0])
    door = Door(None, accounts, ["map.example.org"], [], 8642, is_encrypted=True, provider=object())
    assert {*door._answers, ("GET", HEALTH)} == set(DOOR)


def test_each_page_names_its_right():
    assert all(find_right(f"/{page.address}") is page.right for page in PAGES)
    assert [page.module for page in PAGES if page.right is not Right.SEE_PUBLIC] == ["download"]


@pytest.mark.parametrize(
    "path", ["/map/", "//map", "/Map", "/picture", "/static", "/_stcore/streams", "/_stcore", "/health/x", "", "/media"]
)
def test_a_path_beside_one_that_is_named_is_denied(path):
    assert find_right(path) is None
