"""Script and style files, compressed once and sent with a header that says that they never change.

Streamlit sends its own files uncompressed, three times as many bytes, because compressing them for each request would
cost more than it saves. Here each file is compressed at its first request, and kept.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_KINDS = {".js", ".css", ".svg"}
_HASHED = re.compile(r"\.[\w-]{8}\.\w+$")  # index.DormvYxC.js
_FOR_EVER = "public, max-age=31536000, immutable"


@lru_cache(maxsize=400)
def _compress(path: Path, _changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


class CompressedFiles:
    """Middleware that sends the script and style files of some folders compressed, to browsers that accept this.

    `folders` maps the beginning of a path, such as /static/, to a folder. A browser may keep a file for ever if its
    name, or the parameter `v` after it, changes with its content; Streamlit's own names do.
    """

    def __init__(self, app: ASGIApp, folders: dict[str, Path]) -> None:
        self._app = app
        self._folders = {start: folder.resolve() for start, folder in folders.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a compressed file, or status 304 if the browser has it already; pass any other request on."""
        path = self._find_file(scope)
        if path is None:
            await self._app(scope, receive, send)
            return
        changed = path.stat().st_mtime_ns
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "ETag": f'"{changed:x}"'}
        if _HASHED.search(path.name) or "v" in Request(scope).query_params:
            headers["Cache-Control"] = _FOR_EVER
        same = Headers(scope=scope).get("if-none-match") == headers["ETag"]
        kind = mimetypes.guess_type(path.name)[0]
        body = b"" if same else _compress(path, changed)
        await Response(body, 304 if same else 200, headers, kind)(scope, receive, send)

    def _find_file(self, scope: Scope) -> Path | None:
        """Return the file that a request asks for; None if there is none or the browser does not accept compression."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            return None
        if "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            return None
        for start, folder in self._folders.items():
            if scope["path"].startswith(start):
                try:
                    path: Path = (folder / scope["path"].removeprefix(start)).resolve()
                    if path.suffix in _KINDS and path.is_relative_to(folder) and path.is_file():
                        return path
                except (OSError, ValueError):  # a name that no file can have: too long, or with a null byte
                    return None
        return None
