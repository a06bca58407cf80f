"""Web responses whose content is compressed once and sent compressed to clients that accept this."""

from __future__ import annotations

import gzip
import json

from starlette.requests import Request
from starlette.responses import Response


def zip_document(document: object) -> bytes:
    """Return a document as JSON compressed with gzip; the same document gives the same bytes.

    Raises ValueError for NaN or infinity in the document.
    """
    return zip_text(json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def zip_text(text: str) -> bytes:
    """Return a text as gzip bytes; the same text gives the same bytes."""
    return gzip.compress(text.encode(), mtime=0)


def send_zipped(request: Request, zipped: bytes, cache_control: str, media_type: str = "application/json") -> Response:
    """Return a web response with a content that is gzip bytes; it is unpacked if the client does not accept gzip.

    cache_control : the header that says how long the response may be kept.
    """
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(zipped, media_type=media_type, headers=headers)
    return Response(gzip.decompress(zipped), media_type=media_type, headers=headers)
