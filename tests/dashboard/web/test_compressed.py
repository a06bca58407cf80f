"""Script and style files are sent compressed and may be kept, and nothing else is."""

import asyncio
import gzip

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from dashboard.web.compressed import CompressedFiles

TEXT = "let word = 1;\n" * 200


@pytest.fixture
def ask(tmp_path):
    """Return a function that sends a request and returns status, headers and body of the answer."""
    folder = tmp_path / "files"
    (folder / "js").mkdir(parents=True)
    for name in ("index.DormvYxC.js", "plain.js", "font.woff2"):
        (folder / "js" / name).write_text(TEXT)
    (tmp_path / "secret.js").write_text("behind")
    application = CompressedFiles(PlainTextResponse("passed on"), {"/maps/static/": folder})

    def send_request(path, query=b"", **headers):
        sent = []

        async def run():
            async def send(message):
                sent.append(message)

            listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
            scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": listed}
            await application(scope, None, send)

        asyncio.run(run())
        return sent[0]["status"], Headers(raw=sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent)

    return send_request


def test_a_script_comes_compressed_and_whole(ask):
    status, headers, body = ask("/maps/static/js/index.DormvYxC.js", accept_encoding="gzip, br")
    assert (status, gzip.decompress(body).decode(), headers["content-encoding"]) == (200, TEXT, "gzip")
    assert int(headers["content-length"]) == len(body) < len(TEXT) / 10
    assert headers["content-type"].partition(";")[0] in {"text/javascript", "application/javascript"}


@pytest.mark.parametrize(
    ("name", "query", "for_ever"),
    [("index.DormvYxC.js", b"", True), ("plain.js", b"v=1a", True), ("plain.js", b"", False)],
)
def test_a_browser_keeps_for_ever_what_has_another_name_when_it_changes(ask, name, query, for_ever):
    _, headers, _ = ask(f"/maps/static/js/{name}", query, accept_encoding="gzip")
    assert ("immutable" in headers.get("cache-control", "")) == for_ever
    again = ask(f"/maps/static/js/{name}", query, accept_encoding="gzip", if_none_match=headers["etag"])
    assert (again[0], again[2]) == (304, b"")


@pytest.mark.parametrize(
    ("path", "encoding"),
    [
        ("js/index.DormvYxC.js", "identity"),
        ("js/font.woff2", "gzip"),
        ("js/none.js", "gzip"),
        ("js/", "gzip"),
        ("js/../../secret.js", "gzip"),
        ("js/\0.js", "gzip"),
        (f"js/{'x' * 300}.js", "gzip"),
    ],
)
def test_everything_else_is_passed_on(ask, path, encoding):
    assert ask(f"/maps/static/{path}", accept_encoding=encoding)[2] == b"passed on"
