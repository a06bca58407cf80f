"""Update the checksum and the number of rows of a rebuilt file in data/reference/registry.toml."""

import hashlib
import re

from data.reference import FOLDER


def record(file: str, rows: int) -> None:
    """Write the file's new SHA-256 and number of rows into its registry entry. Raises SystemExit if it has none."""
    path = FOLDER / "registry.toml"
    digest = hashlib.sha256((FOLDER / file).read_bytes()).hexdigest()
    head, marker, entry = path.read_text(encoding="utf-8").partition(f'file = "{file}"\n')
    if not marker:
        msg = f"registry.toml has no entry for {file}: add one with its source and licence."
        raise SystemExit(msg)
    entry = re.sub(r'sha256 = "[^"]*"', f'sha256 = "{digest}"', entry, count=1)
    entry = re.sub(r"rows = \d+", f"rows = {rows}", entry, count=1)
    path.write_text(head + marker + entry, encoding="utf-8")
