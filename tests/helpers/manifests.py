"""Change manifests of releases in tests: they are written with the checksums that the product would write."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.release.stamp import format_stamped

LATER = "2999-01-001"


@contextmanager
def edit_manifest(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the content of a manifest to change, then write it with the checksums that the files have at the end."""
    described = json.loads(path.read_text(encoding="utf-8"))
    yield described
    for resource in described["resources"]:
        resource["hash"] = hashlib.sha256((path.parent / resource["path"]).read_bytes()).hexdigest()
    path.write_text(format_stamped(described), encoding="utf-8")


def publish_later(releases: Path) -> None:
    """Copy the current release to a later one (LATER), and make this the current release."""
    name = (releases / "current").read_text(encoding="utf-8").strip()
    for tier in shutil.copytree(releases / name, releases / LATER).glob("*/datapackage.json"):
        with edit_manifest(tier) as described:
            described["tact"] |= {"release": LATER, "sequence": 1000}
    (releases / "current").write_text(f"{LATER}\n", encoding="utf-8")
