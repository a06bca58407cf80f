"""The page that a browser loads first, and what an unknown path says."""

import asyncio
import re
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from dashboard.web.page_list import PAGES
from dashboard.web.start_page import StartPage, make_start_page

LISTED = [(page.address, page.title) for page in PAGES]


def ask(path, query="", base=""):
    """Return what is sent to a request by an application that answers other paths as Streamlit does."""
    routes = [
        Route(f"{base}/assets/file", lambda _: PlainTextResponse("file")),
        Route(f"{base}/component/frame", lambda _: HTMLResponse("<p>frame</p>")),
        Route("/{path:path}", lambda _: HTMLResponse("<title>Streamlit</title>")),
    ]
    application = StartPage(Starlette(routes=routes), LISTED, base)
    sent = []

    async def run():
        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request", "body": b""}

        scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
        await application(scope, receive, send)

    asyncio.run(run())
    return sent


def get(path, query="", base=""):
    """Return status and body of the answer to a request."""
    sent = ask(path, query, base)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()


@pytest.mark.parametrize("base", ["", "/maps"])
@pytest.mark.parametrize("path", [f"/{address}" for address, _title in LISTED])
def test_each_page_begins_with_the_products_name_style_and_script(base, path):
    status, page = get(base + path, base=base)
    assert status == 200
    assert "<title>TACT Map</title>" in page
    assert "Streamlit</title>" not in page
    assert "assets/shell.js?v=" in page
    assert "assets/theme.css?v=" in page


@pytest.mark.parametrize("base", ["", "/maps"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/situation?area=AL-11", "/map?area=AL-11"),
        ("/overview?area=AL-11", "/?area=AL-11"),
        ("/?layer=risk&area=AL-11", "/map?layer=risk&area=AL-11"),
    ],
)
def test_an_address_of_an_earlier_version_leads_to_where_its_page_stands_now(base, old, new):
    path, _, query = old.partition("?")
    begun = ask(base + path, query, base)[0]
    assert (begun["status"], dict(begun["headers"])[b"location"].decode()) == (307, base + new)


@pytest.mark.parametrize(("query", "language"), [("", "en"), ("lang=sq", "sq"), ("lang=el", "el"), ("lang=%22", "en")])
def test_a_page_begins_in_the_language_of_its_address(query, language):
    assert f'<html lang="{language}">' in get("/risk", query)[1]


@pytest.mark.parametrize("path", ["/nowhere", "/risk/more", "/situation.php", "/%3Cscript%3E"])
def test_an_unknown_path_says_so_with_links_to_the_pages(path):
    status, page = get(path)
    assert status == 404
    assert "There is no page at this address" in page
    assert all(f'<a href="/{address}">{title}</a>' in page for address, title in LISTED)
    assert "script" not in page


def test_files_and_the_maps_frame_are_left_alone():
    assert get("/assets/file") == (200, "file")
    assert get("/component/frame") == (200, "<p>frame</p>")


def test_the_script_comes_before_streamlits_own_and_the_style_after_it():
    page = make_start_page("en")
    assert page.index("shell.js") < page.index('type="module"') < page.index("theme.css")


def test_parts_of_streamlit_for_words_and_map_are_asked_for_at_once_with_all_that_they_import():
    folder = Path(streamlit.__file__).parent / "static" / "static" / "js"
    listed = re.findall(r'"./static/js/([^"]+)"', make_start_page("en"))
    assert len(listed) == len(set(listed))
    assert {name.partition(".")[0] for name in listed} >= {"Html", "ComponentInstance"}
    for name in listed:
        imports = re.findall(r'(?:from|import)"\./([^"]+\.js)"', (folder / name).read_text(encoding="utf-8"))
        assert set(imports) <= set(listed), name
