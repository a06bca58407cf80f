"""Headings and category words of earlier versions, which partners' files and forms may still hold."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("earlier_words.csv")


@lru_cache(maxsize=1)
def read_earlier_words() -> dict[str, dict[str, str]]:
    """Return, for each column name, earlier words and the code they mean; an empty code marks a heading."""
    earlier: dict[str, dict[str, str]] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            earlier.setdefault(row["column"], {})[row["words"]] = row["code"]
    return earlier
