"""JSON files with a checksum of their own content, so that damage, or an edit by hand, is noticed.

The second last line of such a file is the SHA-256 of the text above it, without the comma before it. Files of earlier
versions have no checksum; for them, and for files from which the whole line was removed, it is only checked that they
are JSON. A person who edits a file on purpose can also write a new checksum.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from data.errors import ReleaseDamaged
from data.release.signed_list import check_listed

_KEY = "sha256"
_END = re.compile(rb',\n "sha256": "([0-9a-f]{64})"\n}\n\Z')
# Signs of a stamp, one of which is left where the other was damaged.
_SIGNS = re.compile(rb'"sha256": "[^"]*"\s*}\s*\Z|[0-9a-f]{64}"\s*}\s*\Z')


def format_stamped(document: Mapping[str, Any]) -> str:
    """Return a document as the text of a file, with its checksum at the end, which replaces an older one."""
    plain = {name: value for name, value in document.items() if name != _KEY}
    text = json.dumps(plain, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{text},\n "{_KEY}": "{hashlib.sha256(text.encode()).hexdigest()}"\n}}\n'


def read_stamped(path: Path, remedy: str) -> dict[str, Any]:
    """Read a document without its checksum. The result is cached and shared: never change it.

    Raises ReleaseDamaged, which names the file and the remedy, if the file cannot be read or was changed, or if this
    process accepts only files of a publisher who has not signed it (data/release/signed_list.py).
    """
    return _read_accepted(path, remedy)[0]


def read_checksum(path: Path, remedy: str) -> str:
    """Return the SHA-256 of a document's file; raise ReleaseDamaged like `read_stamped`."""
    return _read_accepted(path, remedy)[1]


def _read_accepted(path: Path, remedy: str) -> tuple[dict[str, Any], str]:
    try:
        status = path.stat()
        document, checksum = _read(path, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError):
        document, checksum = None, ""
    if document is None:
        raise ReleaseDamaged.of_file(path, remedy)
    check_listed(path, checksum)
    return document, checksum


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int, _size: int) -> tuple[dict[str, Any] | None, str]:
    """Return a document, and the SHA-256 of its file. The document is None if it is not whole or is no JSON object.

    Raises OSError if the file cannot be read, and ValueError if it is whole but not valid JSON.
    """
    raw = path.read_bytes()
    checksum = hashlib.sha256(raw).hexdigest()
    stamp = _END.search(raw)
    if stamp is None:
        is_whole = not _SIGNS.search(raw)
    else:
        is_whole = stamp.group(1).decode() == hashlib.sha256(raw[: stamp.start()]).hexdigest()
    document = json.loads(raw) if is_whole else None
    if not isinstance(document, dict):
        return None, checksum
    document.pop(_KEY, None)
    return document, checksum
